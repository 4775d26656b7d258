"""Why a table has nothing of a session, and no job for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from imaging_pipeline.errors import Responsible
from imaging_pipeline.explaining import commands
from imaging_pipeline.explaining.facts import Facts, TableFacts
from imaging_pipeline.explaining.reasons import Item, Reason
from imaging_pipeline.explaining.states import FINAL_STATES, JobState

REQUESTS = "imaging.MakeDatasetSessions"
SUITE2P = "suite2p_jobs.Suite2Py"
ANALYSIS = "imaging.ImagingAnalysis"
TIF = "imaging.Tif"

_FINISHED = "finished"


def table_states(
    states: Mapping[str, JobState | None], needs: Mapping[str, Sequence[str]], *, has_output: bool
) -> dict[str, JobState]:
    """Return how far each table is with a session, also those without rows and jobs.

    Parameters
    ----------
    states
        Table → how far its rows of the session are, the state that a person should see first of several;
        None where there is none and none can be made now.
    needs
        Table → tables whose rows it is made from.
    has_output
        Whether an output of a segmentation program is registered of the session.
    """
    complete: dict[str, JobState] = {}

    def state(table: str) -> JobState:
        if table not in complete:
            stored = states[table]
            complete[table] = missing(table) if stored is None else stored
        return complete[table]

    def missing(table: str) -> JobState:
        if table == ANALYSIS:
            # An imported tif alone brings no output: a person or a run of Suite2p has to make it.
            is_coming = has_output or state(SUITE2P) is not JobState.DOES_NOT_APPLY
        else:
            is_coming = any(state(need) not in FINAL_STATES for need in needs[table] if need in states)
        return JobState.NOT_YET if is_coming else JobState.DOES_NOT_APPLY

    return {table: state(table) for table in states}


def missing_item(facts: Facts, table: TableFacts) -> Item:
    """Return why there is nothing yet."""
    if facts.session is not None and table.table in _RULES:
        return _RULES[table.table](facts)
    by_name = {of_table.table: of_table for of_table in facts.tables}
    empty = next((name for name in table.needs if name in by_name and not by_name[name].rows), None)
    return _nothing(table.table) if empty is None else _waits_for(empty)


def no_session(facts: Facts) -> Reason:
    """Return the reason that a request was carried out, and that none of its sessions is left."""
    return Reason(
        "None of its sessions is left.",
        "See what it did:",
        Responsible.EXPERIMENTER,
        commands.report(facts),
    )


def waiting_requests(facts: Facts) -> Iterator[Item]:
    """Yield the requests that wait for their animal, with what they wait for."""
    for request in facts.requests:
        if request.waiting_reason is not None:
            reason = Reason.of_message(request.waiting_reason)
            yield Item(f"request {request.number}", JobState.NOT_YET, (reason,))


def _no_request(_facts: Facts) -> Item:
    """Return no reason: a session whose requests were deleted is registered all the same."""
    return Item("", JobState.DOES_NOT_APPLY)


def _no_options(facts: Facts) -> Item:
    """Return that no run was requested; none is needed where an output is there."""
    analysis = _table(facts, ANALYSIS)
    if analysis.rows or analysis.jobs or _is_registered(facts):
        return _nothing(SUITE2P)
    if facts.tif_advice:
        return Item("", JobState.NOT_REQUESTED, (no_tifs(facts),))
    reason = Reason(
        "No option set of Suite2p is asked for, so that it does not run by itself.",
        "Run Suite2p yourself and register the folder again, or register it with one of the option sets"
        " that imaging-pipeline options list tells:",
        Responsible.EXPERIMENTER,
        commands.add(facts, ops_name="NAME"),
    )
    return Item("", JobState.NOT_REQUESTED, (reason,))


def _no_output(facts: Facts) -> Item:
    """Return which output there is that is not taken, or what it waits for."""
    if _is_registered(facts):
        return _without_tifs(facts) if not _table(facts, TIF).rows else _nothing(ANALYSIS)
    if _table(facts, REQUESTS).jobs:
        return _waits_for(REQUESTS)
    if _table(facts, SUITE2P).jobs:
        return _waits_for(SUITE2P)
    reasons = (*_not_taken(facts), *_not_registered(facts))
    return Item("", JobState.NOT_YET, reasons) if reasons else _waits_for(SUITE2P)


def no_tifs(facts: Facts) -> Reason:
    """Return that a session has no tifs that Suite2p takes: no worker and no run can help."""
    return Reason(
        "No tifs of the session are registered, which Suite2p reads and by which its output is checked.",
        f"{facts.tif_advice[:1].upper()}{facts.tif_advice[1:]}:",
        Responsible.EXPERIMENTER,
        commands.add(facts),
    )


def _without_tifs(facts: Facts) -> Item:
    """Return what an output waits for whose session has no imported tifs."""
    return Item("", JobState.NOT_YET, (no_tifs(facts),)) if facts.tif_advice else _waits_for(TIF)


def _not_taken(facts: Facts) -> Iterator[Reason]:
    for output in facts.outputs:
        # The reason is stored as one text, whose part after the last semicolon says what to do.
        what, _, remedy = output.reason.rpartition("; ")
        yield Reason(
            f"The output {output.path} is {output.verdict}: {what or remedy}.",
            f"{remedy[:1].upper()}{remedy[1:]}." if what else "Register the folder again:",
            Responsible.EXPERIMENTER,
            "" if what else commands.add(facts),
        )


def _not_registered(facts: Facts) -> Iterator[Reason]:
    if not _table(facts, SUITE2P).rows:
        return
    yield Reason(
        "Suite2p has run, and the folder was not registered since, so that its output is not known.",
        "Curate its cells in Suite2p's window if you wish, which imaging-pipeline suite2p opens, then"
        " register the folder again. With --register-uncurated that is done by itself from then on.",
        Responsible.EXPERIMENTER,
        commands.add(facts),
    )


def _nothing(table: str) -> Item:
    reason = Reason(f"{_short(table)} has nothing to make of this session.")
    return Item("", JobState.DOES_NOT_APPLY, (reason,))


def _waits_for(table: str) -> Item:
    reason = Reason(f"It waits for {_short(table)}.", waits_for_table=True)
    return Item("", JobState.NOT_YET, (reason,))


def _is_registered(facts: Facts) -> bool:
    return any(output.verdict == _FINISHED for output in facts.outputs)


def _table(facts: Facts, name: str) -> TableFacts:
    return next((of_table for of_table in facts.tables if of_table.table == name), TableFacts(name, ""))


def _short(table: str) -> str:
    return table.rpartition(".")[2]


_RULES = {REQUESTS: _no_request, SUITE2P: _no_options, ANALYSIS: _no_output}
