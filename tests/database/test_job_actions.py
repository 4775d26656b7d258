"""What a person does with jobs: try again, leave alone, do sooner."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from imaging_pipeline.errors import InputError
from imaging_pipeline.explaining.job import JobStatus
from imaging_pipeline.schemas import imaging, suite2p_jobs, tables
from imaging_pipeline.schemas.jobs.actions import Acted, Action, act, job_hash
from imaging_pipeline.schemas.jobs.selection import Selection
from imaging_pipeline.schemas.register.named_sessions import named
from tests.makers.folders import OPEN_FIELD, WHEEL, write_folder
from tests.makers.lab import Lab, register

Row = dict[str, Any]


@pytest.fixture
def folder(lab: Lab) -> Path:
    """Return a registered folder of two sessions analysed one by one, without jobs yet."""
    folder = write_folder(lab.share / "90218" / "day1", OPEN_FIELD, WHEEL)
    register(lab, folder, combined=False)
    return folder


def key_of(timeseries: str) -> Row:
    """Return the key of a session's tifs."""
    tifs = imaging.Session.Data & (imaging.Dataset & {"datasettype": "tif"})
    key: Row = (tifs & (imaging.Session & {"timeseries_name": timeseries})).fetch1("KEY")
    return key


def enter(timeseries: str, status: str, **columns: Any) -> Row:
    """Enter a job of a session's tifs, and give its key."""
    key = key_of(timeseries)
    imaging.Tif.jobs.insert1({**key, "status": status, "priority": 5, **columns})
    return key


def of_session(timeseries: str, **more: Any) -> Selection:
    return Selection(named=named(tables.default_tables(), timeseries), **more)


def do(action: Action, wanted: Selection, **more: Any) -> Acted:
    return act(tables.default_tables(), action, wanted, **more)


def status_of(key: Mapping[str, object]) -> str:
    return str((imaging.Tif.jobs & key).fetch1("status"))


@pytest.mark.usefixtures("folder")
def test_an_error_is_tried_again_and_what_runs_or_is_done_is_not_touched() -> None:
    failed = enter(OPEN_FIELD.name, "error", error_message="The stack is damaged.")
    running = enter(WHEEL.name, "reserved", host="desk", pid=7)
    acted = do(Action.RETRY, Selection(table="tif"))
    assert [(job.table, job.key, job.status) for job in acted.jobs] == [("imaging.Tif", failed, "error")]
    assert acted.untouched == {JobStatus.RESERVED: 1}
    row = (imaging.Tif.jobs & failed).fetch1()
    assert (row["status"], row["error_message"], row["priority"]) == ("pending", "", 5)
    assert status_of(running) == "reserved"
    imaging.Tif.populate(failed, reserve_jobs=True, refresh=False)
    assert status_of(failed) == "success"
    with pytest.raises(InputError, match="No such job"):
        do(Action.RETRY, Selection(table="Mesc"))
    assert do(Action.RETRY, of_session(OPEN_FIELD.name, table="Tif")) == Acted((), {JobStatus.SUCCESS: 1})


@pytest.mark.usefixtures("folder")
def test_a_job_that_waits_for_later_is_tried_now(lab: Lab) -> None:
    key = enter(WHEEL.name, "pending", scheduled_time="2999-01-01", error_message="The share is away.")
    assert [job.status for job in do(Action.RETRY, of_session(WHEEL.name, table="Tif")).jobs] == ["later"]
    imaging.Tif.populate(key, reserve_jobs=True, refresh=False)
    assert status_of(key) == "success"


@pytest.mark.usefixtures("folder")
def test_jobs_of_a_session_stay_ignored_until_they_are_tried_again(lab: Lab) -> None:
    key, other = key_of(WHEEL.name), key_of(OPEN_FIELD.name)
    acted = do(Action.IGNORE, of_session(WHEEL.name), reason="the laser was off")
    assert [(job.table, job.key, job.status) for job in acted.jobs] == [("imaging.Tif", key, "pending")]
    imaging.Tif.populate(reserve_jobs=True)
    imaging.Tif.jobs.refresh(delay=-1)
    assert imaging.Tif().keys() == [other]
    assert status_of(key) == "ignore"
    do(Action.RETRY, Selection(key={"session_name": str(key["session_name"])}))
    imaging.Tif.populate(reserve_jobs=True)
    assert len(imaging.Tif()) == 2


def test_ignored_jobs_of_a_folder_are_tried_again_when_it_is_registered_again(lab: Lab, folder: Path) -> None:
    do(Action.IGNORE, Selection(table="Tif"))
    register(lab, folder, combined=False)
    imaging.Tif.populate(reserve_jobs=True)
    assert len(imaging.Tif()) == 2


@pytest.mark.usefixtures("folder")
def test_what_is_done_first_is_what_a_person_wants_first() -> None:
    key = key_of(WHEEL.name)
    do(Action.PRIORITISE, of_session(WHEEL.name), priority=-3)
    imaging.Tif.jobs.refresh(delay=-1)
    first, second = imaging.Tif.jobs.to_dicts(order_by="priority")
    assert ({name: first[name] for name in key}, first["priority"], second["priority"]) == (key, -3, 5)
    imaging.Tif.populate(reserve_jobs=True, refresh=False, max_calls=1)
    assert imaging.Tif().keys() == [key]


@pytest.mark.usefixtures("folder")
def test_who_did_what_with_which_job_is_kept_when_the_job_is_no_more(lab: Lab) -> None:
    key = enter(WHEEL.name, "error", error_message="The stack is damaged.")
    do(Action.PRIORITISE, Selection(table="Tif", key={k: str(v) for k, v in key.items()}), priority=0)
    do(Action.IGNORE, of_session(WHEEL.name, table="Tif"), username="anna", reason="the laser was off")
    imaging.Tif.jobs.delete_quick()
    first, second = imaging.JobAction().to_dicts(order_by="jobaction_id")
    account = lab.connection.get_user()
    assert (first["jobaction"], first["jobaction_priority"], first["jobaction_who"]) == (
        "prioritise",
        0,
        account,
    )
    assert (second["jobaction"], second["jobaction_who"], second["jobaction_account"]) == (
        "ignore",
        "anna",
        account,
    )
    assert second["jobaction_reason"] == "the laser was off"
    jobs = (imaging.JobAction.Job & {"acted_hash": job_hash("imaging.Tif", key)}).to_dicts(order_by="KEY")
    assert [(row["acted_table"], row["acted_key"], row["acted_status"]) for row in jobs] == [
        ("imaging.Tif", key, "error")
    ] * 2
    assert [row["acted_priority"] for row in jobs] == [5, 0]


@pytest.mark.usefixtures("folder")
def test_jobs_are_found_by_words_of_their_error_in_any_case() -> None:
    enter(OPEN_FIELD.name, "error", error_message="StoreError: No space left. File: a_100%.tif.")
    enter(WHEEL.name, "error", error_message="FormatError: The stack is damaged.")
    acted = do(Action.RETRY, Selection(error="space storeerror a_100%"))
    assert [job.key for job in acted.jobs] == [key_of(OPEN_FIELD.name)]
    with pytest.raises(InputError, match="No such job"):
        do(Action.RETRY, Selection(error="a_1000"))


def test_a_run_of_suite2p_is_found_by_each_of_its_sessions_and_a_request_by_its_folder(lab: Lab) -> None:
    imaging.Suite2pyOps.insert1(
        {"ops_name": "fast", "ops": {}, "ops_settings": {}, "ops_not_carried": {}, "ops_hash": "0"}
    )
    folder = write_folder(lab.share / "90218" / "day2", OPEN_FIELD, WHEEL)
    request = register(lab, folder, combined=True, ops_name="fast")
    acted = do(Action.IGNORE, of_session(WHEEL.name, table="Suite2Py"))
    (run,) = acted.jobs
    assert run.key == (imaging.MetaSession.Suite2pyOps()).fetch1("KEY")
    assert (suite2p_jobs.Suite2Py.jobs & run.key).fetch1("status") == "ignore"
    imaging.MakeDatasetSessions.jobs.delete_quick()
    imaging.MakeDatasetSessions.jobs.insert1(
        {
            "basefolder_id": imaging.BaseFolder.add(**lab.request(folder, combined=True)),
            "status": "error",
            "priority": 5,
        }
    )
    acted = do(Action.RETRY, of_session("90218/day2", table="MakeDatasetSessions"))
    assert [job.key for job in acted.jobs] == [{"basefolder_id": request + 1}]


@pytest.mark.usefixtures("folder")
def test_what_is_not_known_is_refused_with_what_is() -> None:
    for wanted, told in (
        (Selection(), "Nothing is said of which jobs"),
        (Selection(table="Tiff"), "Did you mean Tif"),
        (Selection(key={"session": "x"}), "session_name"),
        (Selection(key={"basefolder_id": "x"}), "basefolder_id is a number"),
    ):
        with pytest.raises(InputError, match=told):
            do(Action.RETRY, wanted)
    enter(WHEEL.name, "error")
    with pytest.raises(InputError, match="There is no username 'bert'"):
        do(Action.RETRY, Selection(table="Tif"), username="bert")
    assert len(imaging.JobAction()) == 0
