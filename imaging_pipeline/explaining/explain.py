"""From what is known of a session to why it is not done."""

from __future__ import annotations

from imaging_pipeline.explaining.explanation import Explanation
from imaging_pipeline.explaining.facts import Facts, TableFacts
from imaging_pipeline.explaining.job_reasons import job_item
from imaging_pipeline.explaining.missing import REQUESTS, awaited, missing_item, no_session
from imaging_pipeline.explaining.reasons import Item, Step
from imaging_pipeline.explaining.states import JobState


def explain(facts: Facts, table: str | None = None) -> Explanation:
    """Say of each table how far it is, and why it is no further.

    Parameters
    ----------
    facts
        What is known.
    table
        Only this one, ``imaging.Cell``, and those that it needs; all that concern the session if not given.
    """
    # Of a folder that no session is registered of, nothing else is known.
    known = {REQUESTS} if facts.session is None else {each.table for each in facts.tables}
    wanted = known if table is None else _needed(facts, table)
    steps = (_step(facts, each) for each in facts.tables if each.table in wanted)
    return Explanation(
        facts,
        tuple(step for step in steps if step.state is not JobState.DOES_NOT_APPLY or step.table == table),
    )


def _step(facts: Facts, table: TableFacts) -> Step:
    jobs = tuple(job_item(table, job, facts) for job in table.jobs)
    is_lost = table.table == REQUESTS and facts.session is None and not jobs
    lost = (no_session(facts),) if is_lost else ()
    made = tuple(Item(each.about, JobState.DONE, lost, made=each) for each in table.made)
    waiting = tuple(awaited(facts)) if table.table == REQUESTS else ()
    return Step(table.table, table.lane, (*waiting, *jobs, *made) or (missing_item(facts, table),))


def _needed(facts: Facts, table: str) -> set[str]:
    by_name = {each.table: each for each in facts.tables}
    found, left = set[str](), [table]
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += by_name[name].needs
    return found
