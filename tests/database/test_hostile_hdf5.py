"""HDF5 files of strangers in folders that are registered: refused by name, and nothing of them is stored."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from imaging_pipeline.errors import FormatError
from imaging_pipeline.schemas import imaging
from tests.database.test_femtonics import FEMTONICS, register_femtonics
from tests.database.test_import_matlab import folder_of, register_result, spec_of
from tests.makers.femtonics import write_femtonics
from tests.makers.hostile_hdf5 import (
    LEADING_OUT,
    MATLAB_LEADING_OUT,
    MATLAB_WITHOUT_TARGET,
    SECRET,
    write_external_storage,
    write_huge_chunk,
    write_matlab_group_in_itself,
    write_matlab_reference_to_external_storage,
    write_missing_chunk,
    write_pipe,
    write_target,
    write_unknown_filter,
)
from tests.makers.lab import Lab, register
from tests.makers.pipes import watched
from tests.makers.recordings import OBJECT, populate, write_recording
from tests.makers.refusals import assert_told, carried_out, snapshot
from tests.makers.suite2p_matlab import write_result
from tests.makers.worker import worked

on_posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no pipes in folders")


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Return a file of the worker's machine that is in no repository."""
    return write_target(tmp_path / "secret.h5")


@pytest.fixture
def folder(lab: Lab) -> Path:
    """Return a recording that has not been registered yet."""
    return write_femtonics(lab.share / "90218" / "2024-05-17")


def assert_refused(lab: Lab, folder: Path, *told: str) -> None:
    """Preview and register a folder; check that both refuse it with all of this, and leave nothing."""
    before = snapshot(lab)
    with pytest.raises(FormatError) as raised:
        imaging.BaseFolder.preview(**{**lab.request(folder, combined=False), **FEMTONICS})
    job = carried_out(lab, folder, **FEMTONICS)
    assert job["status"] == "error"
    for message in (str(raised.value), job["error_message"]):
        assert_told(message, *told)
        assert SECRET not in message
    assert snapshot(lab) == before


def import_of(table: Any) -> Any:
    """Let a worker make the only job of a table, and give the job's row."""
    (key,) = (table().key_source - table()).keys()
    return worked(table(), key)


@pytest.mark.parametrize("write", LEADING_OUT.values(), ids=LEADING_OUT)
def test_a_recording_that_leads_to_another_file_is_refused(
    lab: Lab, folder: Path, target: Path, write: Callable[[Path, Path], Path]
) -> None:
    path = write(folder / "90218.mesc", target)
    assert_refused(lab, folder, "leads to another file, which was not opened", f"File: {path}")


@pytest.mark.parametrize("write", [write_huge_chunk, write_unknown_filter])
def test_a_recording_that_is_not_what_it_says_is_refused(
    lab: Lab, folder: Path, write: Callable[[Path], Path]
) -> None:
    path = write(folder / "90218.mesc")
    assert_refused(lab, folder, f"File: {path}", "/MSession_0/MUnit_0/Channel_0")


def test_a_recording_that_lacks_a_frame_waits_for_its_copy(lab: Lab, folder: Path) -> None:
    path = write_missing_chunk(folder / "90218.mesc")
    before = snapshot(lab)
    job = carried_out(lab, folder, **FEMTONICS)
    assert job["status"] == "pending"
    assert_told(job["error_message"], f"File: {path}", "Channel_0, chunk at (10, 0, 0)")
    assert snapshot(lab) == before


@on_posix
def test_a_pipe_in_a_folder_is_reported_while_nobody_writes_to_it(lab: Lab, folder: Path) -> None:
    pipe = write_pipe(folder / "x.mesc")
    with watched(pipe):
        request = register_femtonics(lab, folder)
    files = imaging.MakeDatasetSessions.File & {"basefolder_id": request}
    (report,) = (row for row in files.to_dicts() if row["reported_path"].endswith(pipe.name))
    assert (report["file_verdict"], report["file_reason"]) == ("unknown", "it is no ordinary file")


@on_posix
def test_a_recording_that_was_exchanged_for_a_pipe_is_not_opened(lab: Lab, folder: Path) -> None:
    register_femtonics(lab, folder)
    (folder / "90218.mesc").unlink()
    pipe = write_pipe(folder / "90218.mesc")
    with watched(pipe):
        jobs = [worked(imaging.Mesc(), key) for key in imaging.Mesc().key_source.keys()]  # noqa: SIM118
    for job in jobs:
        assert job["status"] == "error"
        assert_told(job["error_message"], "no regular file", f"File: {pipe}", "Found: a named pipe")
    assert len(jobs) == 2
    assert len(imaging.Mesc()) == 0


def test_a_recording_that_was_exchanged_after_it_was_registered_is_not_imported(
    lab: Lab, folder: Path, target: Path
) -> None:
    register_femtonics(lab, folder)
    path = write_external_storage(folder / "90218.mesc", target)
    for key in imaging.Mesc().key_source.keys():  # noqa: SIM118
        job = worked(imaging.Mesc(), key)
        assert job["status"] == "error"
        assert_told(job["error_message"], f"File: {path}")
        assert SECRET not in job["error_message"]
    assert len(imaging.Mesc()) == 0


def test_a_recording_whose_mean_image_lacks_a_frame_is_not_imported(lab: Lab, folder: Path) -> None:
    path = write_missing_chunk(folder / "90218.mesc", frame=1)
    register_femtonics(lab, folder)
    job = import_of(imaging.Mesc)
    assert job["status"] == "error"
    assert_told(job["error_message"], "A chunk of the HDF5 file is missing", f"File: {path}")
    assert len(imaging.Mesc()) == 0


@pytest.mark.parametrize(
    "write",
    [
        *(lambda path, target, write=write: write(path, target) for write in MATLAB_LEADING_OUT.values()),
        *(lambda path, _, write=write: write(path) for write in MATLAB_WITHOUT_TARGET.values()),
    ],
    ids=[*MATLAB_LEADING_OUT, *MATLAB_WITHOUT_TARGET],
)
def test_a_result_that_is_not_safe_to_read_is_no_output_and_the_report_says_why(
    lab: Lab, target: Path, write: Callable[[Path, Path], Path]
) -> None:
    write_recording(folder_of(lab), OBJECT)
    path = write_result(folder_of(lab) / "Plane 1", spec_of(OBJECT))
    write(path, target)
    register(lab, folder_of(lab), combined=False)
    files = imaging.MakeDatasetSessions.File().to_dicts()
    (report,) = (row for row in files if row["reported_path"].endswith(".mat"))
    assert report["file_verdict"] == "ignored"
    assert path.name in report["file_reason"]
    assert not any(SECRET in str(row) for row in files)
    assert len(imaging.Dataset & {"datasettype": "suite2p_matlab"}) == 0


@pytest.mark.parametrize("is_cyclic", [False, True])
def test_a_result_that_was_exchanged_after_it_was_registered_is_not_imported(
    lab: Lab, target: Path, is_cyclic: bool
) -> None:
    plane = register_result(lab, spec_of(OBJECT), OBJECT, combined=False)
    populate("Tif")
    (path,) = plane.glob("*.mat")
    if is_cyclic:
        write_matlab_group_in_itself(path)
    else:
        write_matlab_reference_to_external_storage(path, target)
    job = import_of(imaging.ImagingAnalysis)
    assert job["status"] == "error"
    assert_told(job["error_message"], f"File: {path}")
    assert SECRET not in job["error_message"]
    assert len(imaging.ImagingAnalysis()) == 0
