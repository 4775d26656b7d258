"""How long the finished jobs of each table took."""

from __future__ import annotations

from dataclasses import dataclass

from imaging_pipeline.schemas.jobs.selection import Selection, TableSelection, select
from imaging_pipeline.schemas.jobs.sql import Sql, all_of, rows_of_all
from imaging_pipeline.schemas.tables import Tables


@dataclass(frozen=True)
class Durations:
    """How long finished jobs took, in seconds."""

    median_s: float
    total_s: float


def durations(tables: Tables, selection: Selection | None = None) -> dict[str, Durations]:
    """Return how long jobs took, by the name of their table, where any is finished.

    Raises
    ------
    InputError
        There is no such table, or a column is none of its key.
    """
    selected = select(tables, selection or Selection())
    backend = tables.connection.adapter.backend
    queries = [_duration_query(of_table, backend) for of_table in selected]
    return {
        selected[number].table.name: Durations(float(median_s), float(total_s))
        for number, median_s, total_s in rows_of_all(tables, queries)
        if median_s is not None
    }


def _duration_query(selected: TableSelection, backend: str) -> Sql:
    finished = Sql("status = 'success' AND duration IS NOT NULL")
    condition = all_of([finished, selected.key_condition, selected.row_condition])
    jobs = f"{selected.table.jobs_name} {condition.clause}"
    if backend == "postgresql":
        median = "PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY duration)"
        return Sql(f"SELECT {median} AS median_s, SUM(duration) AS total_s FROM {jobs}", condition.args)
    # MySQL has no function for a median: it is the mean of the one or two durations in the middle.
    middle = "CASE WHEN 2 * duration_rank BETWEEN number AND number + 2 THEN duration END"
    ranked = (
        "SELECT duration, ROW_NUMBER() OVER (ORDER BY duration) AS duration_rank, COUNT(*) OVER () AS number"
        f" FROM {jobs}"
    )
    return Sql(
        f"SELECT AVG({middle}) AS median_s, SUM(duration) AS total_s FROM ({ranked}) AS ranked",
        condition.args,
    )
