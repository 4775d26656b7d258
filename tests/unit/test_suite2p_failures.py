"""Suite2p that dies, is killed, finds nothing or gives too little: told in full, with nothing left of it."""

import errno
import shutil

import pytest

from imaging_pipeline.errors import Move, RunError
from tests.makers.stand_in_suite2p import stand_in_suite2p
from tests.makers.suite2p_runs import Runs, assert_told, expected_traces, traces, write_runs


@pytest.fixture
def runs(tmp_path, monkeypatch):
    return write_runs(tmp_path, stand_in_suite2p(tmp_path / "packages", monkeypatch))


def test_a_run_of_the_stand_in_follows_from_the_tifs(runs: Runs):
    result = runs.run()

    assert (result.adopted, result.num_frames, result.num_rois) == (False, 26, 5)
    assert (traces(result.target) == expected_traces(runs.request)).all()
    assert runs.run().adopted


def test_an_error_of_suite2p_is_told_with_its_stage_and_the_end_of_its_log(runs: Runs):
    runs.stand_in.order("raise", "registration", error="ValueError", message="axis 2 is out of bounds")

    error = runs.failed()

    assert isinstance(error, RunError)
    assert "step 'registration'" in error.what
    assert "----------- REGISTRATION" in str(error.found)
    assert "run_s2p" in "".join(error.__notes__)
    assert_told(
        error,
        path=runs.tifs[0],
        found="ValueError: axis 2 is out of bounds",
        remedy="Look at the recording and the option set",
        move=Move.EXPERIMENTER,
    )
    runs.assert_nothing_is_left()
    runs.assert_it_succeeds_now()


def test_suite2p_without_memory_says_what_needs_less(runs: Runs):
    runs.stand_in.order("raise", "roi detection", error="MemoryError", message="Unable to allocate 7 GiB")

    error = runs.failed()

    assert_told(
        error,
        path=runs.tifs[0],
        found="MemoryError: Unable to allocate 7 GiB",
        remedy="a smaller registration.batch_size",
        move=Move.ADMINISTRATOR,
    )
    runs.assert_nothing_is_left()
    runs.assert_it_succeeds_now()


@pytest.mark.parametrize("code", [0, 3])
def test_suite2p_that_exits_without_a_word_is_told_with_its_exit_code(runs: Runs, code):
    runs.stand_in.order("exit", "extraction", code=code)

    error = runs.failed()

    assert "ended without a result in the step 'extraction'" in error.what
    assert_told(
        error,
        path=runs.tifs[0],
        found=f"exit code {code}; it last said",
        remedy="let the job run again",
        move=Move.ADMINISTRATOR,
    )
    runs.assert_nothing_is_left()
    runs.assert_it_succeeds_now()


def test_suite2p_that_is_killed_says_that_memory_is_the_likely_cause(runs: Runs):
    runs.stand_in.order("kill", "registration")

    error = runs.failed()

    assert "was killed in the step 'registration'" in error.what
    assert_told(
        error,
        path=runs.tifs[0],
        found="SIGKILL; it last said",
        remedy="ran out of memory: a smaller registration.batch_size",
        move=Move.ADMINISTRATOR,
    )
    runs.assert_nothing_is_left()
    runs.assert_it_succeeds_now()


def test_a_movie_without_cells_is_a_finished_run(runs: Runs):
    runs.stand_in.order("find nothing")

    result = runs.run()

    assert (result.num_rois, result.num_frames) == (0, 26)
    assert traces(result.target).shape == (0, 26)
    assert list(runs.request.scratch.iterdir()) == []


def test_frames_that_suite2p_did_not_read_are_told_with_both_numbers(runs: Runs):
    runs.stand_in.order("read too little", pages=4)

    error = runs.failed()

    assert error.allowed == "26 frames"
    assert_told(
        error,
        path=runs.tifs[0],
        found="22 frames",
        remedy="Look whether one of the tifs is damaged",
        move=Move.EXPERIMENTER,
    )
    runs.assert_nothing_is_left()
    runs.assert_it_succeeds_now()


@pytest.mark.parametrize(
    ("lost", "found"),
    [
        (["F.npy"], "plane0/F.npy"),
        (["stat.npy"], "plane0/stat.npy"),
        (["db.npy", "ops.npy"], "A Suite2p folder does not say how it was made"),
    ],
)
def test_a_file_that_suite2p_did_not_write_is_named(runs: Runs, lost, found):
    runs.stand_in.order("lose", lost=[f"plane0/{name}" for name in lost])

    error = runs.failed()

    assert "not whole" in error.what
    assert_told(
        error,
        path=runs.tifs[0],
        found=found,
        remedy="Let the job run again",
        move=Move.EXPERIMENTER,
    )
    runs.assert_nothing_is_left()
    runs.assert_it_succeeds_now()


def test_a_disk_that_fails_under_suite2p_is_tried_again(runs: Runs):
    runs.stand_in.order("fail", "reading tifs", number=errno.EIO)

    error = runs.failed()

    assert_told(
        error,
        path=runs.tifs[0],
        found="OSError: [Errno 5]",
        remedy="Look at the share and the scratch disk",
        move=Move.RETRY,
    )
    runs.assert_nothing_is_left()
    runs.assert_it_succeeds_now()


def test_a_scratch_folder_that_somebody_cleared_is_told(runs: Runs):
    runs.stand_in.order("wait", "registration")

    def clear(step):
        if step.message == "the stand-in waits":
            shutil.rmtree(runs.request.scratch)
            runs.stand_in.order()

    error = runs.failed(clear)

    assert_told(
        error,
        path=runs.tifs[0],
        found="FileNotFoundError",
        remedy="Look at the recording and the option set",
        move=Move.EXPERIMENTER,
    )
    runs.assert_place_is_untouched()
    runs.assert_it_succeeds_now()
