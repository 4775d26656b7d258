"""A finished run that could not be copied is copied later, if it is whole, and of equal tifs and options."""

import multiprocessing
import os
import signal
import time
from dataclasses import replace

import numpy as np
import pytest

from imaging_pipeline import progress
from imaging_pipeline.readers.scanimage.tif import read_tif
from imaging_pipeline.suite2p_runner.run import RunRequest, run
from tests.makers.scanimage import write_tif
from tests.makers.stand_in_suite2p import stand_in_suite2p
from tests.makers.suite2p_runs import SETTINGS, Runs, expected_traces, traces, write_runs


@pytest.fixture
def kept(tmp_path, monkeypatch) -> Runs:
    """Return runs of which one is finished and was not copied, because its recording's folder was away."""
    runs = write_runs(tmp_path, stand_in_suite2p(tmp_path / "packages", monkeypatch))
    away = runs.share.with_name("away")

    def unmount(step):
        if step.step == "copying the output" and runs.share.exists():
            runs.share.rename(away)

    runs.failed(unmount)
    away.rename(runs.share)
    return runs


def kept_folders(runs: Runs) -> list[str]:
    return [path.name for path in runs.request.scratch.iterdir()]


def test_a_kept_run_is_without_its_movie(kept: Runs):
    assert [name.rpartition("-")[0] for name in kept_folders(kept)] == ["suite2p-finished"]
    assert list(kept.request.scratch.rglob("*.bin")) == []


def test_a_kept_run_is_not_taken_for_one_with_other_options(kept: Runs):
    other = replace(kept, request=replace(kept.request, settings={**kept.request.settings, "tau": 0.7}))

    assert other.run().settings_used["tau"] == 0.7


def test_a_kept_run_is_not_taken_for_one_of_other_tifs(kept: Runs):
    path = kept.tifs[1]
    write_tif(path, settings=SETTINGS, pages=np.random.default_rng(9).integers(0, 99, (15, 12, 16), np.int16))
    other = replace(kept, request=replace(kept.request, tifs=(kept.request.tifs[0], read_tif(path))))

    result = other.run()

    assert result.num_frames == 27
    np.testing.assert_array_equal(traces(result.target), expected_traces(other.request))


def test_a_kept_run_that_is_no_longer_whole_is_run_anew(kept: Runs):
    (folder,) = kept.request.scratch.iterdir()
    path = folder / "suite2p" / "plane0" / "spks.npy"
    path.write_bytes(path.read_bytes()[:-20])

    kept.assert_it_succeeds_now()


def test_a_kept_run_that_nobody_came_back_for_is_removed_after_a_week(kept: Runs):
    (folder,) = kept.request.scratch.iterdir()
    long_ago_s = time.time() - 8 * 86400
    os.utime(folder, (long_ago_s, long_ago_s))
    other = replace(kept, request=replace(kept.request, settings={**kept.request.settings, "tau": 0.7}))

    other.run()

    assert kept_folders(kept) == []


def killed_while_it_copies(request: RunRequest) -> None:
    def kill(step: progress.Progress) -> None:
        if step.step == "copying the output":
            os.kill(os.getpid(), signal.SIGKILL)

    with progress.listening(kill):
        run(request)


def test_a_worker_that_is_killed_while_it_copies_leaves_the_finished_run_to_the_next(tmp_path, monkeypatch):
    runs = write_runs(tmp_path, stand_in_suite2p(tmp_path / "packages", monkeypatch))
    process = multiprocessing.get_context("spawn").Process(
        target=killed_while_it_copies, args=(runs.request,)
    )
    process.start()
    process.join()
    left = [path.name for path in runs.request.target.parent.iterdir()]
    assert process.exitcode == -signal.SIGKILL
    assert any(f".small.partial-{os.uname().nodename}-{process.pid}-" in name for name in left)

    runs.assert_the_finished_run_is_copied_now()
