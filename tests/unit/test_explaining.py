"""From what is known of a session to why it is not done."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from imaging_pipeline.errors import ParsedMessage, Responsible
from imaging_pipeline.explaining.explain import explain
from imaging_pipeline.explaining.facts import (
    Candidate,
    Facts,
    OutputFacts,
    RequestFacts,
    SessionNames,
    StoredRow,
    TableFacts,
)
from imaging_pipeline.explaining.job import Ignored, Job
from imaging_pipeline.explaining.missing import table_states
from imaging_pipeline.explaining.reasons import Item
from imaging_pipeline.explaining.states import JobState
from imaging_pipeline.living_worker import JobProcess, LivingWorker
from tests.makers.reasons import Kind, kind

REQUESTS, TIF, SUITE2P = "imaging.MakeDatasetSessions", "imaging.Tif", "suite2p_jobs.Suite2Py"
ANALYSIS, CELL = "imaging.ImagingAnalysis", "imaging.Cell"
NOON = datetime(2024, 5, 17, 12)
MADE = (StoredRow("", NOON, 2.0),)
LANES = {REQUESTS: "ingest", SUITE2P: "suite2p"}
NEEDS = {REQUESTS: (), ANALYSIS: (TIF, SUITE2P), CELL: (ANALYSIS,)}
ADD = 'imaging-pipeline add "N:\\moser\\day1" --user anna --animal 90218 --type "2Pminiscope_A" --split'


def facts(**tables: TableFacts) -> Facts:
    """Return the facts of a session that is registered and imported, without anything else."""
    names = {"requests": REQUESTS, "tif": TIF, "suite2p": SUITE2P, "analysis": ANALYSIS, "cell": CELL}
    given = {names[name]: table for name, table in tables.items()}
    return Facts(
        session=SessionNames("0123456789abcdef", "0123456789abcdef", "90218-wheel", NOON),
        folder="day1",
        repository_name="moser",
        animal_name="90218",
        experiment_type="2Pminiscope_A",
        combined=False,
        requests=(RequestFacts(4, "N:\\moser\\day1", "anna", NOON, False),),
        tables=tuple(
            given.get(name, table(name, rows=MADE if name in (REQUESTS, TIF) else ()))
            for name in names.values()
        ),
    )


def table(name: str, **columns: object) -> TableFacts:
    values = {"lane": LANES.get(name, "imported"), "needs": NEEDS.get(name, (REQUESTS,)), **columns}
    return TableFacts(name, **values)  # type: ignore[arg-type]


def job(name: str, status: JobState, **columns: object) -> Job:
    key = {"basefolder_id": 4} if name == REQUESTS else {"metasession_name": "0123456789abcdef"}
    values = {"since_s": 120.0, "due_s": 30.0, "host": "vm7", "pid": 55, **columns}
    return Job(name, LANES.get(name, "imported"), key, "90218-wheel", status, 5, **values)  # type: ignore[arg-type]


def worker(name: str = "vm7-1", lanes: tuple[str, ...] = ("imported",), **columns: object) -> LivingWorker:
    values = {
        "name": name,
        "host": "vm7",
        "pid": 1,
        "version": "1",
        "lanes": lanes,
        "started": NOON,
        "heartbeat_age_s": 3.0,
        "silent_after_s": 30.0,
        "restriction": "",
        "processes": (JobProcess(55, "imaging.Tif: reading 3 of 4"),),
        "lacks": (),
        "scratch_bytes": None,
        "memory_bytes": None,
        **columns,
    }
    return LivingWorker(**values)  # type: ignore[arg-type]


def the(kind_of: Facts, name: str) -> Item:
    """Return the first item of a table."""
    step = next(step for step in explain(kind_of, name).steps if step.table == name)
    return step.items[0]


def test_only_the_table_that_is_asked_for_and_what_it_needs_is_told() -> None:
    steps = [step.short_table for step in explain(facts(), SUITE2P).steps]
    assert steps == ["MakeDatasetSessions", "Suite2Py"]


def test_a_job_that_a_worker_can_do_waits_for_it() -> None:
    able = Candidate(worker())
    other = Candidate(worker("vm8-1"), "it has 1.0 GB free of 50.0 GB", "Make room.")
    pending = table(TIF, jobs=(job(TIF, JobState.PENDING),), candidates=(able, other))
    (reason,) = the(facts(tif=pending), TIF).reasons
    assert kind(reason) is Kind.WAITS_FOR_WORKER
    assert reason.what == "vm7-1 (now at imaging.Tif: reading 3 of 4) can make it."


def test_a_job_that_no_worker_can_do_is_told_with_each_and_what_to_do() -> None:
    pending = table(
        TIF,
        jobs=(job(TIF, JobState.PENDING),),
        candidates=(
            Candidate(worker(), "the repository moser is not mounted", "Mount it."),
            Candidate(worker("gpu-1", ("suite2p",)), "it works on suite2p only"),
        ),
    )
    (reason,) = the(facts(tif=pending), TIF).reasons
    assert (kind(reason), reason.responsible, reason.remedy) == (
        Kind.UNABLE,
        Responsible.ADMINISTRATOR,
        "Mount it.",
    )
    assert reason.what == "vm7-1 on vm7 cannot make it: the repository moser is not mounted."


def test_workers_that_cannot_make_a_job_for_one_reason_are_told_together() -> None:
    reason = ("the repository moser is not mounted", "Mount it.")
    pending = table(
        TIF,
        jobs=(job(TIF, JobState.PENDING),),
        candidates=(
            Candidate(worker("vm7-1"), *reason),
            Candidate(worker("vm7-2"), "it does only jobs where username='bob'", "Start another."),
            Candidate(worker("vm8-1", host="vm8"), *reason),
        ),
    )
    assert [each.what for each in the(facts(tif=pending), TIF).reasons] == [
        "vm7-1 on vm7 and vm8-1 on vm8 cannot make it: the repository moser is not mounted.",
        "vm7-2 on vm7 cannot make it: it does only jobs where username='bob'.",
    ]


@pytest.mark.parametrize(
    ("candidates", "what"),
    [
        ((), "No worker of the lane imported runs."),
        (
            (Candidate(worker("gpu-1", ("suite2p", "ingest")), "it works on suite2p, ingest only"),),
            "No worker of the lane imported runs, only of ingest, suite2p.",
        ),
    ],
)
def test_a_lane_that_nobody_works_on_is_told_with_the_command_that_starts_a_worker(
    candidates: tuple[Candidate, ...], what: str
) -> None:
    pending = table(TIF, jobs=(job(TIF, JobState.PENDING),), candidates=candidates)
    (reason,) = the(facts(tif=pending), TIF).reasons
    assert (kind(reason), reason.what) == (Kind.NO_WORKER, what)
    assert reason.command == "python -m batch_populate imported --loop"


def test_a_job_that_waits_tells_for_what_how_often_it_was_tried_and_who_could_do_it() -> None:
    message = ParsedMessage(
        Responsible.RETRY, "The share is away.", "Nothing at first.", "NotMountedError", attempt=3
    )
    later = table(TIF, jobs=(job(TIF, JobState.LATER, message=message),))
    item = the(facts(tif=later), TIF)
    assert (item.state, [kind(reason) for reason in item.reasons]) == (
        JobState.LATER,
        [Kind.LATER, Kind.NO_WORKER],
    )
    assert item.reasons[0].what == "The share is away. It was tried 3 times."
    assert "Tif                  later, in 30 s" in explain(facts(tif=later)).text()


def test_a_job_that_a_machine_gave_back_tells_why_and_who_else_can_do_it() -> None:
    message = ParsedMessage(Responsible.ADMINISTRATOR, "Cellpose's weights are not here.", "Copy them.")
    given_back = table(
        TIF, jobs=(job(TIF, JobState.PENDING, message=message),), candidates=(Candidate(worker()),)
    )
    reasons = the(facts(tif=given_back), TIF).reasons
    assert [kind(reason) for reason in reasons] == [Kind.GIVEN_BACK, Kind.WAITS_FOR_WORKER]


@pytest.mark.parametrize(
    ("who", "expected", "sentence"),
    [
        (worker(), Kind.RUNNING, "vm7-1 makes it, process 55 on vm7: imaging.Tif: reading 3 of 4."),
        (worker(heartbeat_age_s=95.0), Kind.SILENT, "has given no sign of life for 1 min 35 s"),
        (None, Kind.ORPHAN, "process 55 on vm7, which belongs to no known worker"),
    ],
)
def test_a_running_job_tells_who_has_it_and_whether_they_live(
    who: LivingWorker | None, expected: Kind, sentence: str
) -> None:
    running = table(TIF, jobs=(job(TIF, JobState.RUNNING, worker=who),), candidates=(Candidate(worker()),))
    item = the(facts(tif=running), TIF)
    (reason,) = item.reasons
    assert (item.state, kind(reason)) == (JobState.RUNNING, expected)
    assert sentence in reason.what


@pytest.mark.parametrize(
    ("responsible", "ends_in", "command"),
    [
        (Responsible.EXPERIMENTER, "Then register the folder again:", ADD),
        (
            Responsible.ADMINISTRATOR,
            "Then have it tried again:",
            "imaging-pipeline jobs retry --table Tif --session 0123456789abcdef",
        ),
    ],
)
def test_an_error_tells_whose_move_it_is_what_to_do_and_how_it_is_tried_again(
    responsible: Responsible, ends_in: str, command: str
) -> None:
    message = ParsedMessage(responsible, "The stack is damaged.", "Copy it again.", "FormatError")
    (reason,) = the(facts(tif=table(TIF, jobs=(job(TIF, JobState.ERROR, message=message),))), TIF).reasons
    assert (kind(reason), reason.responsible, reason.command) == (Kind.ERROR, responsible, command)
    assert reason.what == "FormatError: The stack is damaged."
    assert reason.remedy == f"Copy it again. {ends_in}"


def test_a_folder_is_registered_again_with_all_that_was_said_of_it() -> None:
    """What a request failed of is not in the database: another one without it would leave it out."""
    said = RequestFacts(
        5, "N:\\moser\\day1", "anna", NOON, True, None, "room 1", "scope2", "mouse", "open field"
    )
    error = job(
        REQUESTS,
        JobState.ERROR,
        message=ParsedMessage(Responsible.EXPERIMENTER, "It is none.", "Copy it again."),
    )
    failed = replace(facts(requests=table(REQUESTS, jobs=(error,))), session=None, requests=(said,))
    assert the(failed, REQUESTS).reasons[0].command == (
        f'{ADD} --setup "room 1" --scope scope2 --options mouse --session-type "open field"'
        " --register-uncurated"
    )


def test_a_request_s_error_is_tried_again_by_its_number() -> None:
    message = ParsedMessage(Responsible.DEVELOPER, "KeyError: 'x'", "Report it.")
    failed = table(REQUESTS, jobs=(job(REQUESTS, JobState.ERROR, message=message),))
    (reason,) = the(facts(requests=failed), REQUESTS).reasons
    assert reason.command == "imaging-pipeline jobs retry --table MakeDatasetSessions basefolder_id=4"


def test_an_ignored_job_tells_who_let_it_be_ignored_when_and_why() -> None:
    ignored = job(TIF, JobState.IGNORED, ignored=Ignored("anna", NOON, "the laser was off"))
    item = the(facts(tif=table(TIF, jobs=(ignored,))), TIF)
    assert item.state is JobState.IGNORED
    assert item.reasons[0].what == "anna ignored it, 2024-05-17 12:00 (the laser was off)."


def test_no_option_set_is_told_with_the_command_that_asks_for_one() -> None:
    item = the(facts(), SUITE2P)
    assert (item.state, kind(item.reasons[0])) == (JobState.NOT_REQUESTED, Kind.NO_OPTION_SET)
    assert item.reasons[0].command == f"{ADD} --options NAME"


def test_no_run_is_missed_where_an_output_is_there() -> None:
    known = replace(facts(), outputs=(OutputFacts("day1/suite2p", "finished", "of these tifs"),))
    assert "Suite2Py" not in [step.short_table for step in explain(known).steps]
    imported = facts(
        analysis=table(ANALYSIS, rows=MADE), cell=table(CELL, rows=MADE), tif=table(TIF, rows=MADE)
    )
    assert explain(imported).is_done
    assert explain(imported).text().endswith("All is done.")


def test_an_output_waits_for_the_tifs_that_it_is_checked_against() -> None:
    pending = table(TIF, jobs=(job(TIF, JobState.PENDING),))
    seen = OutputFacts("day1/suite2p", "finished", "of these tifs")
    item = the(replace(facts(tif=pending), outputs=(seen,)), ANALYSIS)
    assert [reason.what for reason in item.reasons] == ["It waits for Tif."]


@pytest.mark.parametrize("verdict", ["superseded", "foreign", "incomplete"])
def test_an_output_that_is_not_taken_is_told_with_the_reason_and_what_to_do(verdict: str) -> None:
    seen = OutputFacts("day1/suite2p", verdict, "made without a.tif; let Suite2p run again")
    (reason,) = the(replace(facts(), outputs=(seen,)), ANALYSIS).reasons
    assert kind(reason) is Kind.OUTPUT_NOT_TAKEN
    assert reason.what == f"The output day1/suite2p is {verdict}: made without a.tif."
    assert reason.remedy == "Let Suite2p run again."


def test_an_output_that_was_not_registered_since_it_was_made_is_told() -> None:
    (reason,) = the(facts(suite2p=table(SUITE2P, rows=MADE)), ANALYSIS).reasons
    assert (kind(reason), reason.command) == (Kind.NO_OUTPUT, ADD)
    assert "--register-uncurated" in reason.remedy


def test_an_output_waits_for_a_request_that_is_to_be_carried_out() -> None:
    waiting = table(REQUESTS, rows=MADE, jobs=(job(REQUESTS, JobState.PENDING),))
    explanation = explain(facts(requests=waiting, suite2p=table(SUITE2P, rows=MADE)), ANALYSIS)
    assert explanation.steps[-1].items[0].reasons[0].what == "It waits for MakeDatasetSessions."
    assert {step.table for step, _ in explanation.roots()} == {REQUESTS}


def test_what_is_made_from_something_that_is_not_there_waits_for_it() -> None:
    item = the(facts(), CELL)
    assert (item.state, kind(item.reasons[0])) == (JobState.NOT_YET, Kind.NO_PARENT)
    assert "Cell                 not yet: it waits for ImagingAnalysis" in explain(facts()).text()


def test_a_table_that_does_not_apply_is_left_out_unless_it_is_asked_for() -> None:
    known = facts(tif=table(TIF))
    assert TIF not in [step.table for step in explain(known).steps]
    item = the(known, TIF)
    assert (item.state, kind(item.reasons[0])) == (JobState.DOES_NOT_APPLY, Kind.NOT_TAKEN)


def test_a_request_whose_sessions_are_gone_is_told() -> None:
    explanation = explain(replace(facts(), session=None))
    ((step, item),) = explanation.roots()
    assert (step.table, kind(item.reasons[0])) == (REQUESTS, Kind.NO_SESSION)
    assert item.reasons[0].command == 'imaging-pipeline report "N:\\moser\\day1"'


def test_several_rows_of_a_table_are_counted_and_the_worst_is_told() -> None:
    message = ParsedMessage(Responsible.EXPERIMENTER, "It is damaged.", "Copy it.")
    planes = (job(CELL, JobState.ERROR, message=message), job(CELL, JobState.PENDING))
    text = explain(facts(cell=table(CELL, jobs=planes, rows=MADE))).text()
    assert "Cell                 error 1 of 3 2 min ago" in text


FOUND = {TIF: JobState.DONE, SUITE2P: None, ANALYSIS: None, CELL: None}


@pytest.mark.parametrize(
    ("found", "has_output", "expected"),
    [
        # No option set and no output: nothing comes by itself.
        ({}, False, "done, does not apply, does not apply, does not apply"),
        ({SUITE2P: JobState.RUNNING}, False, "done, running, not yet, not yet"),
        # Its output is to be registered.
        ({SUITE2P: JobState.DONE}, False, "done, done, not yet, not yet"),
        ({TIF: JobState.ERROR}, True, "error, does not apply, not yet, not yet"),
        ({ANALYSIS: JobState.PENDING}, True, "done, does not apply, pending, not yet"),
        ({ANALYSIS: JobState.DONE, CELL: JobState.DONE}, True, "done, does not apply, done, done"),
        ({TIF: None}, False, "does not apply, does not apply, does not apply, does not apply"),
    ],
)
def test_what_comes_later_is_told_from_what_never_comes(
    found: dict[str, JobState | None], has_output: bool, expected: str
) -> None:
    states = table_states(
        FOUND | found, NEEDS | {TIF: (REQUESTS,), SUITE2P: (REQUESTS,)}, has_output=has_output
    )
    assert ", ".join(state.words for state in states.values()) == expected


@pytest.mark.parametrize("width", [40, 80])
def test_no_line_is_longer_than_asked_for_but_commands_which_are_to_be_copied(width: int) -> None:
    message = ParsedMessage(
        Responsible.EXPERIMENTER, "The stack is damaged and cannot be read at all.", "Copy it again."
    )
    text = explain(facts(tif=table(TIF, jobs=(job(TIF, JobState.ERROR, message=message),)))).text(width)
    long = [line for line in text.splitlines() if len(line) > width]
    assert {line.split()[0] for line in long} == {"imaging-pipeline"}


@pytest.mark.parametrize("state", [JobState.PENDING, JobState.LATER])
def test_a_run_without_tifs_asks_for_them_and_for_no_worker(state: JobState) -> None:
    pending = table(SUITE2P, jobs=(job(SUITE2P, state),))
    without = replace(facts(suite2p=pending, tif=table(TIF)), tif_advice="export them, and register it again")
    (reason,) = the(without, SUITE2P).reasons
    assert (kind(reason), reason.responsible) == (Kind.NO_TIFS, Responsible.EXPERIMENTER)
    assert (reason.remedy, reason.command) == ("Export them, and register it again:", ADD)
    (waiting,) = the(without, ANALYSIS).reasons
    assert kind(waiting) is Kind.NO_PARENT


def test_no_option_set_helps_without_tifs() -> None:
    without = replace(facts(tif=table(TIF)), tif_advice="export them")
    assert [kind(reason) for reason in the(without, SUITE2P).reasons] == [Kind.NO_TIFS]


def test_a_registered_output_without_tifs_waits_for_a_person_and_not_for_the_table() -> None:
    finished = (OutputFacts("day1/MUnit_0", "finished", "options compared"),)
    without = replace(facts(tif=table(TIF)), outputs=finished)
    assert [kind(reason) for reason in the(without, ANALYSIS).reasons] == [Kind.NO_PARENT]
    without = replace(without, tif_advice="export them")
    assert [kind(reason) for reason in the(without, ANALYSIS).reasons] == [Kind.NO_TIFS]
