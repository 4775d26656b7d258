"""What the results of Suite2p for MATLAB in a folder are to its sessions."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from imaging_pipeline import names
from imaging_pipeline.errors import StillCopyingError
from imaging_pipeline.ingest.listing import scan
from imaging_pipeline.ingest.plan import make_plan
from imaging_pipeline.ingest.records import Plan, Request
from tests.makers.folders import START, Timeseries, aged, write_file, write_folder, write_suite2p
from tests.makers.matlab_file import write_v7
from tests.makers.suite2p_matlab import MatlabSpec, content, write_curated, write_result
from tests.makers.suite2p_output import Suite2pSpec

REQUEST = Request("moser", "day1", "2Pminiscope_A", True, "90218", 0, "fast")
OPTIONS = {"fast": {"tau": 9.0}}
OPEN_FIELD = Timeseries("90218-openfield", files=(2,))
WHEEL = Timeseries("90218-wheel", START + timedelta(hours=1))
SPEC = MatlabSpec(tifs=(OPEN_FIELD.tif_names, WHEEL.tif_names), frames=(8, 4))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "day1", OPEN_FIELD, WHEEL)


def plan_of(folder: Path, **changes: object) -> Plan:
    return make_plan(replace(REQUEST, **changes), scan(folder), {}, OPTIONS)


def verdict_of(plan: Plan) -> tuple[str, str]:
    (output,) = plan.outputs
    return str(output.verdict), output.reason


def bundles(plan: Plan) -> list[str]:
    return [dataset.bundle for metasession in plan.metasessions for dataset in metasession.datasets]


def told(plan: Plan, name: str) -> tuple[str, str]:
    (report,) = (file for file in plan.files if file.path.endswith(f"/{name}"))
    return str(report.verdict), report.reason


@pytest.mark.parametrize("place", ["", "Plane 1", "suite2p", "analysis/90218/2024-05-17/1_2"])
def test_a_result_is_found_wherever_it_lies(folder: Path, place: str) -> None:
    write_result(folder / place, SPEC)

    plan = plan_of(folder)

    (metasession,) = plan.metasessions
    (dataset,) = metasession.datasets
    assert verdict_of(plan)[0] == "finished"
    assert (dataset.datasettype, dataset.filetype, dataset.bundle) == (
        "suite2p_matlab",
        "mat",
        "matlab/plane0",
    )
    assert dataset.dataset_name == names.dataset_name(
        metasession.metasession_name, "suite2p_matlab", "matlab/plane0"
    )


def test_only_the_curated_result_is_used(folder: Path) -> None:
    write_result(folder, SPEC)
    write_curated(folder, replace(SPEC, is_cell=(False, True, False, True, True)))

    plan = plan_of(folder)

    (dataset,) = plan.metasessions[0].datasets
    assert dataset.labels.cell_ids == {1, 3, 4}
    assert told(plan, "F_90218_2024-05-17_plane1_proc.mat")[0] == "used"
    assert told(plan, "F_90218_2024-05-17_plane1.mat") == (
        "ignored",
        "of a finished MATLAB Suite2p output, and not needed for its import",
    )


def test_what_was_computed_on_the_way_is_ignored_beside_a_result_only(folder: Path) -> None:
    write_result(folder / "Plane 1", SPEC)
    write_file(folder / "Plane 1" / "regops_90218_2024-05-17.mat")
    write_file(folder / "elsewhere" / "regops_90218_2024-05-18.mat")

    plan = plan_of(folder)

    assert told(plan, "regops_90218_2024-05-17.mat")[0] == "ignored"
    assert told(plan, "regops_90218_2024-05-18.mat")[0] == "unknown"


def test_results_of_both_programs_stand_side_by_side(folder: Path) -> None:
    write_result(folder / "suite2p", SPEC)
    tifs = (*OPEN_FIELD.tif_names, *WHEEL.tif_names)
    output = Suite2pSpec(file_list=tifs, frames_per_file=(4, 4, 4), settings={"tau": 9.0})
    root = write_suite2p(folder / "suite2p", output)
    write_file(root / "plane0" / "Fall.mat")

    plan = plan_of(folder)

    assert sorted(bundles(plan)) == ["fast/plane0", "matlab/plane0"]
    assert told(plan, "Fall.mat") == ("ignored", "a working file of Suite2p")


def test_no_option_set_makes_a_result_out_of_date(folder: Path) -> None:
    write_result(folder, SPEC)

    assert verdict_of(plan_of(folder)) == (
        "finished",
        "options not compared, because no option set can state them",
    )


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        (replace(SPEC, tifs=SPEC.tifs[:1], frames=(8,)), "made of 1 sessions instead of 2"),
        (replace(SPEC, with_tifs=False, frames=(4, 4, 4)), "made of 3 sessions instead of 2"),
        (replace(SPEC, tifs=(OPEN_FIELD.tif_names, ("other.tif",))), "made without 90218-wheel_00001_00001"),
        (
            replace(SPEC, tifs=(OPEN_FIELD.tif_names[:1], (*OPEN_FIELD.tif_names[1:], *WHEEL.tif_names))),
            "made of the same files, but divided into other sessions",
        ),
    ],
    ids=["fewer sessions", "more sessions", "another tif", "other sessions"],
)
def test_a_result_of_other_sessions_is_superseded(folder: Path, spec: MatlabSpec, reason: str) -> None:
    write_result(folder, spec)

    verdict, found = verdict_of(plan_of(folder))

    assert verdict == "superseded"
    assert reason in found


def test_a_result_that_names_no_tifs_is_believed_where_there_is_one_metasession(folder: Path) -> None:
    write_result(folder, replace(SPEC, with_tifs=False))

    assert verdict_of(plan_of(folder))[0] == "finished"
    verdict, reason = verdict_of(plan_of(folder, combined=False))
    assert verdict == "foreign"
    assert "does not say which files it was made of, and the folder has several sessions" in reason


def test_a_split_session_finds_its_own_result_by_its_tifs(folder: Path) -> None:
    write_result(folder / "wheel", replace(SPEC, tifs=(WHEEL.tif_names,), frames=(4,)))

    plan = plan_of(folder, combined=False)

    assert [len(metasession.datasets) for metasession in plan.metasessions] == [0, 1]


def test_a_plane_that_is_missing_is_told(folder: Path) -> None:
    write_result(folder / "Plane 1", replace(SPEC, num_planes=2))

    verdict, reason = verdict_of(plan_of(folder))

    assert verdict == "incomplete"
    assert "1 of 2 planes not there" in reason


def test_planes_in_folders_of_their_own_are_one_output(folder: Path) -> None:
    for plane in (1, 2):
        write_result(folder / f"Plane {plane}", replace(SPEC, num_planes=2, plane=plane))

    assert bundles(plan_of(folder)) == ["matlab/plane0", "matlab/plane1"]


def test_two_results_of_one_plane_are_told_with_their_names(folder: Path) -> None:
    path = write_result(folder, SPEC)
    write_file(folder / "F_other_plane1.mat", path.read_bytes())

    verdict, reason = verdict_of(plan_of(folder))

    assert verdict == "incomplete"
    assert "F_other_plane1.mat" in reason
    assert path.name in reason


def test_a_result_that_lacks_a_field_is_incomplete_and_names_it(folder: Path) -> None:
    written = content(SPEC)
    for region in written["stat"]:
        del region["neuropilCoefficient"]
    aged(write_v7(folder / "F_90218_plane1.mat", written))

    verdict, reason = verdict_of(plan_of(folder))

    assert verdict == "incomplete"
    assert "stat.neuropilCoefficient of F_90218_plane1.mat not there" in reason


@pytest.mark.parametrize("container", ["v7", "v7.3"])
def test_a_result_that_is_cut_off_is_incomplete_and_stops_nothing(folder: Path, container: str) -> None:
    path = write_result(folder, replace(SPEC, container=container))
    path.write_bytes(path.read_bytes()[:-2000])
    aged(path)

    plan = plan_of(folder)

    assert verdict_of(plan)[0] == "incomplete"
    assert len(plan.metasessions[0].sessions) == 2


def test_a_result_that_matlab_just_saved_waits(folder: Path) -> None:
    path = write_curated(folder, SPEC)
    os.utime(path, (time.time(), time.time()))

    with pytest.raises(StillCopyingError, match=r"_proc\.mat"):
        plan_of(folder)
