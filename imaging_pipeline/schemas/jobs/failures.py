"""Failed jobs by what went wrong: one mistake or one full disk fails many jobs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from imaging_pipeline.errors import ParsedMessage, Responsible
from imaging_pipeline.explaining.job import Job
from imaging_pipeline.explaining.states import JobState
from imaging_pipeline.schemas.jobs.job_rows import unfinished
from imaging_pipeline.schemas.jobs.listing import as_jobs
from imaging_pipeline.schemas.jobs.selection import Selected, Selection, select
from imaging_pipeline.schemas.jobs.sql import Sql
from imaging_pipeline.schemas.tables import Tables

# Where a message goes on with what is another thing in each job.
_OWN = re.compile(r" (File|Found|Allowed): ")


@dataclass(frozen=True)
class Failure:
    """Jobs of a table that failed of the same.

    Attributes
    ----------
    table
        ``imaging.Tif``.
    told
        What happened to the newest of them, whose move it is, and what to do.
    number
        How many they are.
    newest
        The newest of them.
    """

    table: str
    told: ParsedMessage
    number: int
    newest: Job


def failures(tables: Tables, wanted: Selection | None = None) -> tuple[Failure, ...]:
    """Return what went wrong: the most frequent first within a table, tables in order of work.

    Raises
    ------
    InputError
        There is no such table, or a column is none of its key.
    """
    numbers: list[int] = []
    rows = []
    for each in select(tables, wanted or Selection()):
        query = _newest_of_each(each, tables.connection.adapter.backend)
        for row in tables.connection.query(query.text, args=query.args, as_dict=True).fetchall():
            numbers.append(int(row["number"]))
            rows.append((each.jobs, row))
    return _together(zip(as_jobs(tables, rows), numbers, strict=True))


def _newest_of_each(selected: Selected, backend: str) -> Sql:
    """Ask for the newest job of each message, and how many have the same."""
    found, condition = (
        unfinished(selected.jobs, backend, selected.of_key, (JobState.ERROR,)),
        selected.of_row,
    )
    same = "OVER (PARTITION BY error_message"
    ranked = (
        f"SELECT found.*, COUNT(*) {same}) AS number, ROW_NUMBER() {same} ORDER BY since_s) AS place"
        f" FROM ({found.text}) AS found {condition.clause}"
    )
    return Sql(f"SELECT * FROM ({ranked}) AS ranked WHERE place = 1", (*found.args, *condition.args))


def _together(jobs: Iterable[tuple[Job, int]]) -> tuple[Failure, ...]:
    """Put those together that differ in the file, or in the value that was found there."""
    found: dict[tuple[str, Responsible, str, str, str], Failure] = {}
    for job, number in jobs:
        told = job.told or ParsedMessage(Responsible.DEVELOPER, "The error says nothing.", "")
        what = (job.table, told.responsible, told.kind, _OWN.split(told.what)[0], told.remedy)
        before = found.get(what)
        if before is not None:
            number += before.number
            job = min(before.newest, job, key=lambda each: each.since_s or 0.0)
        found[what] = Failure(job.table, job.told or told, number, job)
    order = list(dict.fromkeys(failure.table for failure in found.values()))
    return tuple(sorted(found.values(), key=lambda each: (order.index(each.table), -each.number)))
