"""Failed jobs by what went wrong: one mistake or one full disk fails many jobs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from imaging_pipeline.errors import ParsedMessage, Responsible
from imaging_pipeline.explaining.job import Job
from imaging_pipeline.explaining.states import JobState
from imaging_pipeline.schemas.jobs.job_rows import stored_jobs
from imaging_pipeline.schemas.jobs.listing import as_jobs
from imaging_pipeline.schemas.jobs.selection import Selection, TableSelection, select
from imaging_pipeline.schemas.jobs.sql import Sql
from imaging_pipeline.schemas.tables import Tables

# From here on a message says what differs from job to job.
_OF_ONE_JOB = re.compile(r" (File|Found|Allowed): ")
_NO_MESSAGE = ParsedMessage(Responsible.DEVELOPER, "The error says nothing.", "")


@dataclass(frozen=True)
class Failure:
    """Jobs of a table that failed for the same reason.

    Attributes
    ----------
    table
        ``imaging.Tif``.
    message
        What happened to the newest of them, who is responsible, and what to do.
    number
        How many they are.
    newest
        The newest of them.
    """

    table: str
    message: ParsedMessage
    number: int
    newest: Job


def failures(tables: Tables, selection: Selection | None = None) -> tuple[Failure, ...]:
    """Return what went wrong: the most frequent first within a table, tables in order of work.

    Raises
    ------
    InputError
        There is no such table, or a column is none of its key.
    """
    numbers: list[int] = []
    rows = []
    for selected in select(tables, selection or Selection()):
        query = _newest_by_message(selected, tables.connection.adapter.backend)
        for row in tables.connection.query(query.text, args=query.args, as_dict=True).fetchall():
            numbers.append(int(row["number"]))
            rows.append((selected.table, row))
    return _grouped(zip(as_jobs(tables, rows), numbers, strict=True))


def _newest_by_message(selected: TableSelection, backend: str) -> Sql:
    """Return a query for the newest job with each message, and how many have the same."""
    failed = stored_jobs(selected.table, backend, selected.key_condition, (JobState.ERROR,))
    condition = selected.row_condition
    same = "OVER (PARTITION BY error_message"
    ranked = (
        f"SELECT failed.*, COUNT(*) {same}) AS number, ROW_NUMBER() {same} ORDER BY since_s) AS age_rank"
        f" FROM ({failed.text}) AS failed {condition.clause}"
    )
    return Sql(f"SELECT * FROM ({ranked}) AS ranked WHERE age_rank = 1", (*failed.args, *condition.args))


def _grouped(jobs: Iterable[tuple[Job, int]]) -> tuple[Failure, ...]:
    """Join those whose messages differ only in the file, or in the value that is wrong there."""
    by_reason: dict[tuple[str, Responsible, str, str, str], Failure] = {}
    for job, number in jobs:
        message = job.message or _NO_MESSAGE
        what = _OF_ONE_JOB.split(message.what)[0]
        reason = (job.table, message.responsible, message.kind, what, message.remedy)
        same = by_reason.get(reason)
        if same is not None:
            number += same.number
            job = min(same.newest, job, key=lambda one: one.since_s or 0.0)
        by_reason[reason] = Failure(job.table, job.message or message, number, job)
    order = list(dict.fromkeys(failure.table for failure in by_reason.values()))
    return tuple(
        sorted(by_reason.values(), key=lambda failure: (order.index(failure.table), -failure.number))
    )
