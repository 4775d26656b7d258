"""How many jobs there are of each table, and how far they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from imaging_pipeline.explaining.states import JobState
from imaging_pipeline.schemas.jobs.job_rows import num_new, unfinished
from imaging_pipeline.schemas.jobs.job_tables import JobTable
from imaging_pipeline.schemas.jobs.selection import Selected, Selection, select
from imaging_pipeline.schemas.jobs.sql import Sql, asked_of_each, together
from imaging_pipeline.schemas.tables import Tables


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
    """

    jobs: JobTable
    counts: Mapping[JobState, int]
    oldest_s: Mapping[JobState, float]


def overview(tables: Tables, wanted: Selection | None = None) -> tuple[TableJobs, ...]:
    """Count jobs by table, in the order in which work flows.

    Raises
    ------
    InputError
        There is no such table, or a column is none of its key.
    """
    backend = tables.connection.adapter.backend
    selected = select(tables, wanted or Selection())
    counts: list[dict[JobState, int]] = [{} for _ in selected]
    oldest: list[dict[JobState, float]] = [{} for _ in selected]
    queries = [_counted(each, backend) for each in selected]
    for number, state, count, since_s in asked_of_each(tables, queries):
        if count > 0:
            counts[number][JobState(state)] = counts[number].get(JobState(state), 0) + int(count)
        if since_s is not None:
            oldest[number][JobState(state)] = float(since_s)
    return tuple(TableJobs(each.jobs, counts[number], oldest[number]) for number, each in enumerate(selected))


def _counted(selected: Selected, backend: str) -> Sql:
    """Count what is left by its state, and what is made by its rows, whoever made them."""
    jobs, of_key, of_row = selected.jobs, selected.of_key, selected.of_row
    found = unfinished(jobs, backend, of_key)
    met = Sql(
        "SELECT state, COUNT(*) AS number, MAX(since_s) AS oldest_s"
        f" FROM ({found.text}) AS found {of_row.clause} GROUP BY state",
        (*found.args, *of_row.args),
    )
    if of_row.text:
        return met
    new = num_new(jobs, of_key)
    pending = Sql(f"SELECT '{JobState.PENDING}', ({new.text}), NULL", new.args)
    made = f"SELECT '{JobState.DONE}', COUNT(*), NULL FROM {jobs.full_name} {of_key.clause}"
    return together([met, pending, Sql(made, of_key.args)])
