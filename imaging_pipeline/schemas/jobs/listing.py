"""Jobs one by one, a page at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from imaging_pipeline.errors import parse_message
from imaging_pipeline.explaining.job import Job
from imaging_pipeline.explaining.states import JOB_STATES, JobState
from imaging_pipeline.schemas.jobs.descriptions import descriptions
from imaging_pipeline.schemas.jobs.job_rows import finished_jobs, open_jobs
from imaging_pipeline.schemas.jobs.job_tables import JobTable
from imaging_pipeline.schemas.jobs.living_workers import living_then_silent
from imaging_pipeline.schemas.jobs.selection import Selection, TableSelection, select
from imaging_pipeline.schemas.jobs.sql import Sql, rows_of_all
from imaging_pipeline.schemas.tables import Tables


@dataclass(frozen=True)
class JobPage:
    """Some of the selected jobs, and how many are selected in all."""

    jobs: tuple[Job, ...]
    total: int


@dataclass(frozen=True)
class _Part:
    """The jobs of one table that are done, or those that are not.

    Attributes
    ----------
    table
        The table.
    count_query
        How many they are.
    page_query
        Takes ``LIMIT`` and ``OFFSET``, and returns the query for these jobs in order.
    """

    table: JobTable
    count_query: Sql
    page_query: Callable[[str], Sql]


def list_jobs(
    tables: Tables,
    selection: Selection,
    states: Sequence[JobState] = JOB_STATES,
    *,
    limit: int,
    offset: int = 0,
) -> JobPage:
    """Return jobs in order of the tables; of each table finished ones last, and the newest first.

    Parameters
    ----------
    tables
        The database.
    selection
        Which jobs.
    states
        How far they are.
    limit, offset
        How many are returned, and how many are skipped before.

    Raises
    ------
    InputError
        There is no such table, or a column is none of its key.
    """
    backend = tables.connection.adapter.backend
    parts = [part for selected in select(tables, selection) for part in _parts(selected, states, backend)]
    rows: list[tuple[JobTable, dict[str, Any]]] = []
    total = 0
    # The number of a part says whether its page is needed at all.
    for part_number, num_jobs in rows_of_all(tables, [part.count_query for part in parts]):
        part, num_left, num_skipped = parts[part_number], limit - len(rows), max(offset - total, 0)
        if num_left > 0 and num_skipped < num_jobs:
            page = part.page_query(f"LIMIT {num_left:d} OFFSET {num_skipped:d}")
            cursor = tables.connection.query(page.text, args=page.args, as_dict=True)
            rows += [(part.table, row) for row in cursor.fetchall()]
        total += int(num_jobs)
    return JobPage(as_jobs(tables, rows), total)


def as_jobs(tables: Tables, rows: Sequence[tuple[JobTable, Mapping[str, Any]]]) -> tuple[Job, ...]:
    """Return jobs for rows of `job_rows`, each with its table; few queries for any number."""
    keys = [{column: row[column] for column in table.key} for table, row in rows]
    is_any_running = any(row["state"] == JobState.RUNNING for _, row in rows)
    workers = {worker.name: worker for worker in living_then_silent(tables)} if is_any_running else {}
    return tuple(
        Job(
            table=table.name,
            lane=table.lane,
            key=key,
            description=description,
            state=JobState(row["state"]),
            priority=int(row["priority"]),
            since_s=_seconds(row["since_s"]),
            due_s=_seconds(row["due_s"]) if row["state"] == JobState.LATER else None,
            duration_s=_seconds(row["duration"]),
            message=parse_message(row["error_message"]) if row["error_message"] else None,
            worker_name=row["version"],
            host=row["host"],
            pid=int(row["pid"]),
            worker=workers.get(row["version"]),
        )
        for (table, row), key, description in zip(rows, keys, descriptions(tables, keys), strict=True)
    )


def _parts(selected: TableSelection, states: Sequence[JobState], backend: str) -> Iterator[_Part]:
    table, key_condition, row_condition = selected.table, selected.key_condition, selected.row_condition
    unfinished = [state for state in states if state is not JobState.DONE]
    if unfinished:
        jobs = open_jobs(table, backend, key_condition, unfinished)
        source = Sql(f"FROM ({jobs.text}) AS jobs {row_condition.clause}", (*jobs.args, *row_condition.args))
        # Keys without a job have no age, and come last.
        order = f"CASE WHEN since_s IS NULL THEN 1 ELSE 0 END, since_s, {', '.join(table.key)}"
        yield _Part(
            table,
            Sql(f"SELECT COUNT(*) {source.text}", source.args),
            lambda page: Sql(f"SELECT * {source.text} ORDER BY {order} {page}", source.args),
        )
    # A finished job has no message that a condition could be true for.
    if JobState.DONE in states and not row_condition.text:
        count = Sql(f"SELECT COUNT(*) FROM {table.full_name} {key_condition.clause}", key_condition.args)
        yield _Part(table, count, partial(finished_jobs, table, backend, key_condition))


def _seconds(value: object) -> float | None:
    return None if value is None else float(value)  # type: ignore[arg-type]
