"""What becomes of a folder that is registered again: each rule is the name of a test."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imaging_pipeline.schemas import imaging, suite2p_jobs, tables
from imaging_pipeline.schemas.administer.administration import add_options, add_user
from tests.makers.folders import (
    COPIED,
    OPEN_FIELD,
    PAGES,
    START,
    WHEEL,
    Timeseries,
    aged,
    write_companions,
    write_folder,
    write_tif,
    write_timeseries,
)
from tests.makers.lab import Lab, register, row_counts
from tests.makers.outputs import suite2p_output, tif_paths
from tests.makers.suite2p_output import curate

OWN = ("base_folder", "make_dataset_sessions", "~~make_dataset_sessions")


@pytest.fixture
def folder(lab: Lab) -> Path:
    return write_folder(lab.share / "90218" / "day1", OPEN_FIELD, WHEEL)


def imported(lab: Lab, folder: Path) -> Path:
    """Register a folder as one recording, import its tifs and a finished output, and give the output."""
    register(lab, folder, combined=True)
    root = suite2p_output(lab, combined=True)
    register(lab, folder, combined=True)
    for table in (imaging.Tif, imaging.ImagingAnalysis, imaging.Cell):
        table.populate()
    return root


def report(part: str, request: int, column: str) -> list[Any]:
    """Return a column of a part of a request's report."""
    table = getattr(imaging.MakeDatasetSessions, part)
    return list((table & {"basefolder_id": request}).to_arrays(column))


@contextmanager
def only_the_report_is_written(lab: Lab) -> Iterator[None]:
    before = row_counts(lab)
    yield
    changed = {
        name.split(".")[-1].strip('`"') for name, rows in row_counts(lab).items() if rows != before[name]
    }
    assert {name for name in changed if not any(own in name for own in OWN)} == set()


def content_of(share: Path) -> dict[str, tuple[int, int]]:
    """Return the size and time of every file of a share."""
    return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in share.rglob("*")}


@pytest.mark.parametrize("combined", [False, True])
def test_the_same_folder_again_writes_nothing_but_the_request_and_its_report(
    lab: Lab, folder: Path, combined: bool
) -> None:
    register(lab, folder, combined=combined)
    with only_the_report_is_written(lab):
        request = register(lab, folder, combined=combined)
    assert report("Session", request, "session_verdict") == ["known", "known"]
    assert report("Purge", request, "purged_table") == report("Finding", request, "finding") == []


def test_no_content_is_read_of_a_file_whose_size_and_time_are_known(lab: Lab, folder: Path) -> None:
    register(lab, folder, combined=True)
    for path in folder.iterdir():
        path.write_bytes(bytes(path.stat().st_size))
        aged(path)
    with only_the_report_is_written(lab):
        register(lab, folder, combined=True)


def test_a_forgotten_file_joins_the_session_that_is_there(lab: Lab) -> None:
    folder = write_folder(lab.share / "90218" / "day1", Timeseries(OPEN_FIELD.name))
    register(lab, folder, combined=False)
    imaging.Tif.populate()
    write_companions(folder, OPEN_FIELD.name, 1)
    request = register(lab, folder, combined=False)
    assert (len(imaging.Session()), len(imaging.Tif())) == (1, 1)
    linked = imaging.Session * imaging.Session.Data * imaging.Dataset
    expected = {"tif", "wavesurfer", "tracking_openfield", "tracking_wheel", "tracking_video"}
    assert set(linked.to_arrays("datasettype")) == expected
    assert report("Purge", request, "purged_table") == []


def test_an_earlier_acquisition_that_arrives_late_joins_its_session_which_keeps_name_and_start(
    lab: Lab,
) -> None:
    second = Timeseries(WHEEL.name, first_acquisition=2)
    folder = write_folder(lab.share / "90218" / "day1", second)
    register(lab, folder, combined=False)
    before = imaging.Session().fetch1("session_name", "session_timestamp")
    write_timeseries(folder, Timeseries(WHEEL.name))
    request = register(lab, folder, combined=False)
    assert imaging.Session().fetch1("session_name", "session_timestamp") == before
    assert [Path(path).name for path in tif_paths(before[0])] == [
        "90218-wheel_00001_00001.tif",
        "90218-wheel_00002_00001.tif",
    ]
    (told,) = report("Finding", request, "finding")
    assert told.startswith("late: ")
    assert str(START) in told


def test_a_session_found_later_joins_its_combined_metasession(lab: Lab) -> None:
    folder = write_folder(lab.share / "90218" / "late", WHEEL)
    register(lab, folder, combined=True)
    write_timeseries(folder, OPEN_FIELD)
    request = register(lab, folder, combined=True)
    assert len(imaging.MetaSession()) == 1
    ordered = imaging.Session().to_arrays("timeseries_name", order_by="session_order")
    assert list(ordered) == [OPEN_FIELD.name, WHEEL.name]
    assert Counter(report("Session", request, "session_verdict")) == {"joined": 1, "known": 1}


def test_a_session_that_joins_makes_the_earlier_suite2p_output_out_of_date(lab: Lab) -> None:
    folder = write_folder(lab.share / "90218" / "late", WHEEL)
    imported(lab, folder)
    assert len(imaging.ImagingAnalysis()) == 1
    write_timeseries(folder, OPEN_FIELD)
    request = register(lab, folder, combined=True)
    assert len(imaging.ImagingAnalysis()) == 0
    assert all("joined" in reason for reason in report("Purge", request, "purge_reason"))
    assert len(imaging.Tif()) == 1


def test_a_moved_folder_keeps_its_sessions_and_is_told(lab: Lab, folder: Path) -> None:
    imported(lab, folder)
    before = row_counts(lab)
    moved = folder.rename(folder.with_name("archive"))
    request = register(lab, moved, combined=True)
    assert [told.split(":")[0] for told in report("Finding", request, "finding")] == ["moved", "moved"]
    assert imaging.MetaSession().fetch1("metasession_folder") == "90218/archive"
    assert all(path.startswith("90218/archive/") for path in imaging.PhysicalFile().to_arrays("file_path"))
    lost = {name for name, rows in row_counts(lab).items() if rows < before[name]}
    assert lost == set()


def test_a_session_of_which_some_files_were_moved_is_still_one(lab: Lab, folder: Path) -> None:
    register(lab, folder, combined=False)
    other = folder.with_name("archive")
    other.mkdir()
    for path in folder.glob(f"{WHEEL.name}*"):
        path.rename(other / path.name)
    request = register(lab, other, combined=False)
    assert len(imaging.Session()) == 2
    assert report("Session", request, "session_verdict") == ["known"]
    wheel = imaging.MetaSession & (imaging.Session & {"timeseries_name": WHEEL.name})
    assert wheel.fetch1("metasession_folder") == "90218/archive"
    with only_the_report_is_written(lab):
        register(lab, folder, combined=False)


@pytest.mark.parametrize("combined", [False, True])
def test_a_copied_folder_is_told_and_never_a_second_session(lab: Lab, folder: Path, combined: bool) -> None:
    register(lab, folder, combined=combined)
    copy = shutil.copytree(folder, folder.with_name("copy"))
    with only_the_report_is_written(lab):
        request = register(lab, copy, combined=combined)
    for told in report("Finding", request, "finding"):
        assert told.startswith("copied: ")
        assert "90218/day1 of moser" in told
        assert "imaging-pipeline retire" in told


def test_a_replaced_file_is_imported_again_and_the_other_session_is_left_alone(
    lab: Lab, folder: Path
) -> None:
    register(lab, folder, combined=False)
    imaging.Tif.populate()
    kept = (imaging.Tif * imaging.Session & {"timeseries_name": WHEEL.name}).fetch1("tif_entry_time")
    aged(
        write_tif(folder / OPEN_FIELD.tif_names[1], OPEN_FIELD.start, seed=99, frames_before=PAGES),
        COPIED + timedelta(days=1),
    )
    register(lab, folder, combined=False)
    assert len(imaging.Tif()) == 1
    imaging.Tif.populate()
    assert len(imaging.Tif()) == 2
    assert (imaging.Tif * imaging.Session & {"timeseries_name": WHEEL.name}).fetch1("tif_entry_time") == kept


def test_a_file_that_grew_is_imported_again(lab: Lab, folder: Path) -> None:
    register(lab, folder, combined=False)
    imaging.Tif.populate()
    video = folder / f"{WHEEL.name}_0001.avi"
    video.write_bytes(video.read_bytes() * 2)
    aged(video, COPIED + timedelta(days=1))
    request = register(lab, folder, combined=False)
    reasons = {reason for reason in report("Dataset", request, "dataset_reason") if reason}
    assert reasons == {f"replaced {video.name}"}
    grown = imaging.PhysicalFile & {"file_path": f"90218/day1/{video.name}"}
    assert grown.fetch1("size_bytes") == video.stat().st_size
    assert len(imaging.Tif()) == 2


def test_a_file_that_is_gone_is_told_and_its_rows_stay(lab: Lab, folder: Path) -> None:
    register(lab, folder, combined=False)
    imaging.Tif.populate()
    (folder / OPEN_FIELD.tif_names[1]).unlink()
    with only_the_report_is_written(lab):
        request = register(lab, folder, combined=False)
    (told,) = report("Finding", request, "finding")
    assert OPEN_FIELD.tif_names[1] in told
    assert "imaging-pipeline retire" in told


def test_another_option_set_purges_the_run_of_the_first(lab: Lab, folder: Path) -> None:
    for name, tau in (("fast", 0.7), ("slow", 1.5)):
        add_options(tables.default_tables(), name, {"tau": tau})
    register(lab, folder, combined=True, ops_name="fast")
    key = {"metasession_name": imaging.MetaSession().fetch1("metasession_name")}
    assert imaging.MetaSession.Suite2pyOps().fetch1("ops_name") == "fast"
    run = {
        **{"output_folder": "x", "adopted": False, "run_num_frames": 1, "run_num_rois": 0, "run_seconds": 1},
        **{"run_settings": {}, "run_overridden": {}, "run_trimmed": {}, "run_stage_seconds": {}},
        **{"run_versions": {}, "run_machine": "here", "run_threads": 1},
    }
    suite2p_jobs.Suite2Py.insert1({**key, "ops_name": "fast", **run}, allow_direct_insert=True)
    register(lab, folder, combined=True, ops_name="slow")
    assert len(suite2p_jobs.Suite2Py()) == 0
    assert imaging.MetaSession.Suite2pyOps().fetch1("ops_name") == "slow"


def test_an_option_set_of_the_same_content_purges_nothing(lab: Lab, folder: Path) -> None:
    for name in ("fast", "quick"):
        add_options(tables.default_tables(), name, {"tau": 0.7})
    register(lab, folder, combined=True, ops_name="fast")
    with only_the_report_is_written(lab):
        register(lab, folder, combined=True, ops_name="quick")
    assert imaging.MetaSession.Suite2pyOps().fetch1("ops_name") == "fast"


def test_other_cells_after_curation_are_imported_again(lab: Lab, folder: Path) -> None:
    root = imported(lab, folder)
    curate(root / "plane0", [True, False, True, False, True])
    request = register(lab, folder, combined=True)
    assert len(imaging.Cell()) == 0
    reason = "'fast/plane0' curated: 0 cells added, 2 removed"
    assert set(report("Purge", request, "purge_reason")) == {reason}
    for table in (imaging.ImagingAnalysis, imaging.Cell):
        table.populate()
    assert set(imaging.Cell.Rois().to_arrays("cell_id")) == {0, 2, 4}


def test_a_curation_is_an_event_with_rows_that_say_who_and_which_cells(lab: Lab, folder: Path) -> None:
    add_user(tables.default_tables(), "ben")
    root = imported(lab, folder)
    curate(root / "plane0", [True, False, True, False, True])
    first = register(lab, folder, combined=True)
    for table in (imaging.ImagingAnalysis, imaging.Cell):
        table.populate()
    curate(root / "plane0", [False, True, True, False, True])
    second = imaging.BaseFolder.add(**{**lab.request(folder, combined=True), "username": "ben"})
    imaging.MakeDatasetSessions.populate()
    sessions = set(imaging.Session().to_arrays("session_name"))
    for request, who, added, removed in ((first, "anna", [], [1, 3]), (second, "ben", [1], [0])):
        events = (imaging.Curation & {"curation_request": request}).to_dicts()
        assert {row["curated_session"] for row in events} == sessions
        assert {row["curated_bundle"] for row in events} == {"fast/plane0"}
        for row in events:
            assert (row["curation_username"], row["cells_added"], row["cells_removed"]) == (
                who,
                added,
                removed,
            )


def test_the_first_import_of_a_curated_output_is_no_curation(lab: Lab, folder: Path) -> None:
    register(lab, folder, combined=True)
    root = suite2p_output(lab, combined=True)
    register(lab, folder, combined=True)
    curate(root / "plane0", [True, False, True, False, True])
    register(lab, folder, combined=True)
    assert len(imaging.Curation()) == 0


def test_a_changed_probability_alone_is_no_curation(lab: Lab, folder: Path) -> None:
    root = imported(lab, folder)
    labels = np.load(root / "plane0" / "iscell.npy")
    labels[:, 1] *= 0.5
    np.save(root / "plane0" / "iscell.npy", labels)
    register(lab, folder, combined=True)
    assert (len(imaging.Cell()), len(imaging.Curation())) == (2, 0)


def test_nothing_in_a_recording_folder_is_deleted_or_changed(lab: Lab, folder: Path) -> None:
    imported(lab, folder)
    before = content_of(lab.share)
    register(lab, folder, combined=True)
    register(lab, folder, combined=False)
    assert content_of(lab.share) == before


def test_a_link_to_a_folder_is_the_folder_itself(lab: Lab, folder: Path) -> None:
    register(lab, folder, combined=True)
    link = folder.with_name("linked")
    link.symlink_to(folder, target_is_directory=True)
    with only_the_report_is_written(lab):
        request = register(lab, link, combined=True)
    assert report("Session", request, "session_verdict") == ["known", "known"]
