"""Z-stacks beside recordings: they are no sessions, and the report says so."""

from dataclasses import replace
from datetime import timedelta

import pytest

from imaging_pipeline.errors import FormatError, NothingFoundError
from imaging_pipeline.ingest.listing import scan
from imaging_pipeline.ingest.plan import make_plan
from imaging_pipeline.ingest.records import Request
from imaging_pipeline.ingest.verdicts import FileVerdict
from tests.makers.folders import OPEN_FIELD, START, aged, write_folder
from tests.makers.scanimage import write_z_stack

REQUEST = Request("moser", "90218/day1", "2Pminiscope_A", False, "90218", 0)
LATER = START + timedelta(hours=1)


@pytest.mark.parametrize("combined", [True, False])
def test_a_z_stack_beside_recordings_is_ignored_and_reported(tmp_path, combined):
    folder = write_folder(tmp_path, OPEN_FIELD)
    without = make_plan(replace(REQUEST, combined=combined), scan(folder), {}, {})
    aged(write_z_stack(folder / "90218-stack_00001.tif", 31, LATER))
    aged(write_z_stack(folder / "90218-stack_00002.tif", 31, LATER))

    plan = make_plan(replace(REQUEST, combined=combined), scan(folder), {}, {})

    assert plan.metasessions == without.metasessions
    (first, second) = (report for report in plan.files if "stack" in report.path)
    assert first.verdict is second.verdict is FileVerdict.IGNORED
    assert first.reason == "a z-stack of 31 slices, which is no time series"
    assert {report.verdict for report in without.files} == {FileVerdict.USED}


def test_a_folder_of_a_z_stack_alone_holds_no_recording(tmp_path):
    aged(write_z_stack(tmp_path / "90218-stack_00001.tif"))

    with pytest.raises(NothingFoundError, match=r"90218-stack_00001\.tif \(a z-stack of 5 slices"):
        make_plan(REQUEST, scan(tmp_path), {}, {})


def test_a_z_stack_under_the_name_of_a_recording_is_refused(tmp_path):
    folder = write_folder(tmp_path, OPEN_FIELD)
    aged(write_z_stack(folder / f"{OPEN_FIELD.name}_00003_00001.tif", start=LATER))

    with pytest.raises(FormatError, match=r"_00003_00001\.tif.*planes: 5"):
        make_plan(REQUEST, scan(folder), {}, {})
