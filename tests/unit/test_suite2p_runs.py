"""Runs of Suite2p: what they read and write, what they take up of earlier ones, and what they must not."""

import multiprocessing
import os
import shutil
import signal
import time
from dataclasses import replace

import numpy as np
import pytest

from imaging_pipeline import progress
from imaging_pipeline.demo.scanimage_file import ScanImageSettings
from imaging_pipeline.readers.scanimage.tif import read_tif
from imaging_pipeline.readers.suite2p.output import find_outputs, read_motion, read_output, read_traces
from imaging_pipeline.readers.tiff.recorded import iter_pages
from imaging_pipeline.suite2p_runner.child_process import run_child
from imaging_pipeline.suite2p_runner.frame_source import describe_source
from imaging_pipeline.suite2p_runner.known_options import default_settings
from imaging_pipeline.suite2p_runner.request import Trim
from imaging_pipeline.suite2p_runner.run import RunRequest, run
from tests.makers.scanimage import write_tif
from tests.makers.stand_in_suite2p import stand_in_suite2p
from tests.makers.suite2p_runs import SETTINGS, Runs, expected_traces, mean_rows, traces, write_runs


@pytest.fixture
def runs(tmp_path, monkeypatch):
    return write_runs(tmp_path, stand_in_suite2p(tmp_path / "packages", monkeypatch))


def test_a_run_of_the_stand_in_follows_from_the_tifs(runs: Runs):
    result = runs.run()

    assert (result.adopted, result.num_frames, result.num_rois) == (False, 26, 5)
    assert (traces(result.target) == expected_traces(runs.request)).all()
    assert runs.run().adopted


def test_a_registered_output_is_adopted_where_it_lies(runs: Runs):
    made = runs.run()
    kept = made.target.rename(runs.share / "day1" / "kept")
    others = (runs.share / "gone" / "suite2p", kept / "suite2p")
    request = replace(runs.request, identity={"ops_name": "another"}, registered=others)

    assert run(request) == replace(made, target=kept, adopted=True)
    assert not runs.request.target.exists()
    assert not run(replace(request, settings={**request.settings, "tau": 2.0})).adopted


def test_a_movie_without_cells_is_a_finished_run(runs: Runs):
    runs.stand_in.order("find nothing")

    result = runs.run()

    assert (result.num_rois, result.num_frames) == (0, 26)
    assert traces(result.target).shape == (0, 26)
    assert list(runs.request.scratch.iterdir()) == []


def test_suite2p_unpickles_a_classifier_that_was_written_anew_only(runs: Runs, tmp_path):
    named = tmp_path / "classifier.npy"
    np.save(named, {"stats": np.zeros((2, 1)), "keys": ["skew"], "iscell": np.zeros(2), "author": "anna"})

    options = {**runs.request.settings, "classification": {"classifier_path": str(named)}}
    result = replace(runs, request=replace(runs.request, settings=options)).run()

    (told,) = [line for line in (result.target / "run.log").read_text().splitlines() if "classifier" in line]
    assert "with ['skew']" in told
    assert str(named) not in told
    assert result.settings_used["classification"]["classifier_path"] == str(named)


def killed_amid_a_run(runs: Runs) -> None:
    """Let a process run Suite2p, and kill both after the first tif."""
    runs.stand_in.order("kill all", "reading tifs")
    process = multiprocessing.get_context("spawn").Process(target=run, args=(runs.request,))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL


def test_a_run_that_was_killed_with_its_worker_is_begun_anew(runs: Runs):
    killed_amid_a_run(runs)
    (left,) = runs.request.scratch.iterdir()
    half = np.fromfile(left / "output" / "suite2p" / "plane0" / "data.bin", np.int16)
    assert half.size == 12 * 12 * 16, "one tif of two was read"
    runs.assert_place_is_untouched()

    runs.assert_it_succeeds_now()


def test_a_half_read_movie_would_be_taken_for_whole_if_it_were_there(runs: Runs, tmp_path):
    """The trap that the test above is about: Suite2p goes on with a binary that it finds."""
    killed_amid_a_run(runs)
    (left,) = runs.request.scratch.iterdir()
    (tmp_path / "again").mkdir()
    runs.stand_in.order()
    db = {"nplanes": 1, "nchannels": 1, "ignore_flyback": None, "file_list": [str(tif) for tif in runs.tifs]}
    db |= {"data_path": [str(tmp_path / "again")]}
    job = {
        "db": {**db, "save_path0": str(left / "output"), "save_folder": "suite2p"},
        "settings": default_settings(),
        "sources": [
            describe_source(tif, tif.num_pages, tmp_path / str(number))
            for number, tif in enumerate(runs.request.tifs)
        ],
        "originals": [],
        "num_pages": 26,
        "planes": [0],
        "threads": 1,
        "log_file": str(tmp_path / "again" / "run.log"),
    }

    run_child(job, tmp_path / "again")

    assert traces(left / "output").shape == (5, 12)


def test_a_list_of_bad_frames_that_lies_beside_the_tifs_is_not_heeded(runs: Runs):
    np.save(runs.tifs[0].parent / "bad_frames.npy", np.array([3, 4]))

    (plane,) = read_output(runs.run().target / "suite2p").planes

    assert not read_motion(plane).bad_frames.any()


def test_frames_that_are_to_be_left_out_are_told_to_suite2p_by_their_place_in_the_run(tmp_path, monkeypatch):
    stand_in = stand_in_suite2p(tmp_path / "packages", monkeypatch)
    runs = write_runs(tmp_path, stand_in, pages=(25, 24), settings=ScanImageSettings(20.0, num_planes=2))
    request = replace(runs.request, bad_frames=(3, 12, 14))

    # The volume of number 12 is not whole, and so not in the run.
    result = run(request)

    assert result.bad_frames == (3, 13)
    for plane in read_output(*find_outputs(result.target)).planes:
        assert np.flatnonzero(read_motion(plane).bad_frames).tolist() == [3, 13]
    assert run(request) == replace(result, adopted=True)
    assert not run(runs.request).adopted


def test_planes_do_not_swap_where_an_acquisition_ends_amid_a_volume(tmp_path, monkeypatch):
    stand_in = stand_in_suite2p(tmp_path / "packages", monkeypatch)
    runs = write_runs(tmp_path, stand_in, pages=(25, 24), settings=ScanImageSettings(20.0, num_planes=2))

    result = runs.run()

    (root,) = find_outputs(result.target)
    output = read_output(root)
    assert result.trimmed == (Trim(runs.tifs[0].name, 1),)
    assert output.file_list == tuple(tif.name for tif in runs.tifs)
    for plane in output.planes:
        pages = [page for tif in runs.request.tifs for page in iter_pages(tif, range(plane.plane, 24, 2))]
        assert plane.frames_per_file == (12, 12)
        np.testing.assert_array_equal(read_traces(plane).fluo, mean_rows(pages))


def test_copies_of_other_machines_are_removed_when_nobody_has_written_to_them_for_long(runs: Runs):
    place = runs.request.target.parent
    names = {
        "of another machine": ".small.partial-0011aabb",
        "of another machine, long ago": ".small.partial-2233ccdd",
        "of another option set": ".large.partial-4455eeff",
    }
    for name in names.values():
        (place / name / "suite2p").mkdir(parents=True)
        (place / name / "suite2p" / "F.npy").write_bytes(b"half")
    old = place / names["of another machine, long ago"]
    for path in (*old.rglob("*"), old):
        os.utime(path, (1e9, 1e9))

    runs.run()

    left = {path.name for path in place.iterdir() if path.name.startswith(".")}
    assert left == {names["of another machine"], names["of another option set"]}


@pytest.fixture
def retained(tmp_path, monkeypatch) -> Runs:
    """Return runs of which one is finished and was not copied, because its recording's folder was away."""
    runs = write_runs(tmp_path, stand_in_suite2p(tmp_path / "packages", monkeypatch))
    away = runs.share.with_name("away")

    def unmount(step):
        if step.step == "copying the output" and runs.share.exists():
            runs.share.rename(away)

    runs.failed(unmount)
    away.rename(runs.share)
    return runs


def retained_folders(runs: Runs) -> list[str]:
    return [path.name for path in runs.request.scratch.iterdir() if path.is_dir()]


def test_a_retained_run_is_without_its_movie(retained: Runs):
    assert [name.rpartition("-")[0] for name in retained_folders(retained)] == ["suite2p-finished"]
    assert list(retained.request.scratch.rglob("*.bin")) == []


def test_a_retained_run_is_not_taken_for_one_with_other_options(retained: Runs):
    other = replace(
        retained, request=replace(retained.request, settings={**retained.request.settings, "tau": 0.7})
    )

    assert other.run().settings_used["tau"] == 0.7


def test_a_retained_run_is_not_taken_for_one_of_other_tifs(retained: Runs):
    path = retained.tifs[1]
    write_tif(path, settings=SETTINGS, pages=np.random.default_rng(9).integers(0, 99, (15, 12, 16), np.int16))
    other = replace(
        retained, request=replace(retained.request, tifs=(retained.request.tifs[0], read_tif(path)))
    )

    result = other.run()

    assert result.num_frames == 27
    np.testing.assert_array_equal(traces(result.target), expected_traces(other.request))


def test_a_retained_run_that_is_no_longer_whole_is_run_anew(retained: Runs):
    (folder,) = retained.request.scratch.glob("suite2p-finished-*")
    path = folder / "suite2p" / "plane0" / "spks.npy"
    path.write_bytes(path.read_bytes()[:-20])

    retained.assert_it_succeeds_now()


def test_a_retained_run_that_nobody_came_back_for_is_removed_after_a_week(retained: Runs):
    (folder,) = retained.request.scratch.glob("suite2p-finished-*")
    long_ago_s = time.time() - 8 * 86400
    os.utime(folder, (long_ago_s, long_ago_s))
    other = replace(
        retained, request=replace(retained.request, settings={**retained.request.settings, "tau": 0.7})
    )

    other.run()

    assert retained_folders(retained) == []


def test_a_retained_run_whose_copy_is_in_place_is_removed(retained: Runs):
    """A process may die when it has copied the run and not removed it yet."""
    (folder,) = retained.request.scratch.glob("suite2p-finished-*")
    shutil.copytree(folder, retained.request.target, dirs_exist_ok=True)

    assert retained.run().adopted

    assert retained_folders(retained) == []


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
    assert any(name.startswith(".small.partial-") for name in left)

    runs.assert_the_finished_run_is_copied_now()
