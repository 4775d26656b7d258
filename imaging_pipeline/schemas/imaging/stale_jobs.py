"""Job rows of what a registration touches: those that stand in the way of trying again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from imaging_pipeline.schemas.tables import Tables

from .table_names import job_table, schema_of

# A finished job stays, with what it took; where its row was purged, DataJoint makes it pending again.
_STALE = "status IN ('error', 'ignore')"


@dataclass(frozen=True)
class StaleJobs:
    """Error and ignored rows of one job table: those that have one of some values in a column."""

    job_table: str
    column: str
    values: tuple[Any, ...]


def stale_jobs(
    tables: Tables, metasession_names: Sequence[str], basefolder_ids: Sequence[int]
) -> tuple[StaleJobs, ...]:
    """Give the job rows that block keys of MetaSessions and of requests.

    Job tables of private schemas below ours count too.
    """
    found = []
    if metasession_names:
        column, names = "metasession_name", tuple(metasession_names)
        found += [StaleJobs(name, column, names) for name in keyed_by_metasession(tables)]
    if basefolder_ids:
        name = job_table(tables.imaging.MakeDatasetSessions.full_table_name)
        found.append(StaleJobs(name, "basefolder_id", tuple(basefolder_ids)))
    return tuple(found)


def count(tables: Tables, stale: Sequence[StaleJobs]) -> dict[str, int]:
    """Count rows by the full name of the job table, of those that have any."""
    if not stale:
        return {}
    # One question for all: most folders have none.
    asked = [_rows(f"SELECT {number}, count(*)", each) for number, each in enumerate(stale)]
    values = tuple(value for each in stale for value in each.values)
    counted = tables.connection.query(" UNION ALL ".join(asked), args=values).fetchall()
    return {stale[number].job_table: int(rows) for number, rows in sorted(counted) if rows}


def drop(tables: Tables, stale: Sequence[StaleJobs]) -> dict[str, int]:
    """Delete the rows, so that their keys are tried again, and count them as `count` does."""
    counted = count(tables, stale)
    dropped = {
        each.job_table: int(tables.connection.query(_rows("DELETE", each), args=each.values).rowcount)
        for each in stale
        if each.job_table in counted
    }
    return {name: rows for name, rows in dropped.items() if rows}


def keyed_by_metasession(tables: Tables) -> list[str]:
    """Give the job tables of our schemas, and of those below, that are keyed by MetaSession."""
    connection = tables.connection
    connection.dependencies.load_all_downstream()
    schemas = sorted({schema_of(node) for node in connection.dependencies if not node.isdigit()})
    marks = ", ".join(["%s"] * len(schemas))
    query = (
        "SELECT table_schema, table_name FROM information_schema.columns"
        f" WHERE column_name = 'metasession_name' AND table_name LIKE '~~%%' AND table_schema IN ({marks})"
    )
    rows = connection.query(query, args=tuple(schemas)).fetchall()
    return [connection.adapter.make_full_table_name(*row) for row in rows]


def _rows(verb: str, stale: StaleJobs) -> str:
    marks = ", ".join(["%s"] * len(stale.values))
    return f"{verb} FROM {stale.job_table} WHERE {stale.column} IN ({marks}) AND {_STALE}"
