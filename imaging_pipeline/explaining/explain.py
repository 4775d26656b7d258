"""From what is known of a session to why it is not done."""

from __future__ import annotations

from imaging_pipeline.explaining.explanation import Explanation
from imaging_pipeline.explaining.facts import Facts, TableFacts
from imaging_pipeline.explaining.job_reasons import job_item
from imaging_pipeline.explaining.missing import REQUESTS, missing_item, no_session, waiting_requests
from imaging_pipeline.explaining.reasons import Item, Step
from imaging_pipeline.explaining.states import JobState


def explain(facts: Facts, table: str | None = None) -> Explanation:
    """Return for each table how far it is, and why it is no further.

    Parameters
    ----------
    facts
        What is known.
    table
        Only this one, ``imaging.Cell``, and those that it needs; None for all that concern the session.
    """
    names = {of_table.table for of_table in facts.tables} if table is None else _needed(facts, table)
    if facts.session is None and table is None:
        # The other tables know nothing of a folder without a session.
        names = {REQUESTS}
    steps = (_step(facts, of_table) for of_table in facts.tables if of_table.table in names)
    return Explanation(
        facts,
        tuple(step for step in steps if step.state is not JobState.DOES_NOT_APPLY or step.table == table),
    )


def _step(facts: Facts, table: TableFacts) -> Step:
    jobs = tuple(job_item(table, job, facts) for job in table.jobs)
    is_lost = table.table == REQUESTS and facts.session is None and not jobs
    reasons = (no_session(facts),) if is_lost else ()
    stored = tuple(Item(row.description, JobState.DONE, reasons, row=row) for row in table.rows)
    waiting = tuple(waiting_requests(facts)) if table.table == REQUESTS else ()
    return Step(table.table, table.lane, (*waiting, *jobs, *stored) or (missing_item(facts, table),))


def _needed(facts: Facts, table: str) -> set[str]:
    """Return a table and all that it is made from, directly or not."""
    by_name = {of_table.table: of_table for of_table in facts.tables}
    needed, to_visit = set[str](), [table]
    while to_visit:
        name = to_visit.pop()
        if name not in needed:
            needed.add(name)
            to_visit += by_name[name].needs
    return needed
