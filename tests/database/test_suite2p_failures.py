"""What a run of Suite2p that fails leaves: the error of its job in the database, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from imaging_pipeline.schemas import imaging, suite2p_jobs, tables
from imaging_pipeline.schemas.administer.administration import add_options
from tests.makers.folders import aged
from tests.makers.lab import Lab, register
from tests.makers.recordings import OPEN_FIELD, write_recording
from tests.makers.scanimage import truncate
from tests.makers.stand_in_suite2p import StandIn, stand_in_suite2p
from tests.makers.suite2p_runs import RIGID
from tests.makers.worker import worked

OPS_NAME = "small"


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    return stand_in_suite2p(tmp_path / "packages", monkeypatch)


@pytest.fixture
def folder(lab: Lab, stand_in: StandIn) -> Path:
    """Return a registered recording that is to be run, where an older output lies."""
    folder = lab.share / "day1"
    write_recording(folder, OPEN_FIELD)
    add_options(tables.default_tables(), OPS_NAME, RIGID)
    register_again(lab, folder)
    older = place(lab)
    older.mkdir(parents=True)
    (older / "by_hand.txt").write_text("an older output")
    return folder


def register_again(lab: Lab, folder: Path) -> None:
    register(lab, folder, combined=True, ops_name=OPS_NAME)


def place(lab: Lab) -> Path:
    return lab.share / imaging.MetaSession().fetch1("suite2p_folder") / OPS_NAME


def populate() -> None:
    suite2p_jobs.Suite2Py.populate(reserve_jobs=True, suppress_errors=True)


def assert_only_its_job_tells_of_it(lab: Lab, *told: str) -> None:
    job = suite2p_jobs.Suite2Py.jobs.fetch1()
    assert job["status"] == "error"
    for words in told:
        assert words in job["error_message"]
    assert len(suite2p_jobs.Suite2Py()) == 0
    assert [path.name for path in place(lab).parent.iterdir()] == [OPS_NAME]
    assert (place(lab) / "by_hand.txt").read_text() == "an older output"
    assert not lab.config.scratch.exists() or list(lab.config.scratch.iterdir()) == []


def assert_it_succeeds_when_it_is_registered_again(lab: Lab, folder: Path, stand_in: StandIn) -> None:
    stand_in.order()
    register_again(lab, folder)
    populate()
    assert suite2p_jobs.Suite2Py().fetch1("run_num_frames", "run_num_rois") == (21, 5)
    assert len(suite2p_jobs.Suite2Py.jobs & "status = 'error'") == 0
    assert len(list(place(lab).parent.glob(f"{OPS_NAME}.superseded-*"))) == 1


def test_a_run_that_is_killed_leaves_its_error_and_runs_when_registered_again(
    lab: Lab, folder: Path, stand_in: StandIn
) -> None:
    stand_in.order("kill", "registration")

    populate()

    first = OPEN_FIELD.tif_names[0]
    assert_only_its_job_tells_of_it(
        lab, first, "SIGKILL", "ran out of memory", "batch_size", "administrator's move"
    )
    assert_it_succeeds_when_it_is_registered_again(lab, folder, stand_in)


def test_a_run_that_is_killed_is_tried_by_workers_until_the_third_time(
    lab: Lab, folder: Path, stand_in: StandIn
) -> None:
    stand_in.order("kill", "registration")
    key = suite2p_jobs.Suite2Py().key_source.fetch1("KEY")

    states = [worked(suite2p_jobs.Suite2Py(), key)["status"] for _ in range(3)]

    assert states == ["pending", "pending", "error"]
    assert_only_its_job_tells_of_it(lab, "SIGKILL", "3 of its processes died in a row", "batch_size")
    assert_it_succeeds_when_it_is_registered_again(lab, folder, stand_in)


def test_a_run_that_is_killed_once_is_made_without_anybody_touching_it(
    lab: Lab, folder: Path, stand_in: StandIn
) -> None:
    key = suite2p_jobs.Suite2Py().key_source.fetch1("KEY")
    stand_in.order("kill", "registration")
    worked(suite2p_jobs.Suite2Py(), key)
    stand_in.order()

    assert worked(suite2p_jobs.Suite2Py(), key)["status"] == "success"

    assert suite2p_jobs.Suite2Py().fetch1("run_num_frames", "run_num_rois") == (21, 5)


def test_a_long_message_of_suite2p_leaves_room_for_what_to_do(
    lab: Lab, folder: Path, stand_in: StandIn
) -> None:
    stand_in.order("raise", "extraction", error="ValueError", message="wrong " * 1000)

    populate()

    assert_only_its_job_tells_of_it(
        lab, "'extraction'", "ValueError: wrong", "Look at the recording", "experimenter's move"
    )
    assert "Traceback" in suite2p_jobs.Suite2Py.jobs.fetch1("error_stack")


def test_a_first_tif_that_is_cut_short_is_refused_before_a_run(
    lab: Lab, folder: Path, stand_in: StandIn
) -> None:
    first = folder / OPEN_FIELD.tif_names[0]
    content = first.read_bytes()
    truncate(first, 100)

    populate()

    assert_only_its_job_tells_of_it(lab, "truncated", first.name, "experimenter's move")
    assert not lab.config.scratch.exists()
    first.write_bytes(content)
    aged(first)
    assert_it_succeeds_when_it_is_registered_again(lab, folder, stand_in)


def test_a_share_that_is_away_is_waited_for(lab: Lab, folder: Path, stand_in: StandIn) -> None:
    folder.rename(lab.share / "away")

    populate()

    message = suite2p_jobs.Suite2Py.jobs.fetch1("error_message")
    for told in (str(folder), "Mount the share again", "It is tried again by itself"):
        assert told in message
    assert list(lab.share.iterdir()) == [lab.share / "away"]
    (lab.share / "away").rename(folder)
    assert_it_succeeds_when_it_is_registered_again(lab, folder, stand_in)
