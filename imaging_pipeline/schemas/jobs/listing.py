"""Jobs one by one, a page at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from imaging_pipeline.errors import parse_message
from imaging_pipeline.explaining.job import Job
from imaging_pipeline.explaining.states import JOB_STATES, JobState
from imaging_pipeline.schemas.jobs.descriptions import about
from imaging_pipeline.schemas.jobs.job_rows import left, made
from imaging_pipeline.schemas.jobs.job_tables import JobTable
from imaging_pipeline.schemas.jobs.living_workers import met
from imaging_pipeline.schemas.jobs.selection import Selected, Selection, select
from imaging_pipeline.schemas.jobs.sql import Sql, asked_of_each
from imaging_pipeline.schemas.tables import Tables


@dataclass(frozen=True)
class JobPage:
    """Some of the jobs that are meant, and how many there are in all."""

    jobs: tuple[Job, ...]
    total: int


@dataclass(frozen=True)
class _Part:
    """The jobs of one table that are done, or those that are not.

    Attributes
    ----------
    jobs
        The table.
    counted
        Query for how many they are.
    page
        Gives the query for some of them in order, for ``LIMIT`` and ``OFFSET``.
    """

    jobs: JobTable
    counted: Sql
    page: Callable[[str], Sql]


def list_jobs(
    tables: Tables,
    wanted: Selection,
    statuses: Sequence[JobState] = JOB_STATES,
    *,
    limit: int,
    offset: int = 0,
) -> JobPage:
    """Return jobs in order of the tables; of each table finished ones last, and the newest first.

    Parameters
    ----------
    tables
        The database.
    wanted
        Which jobs.
    statuses
        How far they are.
    limit, offset
        How many are given, and how many are left out before.

    Raises
    ------
    InputError
        There is no such table, or a column is none of its key.
    """
    backend = tables.connection.adapter.backend
    parts = [part for each in select(tables, wanted) for part in _parts(each, statuses, backend)]
    rows: list[tuple[JobTable, dict[str, Any]]] = []
    total = 0
    for place, number in asked_of_each(tables, [part.counted for part in parts]):
        part, room, skipped = parts[place], limit - len(rows), max(offset - total, 0)
        if room > 0 and skipped < number:
            page = part.page(f"LIMIT {room:d} OFFSET {skipped:d}")
            found = tables.connection.query(page.text, args=page.args, as_dict=True).fetchall()
            rows += [(part.jobs, row) for row in found]
        total += int(number)
    return JobPage(as_jobs(tables, rows), total)


def as_jobs(tables: Tables, rows: Sequence[tuple[JobTable, Mapping[str, Any]]]) -> tuple[Job, ...]:
    """Return jobs for rows of `job_rows`, each with its table; few questions for any number."""
    keys = [{column: row[column] for column in jobs.key} for jobs, row in rows]
    running = any(row["state"] == JobState.RUNNING for _, row in rows)
    workers = met(tables) if running else ()
    by_name = {each.name: each for each in workers}
    return tuple(
        Job(
            table=jobs.name,
            lane=jobs.lane,
            key=key,
            about=words,
            state=JobState(row["state"]),
            priority=int(row["priority"]),
            since_s=_seconds(row["since_s"]),
            due_s=_seconds(row["due_s"]) if row["state"] == JobState.LATER else None,
            duration_s=_seconds(row["duration"]),
            told=parse_message(row["error_message"]) if row["error_message"] else None,
            worker_name=row["version"],
            host=row["host"],
            pid=int(row["pid"]),
            worker=by_name.get(row["version"]),
        )
        for (jobs, row), key, words in zip(rows, keys, about(tables, keys), strict=True)
    )


def _parts(selected: Selected, statuses: Sequence[JobState], backend: str) -> Iterator[_Part]:
    jobs, of_key, of_row = selected.jobs, selected.of_key, selected.of_row
    unmade = [status for status in statuses if status is not JobState.DONE]
    if unmade:
        rows = left(jobs, backend, of_key, unmade)
        found = Sql(f"FROM ({rows.text}) AS found {of_row.clause}", (*rows.args, *of_row.args))
        # Those last that nobody has met.
        order = f"CASE WHEN since_s IS NULL THEN 1 ELSE 0 END, since_s, {', '.join(jobs.key)}"
        yield _Part(
            jobs,
            Sql(f"SELECT COUNT(*) {found.text}", found.args),
            lambda page: Sql(f"SELECT * {found.text} ORDER BY {order} {page}", found.args),
        )
    # What is done has no words of an error.
    if JobState.DONE in statuses and not of_row.text:
        counted = Sql(f"SELECT COUNT(*) FROM {jobs.full_name} {of_key.clause}", of_key.args)
        yield _Part(jobs, counted, partial(made, jobs, backend, of_key))


def _seconds(value: object) -> float | None:
    return None if value is None else float(value)  # type: ignore[arg-type]
