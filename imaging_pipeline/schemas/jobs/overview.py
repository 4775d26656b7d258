"""How many jobs there are of each table, and how far they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from imaging_pipeline.explaining.states import JobState
from imaging_pipeline.schemas.jobs.job_rows import num_keys_without_job, stored_jobs
from imaging_pipeline.schemas.jobs.job_tables import JobTable
from imaging_pipeline.schemas.jobs.selection import Selection, TableSelection, select
from imaging_pipeline.schemas.jobs.sql import Sql, rows_of_all, union_all
from imaging_pipeline.schemas.tables import Tables


@dataclass(frozen=True)
class TableJobs:
    """The jobs of a table.

    Attributes
    ----------
    table
        The table.
    counts
        How many, by how far they are; states without any are left out.
    oldest_s
        How long the oldest of them has been so, where that is known.
    """

    table: JobTable
    counts: Mapping[JobState, int]
    oldest_s: Mapping[JobState, float]


def overview(tables: Tables, selection: Selection | None = None) -> tuple[TableJobs, ...]:
    """Count jobs by table, in the order in which work flows.

    Raises
    ------
    InputError
        There is no such table, or a column is none of its key.
    """
    backend = tables.connection.adapter.backend
    selected = select(tables, selection or Selection())
    counts: list[dict[JobState, int]] = [{} for _ in selected]
    oldest: list[dict[JobState, float]] = [{} for _ in selected]
    queries = [_count_query(of_table, backend) for of_table in selected]
    for number, state, count, since_s in rows_of_all(tables, queries):
        if count > 0:
            # Pending jobs come twice: those with a row in the job table, and keys without one.
            counts[number][JobState(state)] = counts[number].get(JobState(state), 0) + int(count)
        if since_s is not None:
            oldest[number][JobState(state)] = float(since_s)
    return tuple(
        TableJobs(of_table.table, counts[number], oldest[number]) for number, of_table in enumerate(selected)
    )


def _count_query(selected: TableSelection, backend: str) -> Sql:
    """Count unfinished jobs by their state, and finished ones by the rows, whoever made them."""
    table, condition = selected.table, selected.key_condition
    stored = stored_jobs(table, backend, condition)
    unfinished = Sql(
        "SELECT state, COUNT(*) AS number, MAX(since_s) AS oldest_s"
        f" FROM ({stored.text}) AS stored {selected.row_condition.clause} GROUP BY state",
        (*stored.args, *selected.row_condition.args),
    )
    if selected.row_condition.text:
        return unfinished
    new = num_keys_without_job(table, condition)
    pending = Sql(f"SELECT '{JobState.PENDING}', ({new.text}), NULL", new.args)
    finished = f"SELECT '{JobState.DONE}', COUNT(*), NULL FROM {table.full_name} {condition.clause}"
    return union_all([unfinished, pending, Sql(finished, condition.args)])
