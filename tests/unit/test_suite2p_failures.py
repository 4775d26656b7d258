"""Suite2p that dies, is killed, finds nothing or gives too little: told in full, with nothing left of it."""

import errno
import shutil
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest

from imaging_pipeline.errors import Responsible, RunError
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


@dataclass(frozen=True)
class Failure:
    """What is ordered of the stand-in, and what is told of it."""

    order: tuple[str, ...]
    found: str
    remedy: str
    responsible: Responsible
    details: dict[str, Any] = field(default_factory=dict)
    what: str = ""
    allowed: str = ""


LOOK = "Look at the recording and the option set"
LESS = "a smaller registration.batch_size"
AGAIN = "let the job run again"
FAILURES = {
    "an error is told with the step in which it was raised": Failure(
        ("raise", "registration"),
        "ValueError: axis 2 is out of bounds",
        LOOK,
        Responsible.EXPERIMENTER,
        {"error": "ValueError", "message": "axis 2 is out of bounds"},
        "step 'registration'",
    ),
    "lack of memory is told with what needs less": Failure(
        ("raise", "roi detection"),
        "MemoryError: Unable to allocate 7 GiB",
        LESS,
        Responsible.ADMINISTRATOR,
        {"error": "MemoryError", "message": "Unable to allocate 7 GiB"},
    ),
    **{
        f"an exit with {code} and without a word is told with the code": Failure(
            ("exit", "extraction"),
            f"exit code {code}; it last said",
            AGAIN,
            Responsible.ADMINISTRATOR,
            {"code": code},
            "ended without a result in the step 'extraction'",
        )
        for code in (0, 3)
    },
    "a kill is told with memory as its likely cause": Failure(
        ("kill", "registration"),
        "SIGKILL; it last said",
        f"ran out of memory: {LESS}",
        Responsible.ADMINISTRATOR,
        what="was killed in the step 'registration'",
    ),
    "frames that were not read are told with both numbers": Failure(
        ("read too little",),
        "22 frames",
        "Look whether one of the tifs is damaged",
        Responsible.EXPERIMENTER,
        {"pages": 4},
        allowed="26 frames",
    ),
    **{
        f"a lack of {' and '.join(lost)} is told with what is not there": Failure(
            ("lose",),
            found,
            "Let the job run again",
            Responsible.EXPERIMENTER,
            {"lost": [f"plane0/{name}" for name in lost]},
            "not whole",
        )
        for lost, found in (
            (("F.npy",), "plane0/F.npy"),
            (("stat.npy",), "plane0/stat.npy"),
            (("db.npy", "ops.npy"), "A Suite2p folder does not say how it was made"),
        )
    },
    "a disk that fails is told, and tried again": Failure(
        ("fail", "reading tifs"),
        "OSError: [Errno 5]",
        "Look at the share and the scratch disk",
        Responsible.RETRY,
        {"number": errno.EIO},
    ),
}


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
def test_a_run_that_fails_is_told_and_leaves_nothing(runs: Runs, failure: Failure):
    runs.stand_in.order(*failure.order, **failure.details)

    error = runs.failed()

    assert failure.what in error.what
    assert failure.allowed in str(error.allowed)
    assert_told(
        error, path=runs.tifs[0], found=failure.found, remedy=failure.remedy, responsible=failure.responsible
    )
    runs.assert_nothing_is_left()
    runs.assert_it_succeeds_now()


def test_an_error_keeps_where_in_suite2p_it_was_raised_and_what_was_logged_last(runs: Runs):
    runs.stand_in.order("raise", "registration", error="ValueError", message="axis 2 is out of bounds")

    error = runs.failed()

    assert isinstance(error, RunError)
    assert "----------- REGISTRATION" in str(error.found)
    assert "run_s2p" in "".join(error.__notes__)


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
        responsible=Responsible.EXPERIMENTER,
    )
    runs.assert_place_is_untouched()
    runs.assert_it_succeeds_now()
