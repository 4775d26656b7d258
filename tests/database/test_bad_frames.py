"""Frames that Suite2p is to leave out, from the file beside the tifs to the run and its output."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from imaging_pipeline.schemas import imaging, suite2p_jobs, tables
from imaging_pipeline.schemas.administer.administration import add_options
from tests.makers.folders import COPIED, aged, write_suite2p
from tests.makers.lab import Lab, register, row_counts
from tests.makers.plain_tifs import write_plain_tifs
from tests.makers.recordings import populate
from tests.makers.stand_in_suite2p import stand_in_suite2p
from tests.makers.suite2p_output import Suite2pSpec
from tests.makers.suite2p_runs import RIGID

LIST = {"datasettype": "bad_frames"}


@pytest.fixture
def folder(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of 13 frames in two tifs."""
    stand_in_suite2p(tmp_path / "stand_in", monkeypatch)
    add_options(tables.default_tables(), "small", RIGID)
    return write_plain_tifs(lab.share / "day1")


def write_list(folder: Path, *frames: int, days: int = 0) -> None:
    np.save(folder / "bad_frames.npy", np.array(frames))
    aged(folder / "bad_frames.npy", COPIED + timedelta(days=days))


def register_it(lab: Lab, folder: Path) -> None:
    register(lab, folder, combined=False, experiment_type="plain tifs", ops_name="small")


def test_listed_frames_are_left_out_of_the_detection_and_stay_in_the_traces(lab: Lab, folder: Path) -> None:
    write_list(folder, 3, 9)
    register_it(lab, folder)
    suite2p_jobs.Suite2Py.populate()
    assert suite2p_jobs.Suite2Py().fetch1("run_bad_frames") == [3, 9]
    register_it(lab, folder)
    populate("Tif", "ImagingAnalysis", "Projection")
    assert imaging.ImagingAnalysis().fetch1("num_frames") == 13
    bad_frames = imaging.Projection.Motion().fetch1("bad_frames").load()
    assert np.flatnonzero(bad_frames).tolist() == [3, 9]
    files = imaging.PhysicalFile * imaging.Dataset & LIST
    assert files.fetch1("file_path") == "day1/bad_frames.npy"


@pytest.mark.slow(reason="a process of Suite2p is started for each list")
def test_a_list_that_was_added_changed_or_taken_away_lets_suite2p_run_again(lab: Lab, folder: Path) -> None:
    register_it(lab, folder)
    suite2p_jobs.Suite2Py.populate()
    assert suite2p_jobs.Suite2Py().fetch1("run_bad_frames") == []
    register_it(lab, folder)
    populate("Tif", "ImagingAnalysis")
    for frames, days, reason in (((3, 9), 0, "added"), ((4,), 1, "replaced"), ((), 2, "taken away")):
        if frames:
            write_list(folder, *frames, days=days)
        else:
            (folder / "bad_frames.npy").unlink()
        register_it(lab, folder)
        newest = {"basefolder_id": max(imaging.BaseFolder().to_arrays("basefolder_id"))}
        reasons = set((imaging.MakeDatasetSessions.Purge & newest).to_arrays("purge_reason"))
        assert any(f"bad_frames.npy was {reason}" in each for each in reasons)
        assert len(imaging.Dataset & LIST) == (1 if frames else 0)
        assert (len(suite2p_jobs.Suite2Py()), len(imaging.ImagingAnalysis())) == (0, 0)
        suite2p_jobs.Suite2Py.populate()
        run = suite2p_jobs.Suite2Py().fetch1()
        assert (run["run_bad_frames"], run["adopted"]) == (list(frames), False)
        register_it(lab, folder)
        populate("ImagingAnalysis")
        assert (len(imaging.ImagingAnalysis()), len(imaging.Tif())) == (1, 1)


def test_the_same_folder_with_a_list_again_writes_nothing_but_the_request(lab: Lab, folder: Path) -> None:
    write_list(folder, 3)
    register_it(lab, folder)
    suite2p_jobs.Suite2Py.populate()
    register_it(lab, folder)
    before = row_counts(lab)
    register_it(lab, folder)
    own = ("base_folder", "make_dataset_sessions", "~~")
    changed = {name for name, rows in row_counts(lab).items() if rows != before[name]}
    assert [name for name in changed if not any(part in name for part in own)] == []


def test_a_list_leaves_an_output_alone_that_a_person_made(lab: Lab, folder: Path) -> None:
    files = {"file_list": ["movie_1.tif", "movie_2.tif"], "frames_per_file": (8, 5)}
    write_suite2p(folder / "suite2p", Suite2pSpec(**files))
    register_it(lab, folder)
    populate("Tif", "ImagingAnalysis")
    write_list(folder, 3)
    register_it(lab, folder)
    assert len(imaging.ImagingAnalysis()) == 1
    suite2p_jobs.Suite2Py.populate()
    assert suite2p_jobs.Suite2Py().fetch1("adopted", "run_bad_frames") == (True, None)
