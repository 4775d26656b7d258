"""Jobs one by one, a page at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from imaging_pipeline.errors import told
from imaging_pipeline.explaining.job import Job, JobStatus
from imaging_pipeline.schemas.imaging.living_workers import living, silent
from imaging_pipeline.schemas.tables import Tables

from .about import about
from .job_rows import job_rows
from .job_tables import JobTable
from .selection import Selected, Selection, select
from .sql import Sql


@dataclass(frozen=True)
class JobPage:
    """Some of the jobs that are meant, and how many there are in all."""

    jobs: tuple[Job, ...]
    total: int


# Those first that a person should look at.
_ORDER = "CASE WHEN since_s IS NULL THEN 1 ELSE 0 END, since_s"


def list_jobs(
    tables: Tables,
    wanted: Selection,
    statuses: Sequence[JobStatus] = tuple(JobStatus),
    *,
    limit: int,
    offset: int = 0,
) -> JobPage:
    """Give jobs in the order in which work flows, within a table the newest first.

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
    rows: list[tuple[JobTable, dict[str, Any]]] = []
    total = 0
    for each in select(tables, wanted):
        found = _found(each, statuses, backend)
        number = _count(tables, found)
        room, skipped = limit - len(rows), max(offset - total, 0)
        if room > 0 and skipped < number:
            rows += [(each.jobs, row) for row in _rows(tables, each.jobs, found, room, skipped)]
        total += number
    return JobPage(as_jobs(tables, rows), total)


def as_jobs(tables: Tables, rows: Sequence[tuple[JobTable, Mapping[str, Any]]]) -> tuple[Job, ...]:
    """Give jobs for rows of `job_rows.job_rows`, each with its table; few questions for any number."""
    keys = [{column: row[column] for column in jobs.key} for jobs, row in rows]
    running = any(row["state"] == JobStatus.RESERVED for _, row in rows)
    workers = (*living(tables), *silent(tables)) if running else ()
    by_name = {each.name: each for each in workers}
    return tuple(
        Job(
            table=jobs.name,
            lane=jobs.lane,
            key=key,
            about=words,
            status=JobStatus(row["state"]),
            priority=int(row["priority"]),
            since_s=_seconds(row["since_s"]),
            due_s=_seconds(row["due_s"]) if row["state"] == JobStatus.LATER else None,
            duration_s=_seconds(row["duration"]),
            told=told(row["error_message"]) if row["error_message"] else None,
            worker_name=row["version"],
            host=row["host"],
            pid=int(row["pid"]),
            worker=by_name.get(row["version"]),
        )
        for (jobs, row), key, words in zip(rows, keys, about(tables, keys), strict=True)
    )


def _found(selected: Selected, statuses: Sequence[JobStatus], backend: str) -> Sql:
    rows, of_row = job_rows(selected.jobs, backend, selected.of_key, statuses), selected.of_row
    return Sql(f"FROM ({rows.text}) AS found {of_row.clause}", (*rows.args, *of_row.args))


def _count(tables: Tables, found: Sql) -> int:
    return int(tables.connection.query(f"SELECT COUNT(*) {found.text}", args=found.args).fetchone()[0])


def _rows(tables: Tables, jobs: JobTable, found: Sql, limit: int, offset: int) -> list[dict[str, Any]]:
    query = (
        f"SELECT * {found.text} ORDER BY {_ORDER}, {', '.join(jobs.key)} LIMIT {limit:d} OFFSET {offset:d}"
    )
    rows: list[dict[str, Any]] = tables.connection.query(query, args=found.args, as_dict=True).fetchall()
    return rows


def _seconds(value: object) -> float | None:
    return None if value is None else float(value)  # type: ignore[arg-type]
