"""Why a session is not done, as the database knows it; `tests/unit/test_explaining.py` has each wording."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from imaging_pipeline import database
from imaging_pipeline.cli import main
from imaging_pipeline.colony.sources.csv_file import CsvFile
from imaging_pipeline.colony.sync import sync
from imaging_pipeline.errors import ParsedMessage, Responsible, format_message
from imaging_pipeline.explaining.explanation import Explanation, Item
from imaging_pipeline.explaining.reasons import Kind, State
from imaging_pipeline.lanes import Need
from imaging_pipeline.living_worker import Lack
from imaging_pipeline.schemas import imaging, suite2p_jobs, tables
from imaging_pipeline.schemas.administer.administration import add_options, add_setup
from imaging_pipeline.schemas.jobs.actions import Action, act
from imaging_pipeline.schemas.jobs.explaining import explain
from imaging_pipeline.schemas.jobs.selection import Selection
from imaging_pipeline.schemas.register.named_sessions import named
from imaging_pipeline.schemas.register.pending_animals import PendingAnimalWarning
from tests.makers.any_row import filled, insert
from tests.makers.config_file import write_config
from tests.makers.folders import OPEN_FIELD, WHEEL, Timeseries, write_folder, write_suite2p
from tests.makers.lab import Lab, register
from tests.makers.living import add_worker
from tests.makers.other_connection import other_connection
from tests.makers.outputs import suite2p_output
from tests.makers.suite2p_output import Suite2pSpec
from tests.makers.worker import worked

NOT_MOUNTED = Lack(Need.REPOSITORY, "moser", "The repository moser is not mounted", "Mount it.")
ALL = "ingest,imported,suite2p,computed"


@pytest.fixture
def folder(lab: Lab) -> Path:
    """Return a folder of a session, with an output of the option set that is asked for."""
    add_options(tables.default_tables(), "fast", {})
    return write_folder(lab.share / "90218" / "day1", WHEEL)


def explained(wanted: str = WHEEL.name, table: str | None = None) -> Explanation:
    (explanation,) = explain(tables.default_tables(), wanted, table=table)
    return explanation


def the(table: str, wanted: str = WHEEL.name) -> Item:
    """Return the only item of a table."""
    step = next(step for step in explained(wanted, table).steps if step.short_table == table)
    (item,) = step.items
    return item


def kinds(item: Item) -> list[Kind]:
    return [reason.kind for reason in item.reasons]


def test_a_request_waits_for_a_worker_that_has_the_repository(lab: Lab, folder: Path) -> None:
    imaging.BaseFolder.add(**lab.request(folder, combined=False))
    place = lab.windows_path(folder)
    assert [step.short_table for step in explained(place).steps] == ["MakeDatasetSessions"]
    assert kinds(the("MakeDatasetSessions", place)) == [Kind.NO_WORKER]
    add_worker(imaging.Worker, "gpu-1", "suite2p")
    add_worker(imaging.Worker, "old-1", "ingest", silent_for_s=300)
    assert kinds(the("MakeDatasetSessions", place)) == [Kind.NO_WORKER]
    add_worker(imaging.Worker, "vm7-1", "ingest,imported", lacks=(NOT_MOUNTED,))
    (reason,) = the("MakeDatasetSessions", place).reasons
    assert (reason.kind, reason.remedy, reason.responsible) == (
        Kind.UNABLE,
        "Mount it.",
        Responsible.ADMINISTRATOR,
    )
    elsewhere = Lack(Need.REPOSITORY, "other", "The repository other is not mounted", "Mount it.")
    add_worker(imaging.Worker, "vm8-1", "ingest", lacks=(elsewhere,))
    item = the("MakeDatasetSessions", place)
    assert (item.state, kinds(item)) == (State.PENDING, [Kind.WAITS_FOR_WORKER])
    assert item.reasons[0].what == "vm8-1 can make it."


def test_a_job_that_all_workers_were_told_to_leave_to_others_says_so(lab: Lab, folder: Path) -> None:
    imaging.BaseFolder.add(**lab.request(folder, combined=False))
    place = lab.windows_path(folder)
    add_worker(imaging.Worker, "mine-1", "ingest", worker_restriction="animal_name='none'")
    add_worker(imaging.Worker, "urgent-1", "ingest", priority=2)
    own, urgent = the("MakeDatasetSessions", place).reasons
    assert own.what == "mine-1 on mine-1 cannot make it: it does only jobs where animal_name='none'."
    assert urgent.what == (
        "urgent-1 on urgent-1 cannot make it: it does only jobs of priority 2 or more urgent, and this one"
        " has 5."
    )
    wanted = Selection(named=named(tables.default_tables(), place))
    act(tables.default_tables(), Action.PRIORITISE, wanted, priority=2, username="anna")
    assert [reason.what for reason in the("MakeDatasetSessions", place).reasons] == ["urgent-1 can make it."]


def test_a_request_for_an_animal_that_is_not_here_waits_for_it(
    lab: Lab, folder: Path, tmp_path: Path
) -> None:
    colony = tmp_path / "colony.csv"
    colony.write_text("animal_id,animal_name\na0f1,90218\n")
    sync(tables.default_tables(), CsvFile(colony, datasource_id=0))
    with pytest.warns(PendingAnimalWarning):
        imaging.BaseFolder.add(**{**lab.request(folder, combined=False), "animal": "90317"})
    item = the("MakeDatasetSessions", "90218/day1")
    (reason,) = item.reasons
    assert (item.state, reason.kind, reason.responsible) == (State.NOT_YET, Kind.NO_ANIMAL, Responsible.RETRY)
    assert "90317" in reason.what
    assert explained("90218/day1").facts.animal_name == "90317"


def test_a_setup_without_a_calibration_is_told_by_the_request_s_error(lab: Lab, folder: Path) -> None:
    add_setup(tables.default_tables(), "room 1", date(2024, 6, 1), "2Pminiscope_A")
    imaging.BaseFolder.add(**lab.request(folder, combined=False), setup="room 1")
    worked(imaging.MakeDatasetSessions(), {"basefolder_id": 0})
    item = the("MakeDatasetSessions", "90218/day1")
    (reason,) = item.reasons
    assert (item.state, reason.kind, reason.responsible) == (
        State.ERROR,
        Kind.ERROR,
        Responsible.EXPERIMENTER,
    )
    assert "The setup room 1 has no calibration for the day of the recording" in reason.what
    assert reason.remedy.startswith("Add a calibration of room 1 with a date not after 2024-05-17.")


def test_nothing_runs_where_no_option_set_is_asked_for(lab: Lab, folder: Path) -> None:
    register(lab, folder, combined=False)
    imaging.Tif.populate(reserve_jobs=True)
    item = the("Suite2Py")
    assert (item.state, kinds(item)) == (State.NOT_ASKED, [Kind.NO_OPTION_SET])
    assert item.reasons[0].command.endswith('--type "2Pminiscope_A" --split --options NAME')
    analysis = the("ImagingAnalysis")
    assert (analysis.state, kinds(analysis)) == (State.NOT_YET, [Kind.NO_PARENT])
    assert not explained().is_done


def test_outputs_that_are_not_taken_are_told_with_their_reasons(lab: Lab, folder: Path) -> None:
    register(lab, folder, combined=False)
    name = imaging.MetaSession().fetch1("metasession_name")
    (tif,) = WHEEL.tif_names
    write_suite2p(folder / "more" / "suite2p", Suite2pSpec(file_list=[tif, "other_00001_00001.tif"]))
    write_suite2p(folder / f"combined_{name}" / "fast" / "suite2p", Suite2pSpec(file_list=[tif]))
    unfinished = write_suite2p(
        lab.share / imaging.MetaSession().fetch1("suite2p_folder") / "slow" / "suite2p",
        Suite2pSpec(file_list=[tif]),
    )
    (unfinished / "plane0" / "iscell.npy").unlink()
    register(lab, folder, combined=False)
    reasons = the("ImagingAnalysis").reasons
    assert {reason.kind for reason in reasons} == {Kind.OUTPUT_NOT_TAKEN}
    told = {reason.what.split(": ")[0].rpartition(" ")[2]: reason for reason in reasons}
    assert set(told) == {"superseded", "foreign", "incomplete"}
    assert told["superseded"].remedy == "Let Suite2p run again."
    assert "register the folder so to import it" in told["foreign"].remedy.lower()
    assert told["incomplete"].remedy.startswith("Let Suite2p finish, or copy it anew")


def test_a_session_is_followed_from_its_run_to_its_cells(lab: Lab, folder: Path) -> None:
    register(lab, folder, combined=False, ops_name="fast")
    imaging.Tif.populate(reserve_jobs=True)
    assert kinds(the("Suite2Py")) == [Kind.NO_WORKER]
    assert [reason.what for reason in the("Cell").reasons] == ["It waits for ImagingAnalysis."]
    assert [reason.what for reason in the("ImagingAnalysis").reasons] == ["It waits for Suite2Py."]
    key = imaging.MetaSession.Suite2pyOps().fetch1("KEY")
    insert(suite2p_jobs.Suite2Py, {**filled(suite2p_jobs.Suite2Py), **key})
    suite2p_output(lab, combined=False)
    item = the("ImagingAnalysis")
    assert kinds(item) == [Kind.NO_OUTPUT]
    assert "--register-uncurated" in item.reasons[0].remedy
    imaging.BaseFolder.add(**lab.request(folder, combined=False))
    assert [step.short_table for step, _ in explained().roots()] == ["MakeDatasetSessions"]
    imaging.MakeDatasetSessions.populate()
    assert the("ImagingAnalysis").state is State.PENDING
    for table in database.automatic_tables():
        table.populate(reserve_jobs=True)
    explanation = explained()
    assert explanation.is_done
    assert explanation.text().endswith("All is done.")
    done = next(step for step in explanation.steps if step.short_table == "Cell").items[0]
    assert done.made is not None
    assert done.made.duration_s is not None
    assert done.about == f"{WHEEL.name}, fast/plane0"


def test_jobs_tell_what_they_wait_for_who_has_them_and_who_ignores_them(lab: Lab, folder: Path) -> None:
    register(lab, folder, combined=False)
    jobs = imaging.Tif.jobs
    jobs.refresh(delay=-1)
    key = jobs.fetch1("KEY")
    away = format_message(
        ParsedMessage(
            Responsible.RETRY, "The share is away.", "Nothing at first.", "NotMountedError", attempt=2
        )
    )
    jobs.update1({**key, "scheduled_time": "2999-01-01", "error_message": away})
    item = the("Tif")
    assert (item.state, kinds(item)) == (State.LATER, [Kind.LATER, Kind.NO_WORKER])
    assert item.reasons[0].what == "The share is away. It was tried 2 times."
    reserved = {**key, "status": "reserved", "host": "vm7", "pid": 55, "version": "vm7-1"}
    jobs.update1({**reserved, "reserved_time": "2024-05-17"})
    assert kinds(the("Tif"))[0] is Kind.ORPHAN
    add_worker(imaging.Worker, "vm7-1", "imported", processes={55: "imaging.Tif: reading 3 of 4"})
    (reason,) = the("Tif").reasons
    assert (reason.kind, reason.what.split(".")[0]) == (
        Kind.RUNNING,
        "vm7-1 makes it, process 55 on vm7: imaging",
    )
    jobs.update1({**reserved, "reserved_time": "2024-05-17", "version": "old-1"})
    add_worker(imaging.Worker, "old-1", "imported", processes={55: ""}, silent_for_s=300)
    assert kinds(the("Tif")) == [Kind.SILENT]
    jobs.update1({**key, "status": "error", "completed_time": "2024-05-17", "error_message": "OSError: no"})
    (reason,) = the("Tif").reasons
    assert (reason.kind, reason.responsible) == (Kind.ERROR, Responsible.DEVELOPER)
    wanted = Selection(named=named(tables.default_tables(), WHEEL.name))
    act(tables.default_tables(), Action.IGNORE, wanted, username="anna", reason="the laser was off")
    (reason,) = the("Tif").reasons
    assert reason.kind is Kind.IGNORED
    assert reason.what.startswith("anna let it be ignored, 20")
    assert reason.what.endswith(" (the laser was off).")


def test_all_sessions_of_a_folder_are_explained_with_as_many_questions_as_one(
    lab: Lab, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0
    query = type(lab.connection).query

    def counting(connection: Any, *args: Any, **more: Any) -> Any:
        nonlocal asked
        asked += 1
        return query(connection, *args, **more)

    register(lab, write_folder(lab.share / "90218" / "day2", OPEN_FIELD), combined=False)
    register(lab, folder, combined=False)
    explain(tables.default_tables(), "90218/day1")
    monkeypatch.setattr(type(lab.connection), "query", counting)
    explain(tables.default_tables(), "90218/day1")
    of_one, asked = asked, 0
    write_folder(folder, *(_moved(number) for number in range(1, 4)))
    monkeypatch.undo()
    register(lab, folder, combined=False)
    monkeypatch.setattr(type(lab.connection), "query", counting)
    assert len(explain(tables.default_tables(), "90218/day1")) == 4
    assert asked <= of_one + 3


def _moved(number: int) -> Timeseries:
    return replace(WHEEL, name=f"90218-wheel{number}", start=WHEEL.start + timedelta(hours=number))


def test_a_notebook_shows_it_as_text(lab: Lab, folder: Path) -> None:
    register(lab, folder, combined=False, ops_name="fast")
    shown = imaging.Session.explain(WHEEL.name, "Suite2Py")
    assert repr(shown) == str(shown) == explained(table="Suite2Py").text()
    assert "Cell" not in repr(shown)


def test_another_connection_explains_the_same(lab: Lab, folder: Path) -> None:
    register(lab, folder, combined=False, ops_name="fast")
    with other_connection(lab) as other:
        (explanation,) = explain(other, WHEEL.name)
    assert explanation == explained()


def test_the_command_tells_it_in_80_columns_and_refuses_what_is_not_known(
    lab: Lab, folder: Path, tmp_path: Path
) -> None:
    config = write_config(lab.config, tmp_path / "dj_local_conf.json")

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["--config", str(config), "explain", *arguments])

    register(lab, folder, combined=False, ops_name="fast")
    told = run(WHEEL.name)
    assert told.exit_code == 0, told.output
    assert told.stdout == f"{explained().text()}\n"
    assert "Suite2Py             pending, no worker has met it yet" in told.stdout
    of_table = run("90218/day1", "suite2py").stdout
    assert "Suite2Py" in of_table
    assert "Cell" not in of_table
    assert "Did you mean Cell?" in run(WHEEL.name, "Sell").stderr
    assert WHEEL.name in run("90218-whel").stderr
