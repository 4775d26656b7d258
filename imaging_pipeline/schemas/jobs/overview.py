"""How many jobs there are of each table, how far they are, and how long the finished ones took."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from imaging_pipeline.explaining.job import JobStatus
from imaging_pipeline.schemas.tables import Tables

from .job_rows import left
from .job_tables import JobTable
from .selection import Selected, Selection, select
from .sql import Sql, every, together


@dataclass(frozen=True)
class Durations:
    """How long finished jobs took.

    Attributes
    ----------
    median_s, total_s
        In seconds.
    """

    median_s: float
    total_s: float


@dataclass(frozen=True)
class TableJobs:
    """The jobs of a table.

    Attributes
    ----------
    jobs
        The table.
    counts
        How many, by how far they are; none of those of which there are none.
    oldest_s
        How long the oldest of them has been so, where that is known.
    durations
        Of the finished ones; None where there are none.
    """

    jobs: JobTable
    counts: Mapping[JobStatus, int]
    oldest_s: Mapping[JobStatus, float]
    durations: Durations | None


def overview(tables: Tables, wanted: Selection | None = None) -> tuple[TableJobs, ...]:
    """Count jobs by table, in the order in which work flows; two questions to the server.

    Raises
    ------
    InputError
        There is no such table, or a column is none of its key.
    """
    backend = tables.connection.adapter.backend
    selected = select(tables, wanted or Selection())
    counts: list[dict[JobStatus, int]] = [{} for _ in selected]
    oldest: list[dict[JobStatus, float]] = [{} for _ in selected]
    for number, state, count, since_s in _asked(tables, selected, lambda each: _counted(each, backend)):
        if count:
            counts[number][JobStatus(state)] = int(count)
        if since_s is not None:
            oldest[number][JobStatus(state)] = float(since_s)
    durations = {
        number: Durations(float(median_s), float(total_s))
        for number, median_s, total_s in _asked(tables, selected, lambda each: _timed(each, backend))
        if median_s is not None
    }
    return tuple(
        TableJobs(each.jobs, counts[number], oldest[number], durations.get(number))
        for number, each in enumerate(selected)
    )


def _asked(
    tables: Tables, selected: Sequence[Selected], query: Callable[[Selected], Sql]
) -> list[tuple[Any, ...]]:
    """Ask the same of each table at once; each row begins with the number of the table."""
    asked = together(
        Sql(f"SELECT {number}, asked.* FROM ({each.text}) AS asked", each.args)
        for number, each in enumerate(map(query, selected))
    )
    return list(tables.connection.query(asked.text, args=asked.args).fetchall())


def _counted(selected: Selected, backend: str) -> Sql:
    """Count what is left by its state, and what is made by its rows, whoever made them."""
    found, of_key, of_row = left(selected.jobs, backend, selected.of_key), selected.of_key, selected.of_row
    unmade = Sql(
        "SELECT state, COUNT(*) AS number, MAX(since_s) AS oldest_s"
        f" FROM ({found.text}) AS found {of_row.clause} GROUP BY state",
        (*found.args, *of_row.args),
    )
    if of_row.text:
        return unmade
    made = f"SELECT '{JobStatus.SUCCESS}', COUNT(*), NULL FROM {selected.jobs.full_name} {of_key.clause}"
    return together([unmade, Sql(made, of_key.args)])


def _timed(selected: Selected, backend: str) -> Sql:
    """Ask for median and sum; MySQL has no function for a median."""
    finished = Sql("status = 'success' AND duration IS NOT NULL")
    condition = every([finished, selected.of_key, selected.of_row])
    found = f"{selected.jobs.jobs_name} {condition.clause}"
    if backend == "postgresql":
        median = "PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY duration)"
        return Sql(f"SELECT {median} AS median_s, SUM(duration) AS total_s FROM {found}", condition.args)
    middle = "CASE WHEN 2 * place BETWEEN number AND number + 2 THEN duration END"
    ranked = (
        "SELECT duration, ROW_NUMBER() OVER (ORDER BY duration) AS place, COUNT(*) OVER () AS number"
        f" FROM {found}"
    )
    return Sql(
        f"SELECT AVG({middle}) AS median_s, SUM(duration) AS total_s FROM ({ranked}) AS ranked",
        condition.args,
    )
