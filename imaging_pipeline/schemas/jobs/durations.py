"""How long the finished jobs of each table took."""

from __future__ import annotations

from dataclasses import dataclass

from imaging_pipeline.schemas.jobs.selection import Selected, Selection, select
from imaging_pipeline.schemas.jobs.sql import Sql, asked_of_each, every
from imaging_pipeline.schemas.tables import Tables


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


def durations(tables: Tables, wanted: Selection | None = None) -> dict[str, Durations]:
    """Return how long jobs took, by the name of their table, where any is finished.

    Raises
    ------
    InputError
        There is no such table, or a column is none of its key.
    """
    selected = select(tables, wanted or Selection())
    backend = tables.connection.adapter.backend
    return {
        selected[number].jobs.name: Durations(float(median_s), float(total_s))
        for number, median_s, total_s in asked_of_each(tables, [_timed(each, backend) for each in selected])
        if median_s is not None
    }


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
