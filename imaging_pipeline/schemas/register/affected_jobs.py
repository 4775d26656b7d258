"""Job rows of what a registration touches: those that stand in the way of trying again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from imaging_pipeline.schemas import plain_rows
from imaging_pipeline.schemas.table_names import job_table, our_schemas, schema_of
from imaging_pipeline.schemas.tables import Tables

# A finished job stays, with what it took; where its row was purged, DataJoint makes it pending again.
# One that waits with a reason waits no longer, and its attempts count anew.
_STALE = "(status IN ('error', 'ignore') OR (status = 'pending' AND error_message <> ''))"

# All job tables that the account may read, of every schema on the server. The views of the standard take
# PostgreSQL six times as long.
_KEYED_BY_METASESSION = {
    "postgresql": (
        "SELECT nspname, relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace"
        " JOIN pg_attribute ON attrelid = pg_class.oid AND attname = 'metasession_name'"
        " WHERE relname LIKE '~~%%' AND relkind = 'r' AND has_table_privilege(pg_class.oid, 'SELECT')"
    ),
    "mysql": (
        "SELECT table_schema, table_name FROM information_schema.columns"
        " WHERE column_name = 'metasession_name' AND table_name LIKE '~~%%'"
    ),
}


@dataclass(frozen=True)
class StaleJobs:
    """Error and ignored rows of one job table.

    Attributes
    ----------
    job_table
        Its full name.
    column, values
        They have one of these values in this column.
    num_rows
        How many there are.
    """

    job_table: str
    column: str
    values: tuple[Any, ...]
    num_rows: int = 0


def stale_jobs(
    tables: Tables, metasession_names: Sequence[str], basefolder_ids: Sequence[int]
) -> tuple[StaleJobs, ...]:
    """Return the job rows that block keys of MetaSessions and of requests, of each table that has any.

    Job tables of private schemas below ours count too.
    """
    asked = []
    if metasession_names:
        column, names = "metasession_name", tuple(metasession_names)
        asked += [StaleJobs(name, column, names) for name in keyed_by_metasession(tables)]
    if basefolder_ids:
        name = job_table(tables.full_name(tables.imaging.MakeDatasetSessions))
        asked.append(StaleJobs(name, "basefolder_id", tuple(basefolder_ids)))
    return _counted(tables, asked)


def drop(tables: Tables, stale: Sequence[StaleJobs]) -> dict[str, int]:
    """Delete the rows, so that their keys are tried again, and count them by job table."""
    dropped = {
        each.job_table: int(tables.connection.query(_rows("DELETE", each), args=each.values).rowcount)
        for each in stale
    }
    return {name: rows for name, rows in dropped.items() if rows}


def keyed_by_metasession(tables: Tables) -> list[str]:
    """Return the job tables of our schemas, and of those below, that are keyed by MetaSession."""
    connection, adapter = tables.connection, tables.connection.adapter
    found = plain_rows.fetch(tables.connection, _KEYED_BY_METASESSION[adapter.backend])
    below = our_schemas(tables)
    if not below.issuperset(schema for schema, _ in found):
        # They may be private ones that were made a moment ago, or those of another lab on this server.
        connection.dependencies.load_all_downstream()
        below = {schema_of(node) for node in connection.dependencies if not node.isdigit()}
    return sorted(adapter.make_full_table_name(*names) for names in found if names[0] in below)


def _counted(tables: Tables, asked: Sequence[StaleJobs]) -> tuple[StaleJobs, ...]:
    if not asked:
        return ()
    # One question for all: most folders have none.
    questions = [
        _rows(f"SELECT {number} AS asked, count(*) AS num_rows", each) for number, each in enumerate(asked)
    ]
    values = [value for each in asked for value in each.values]
    question = f"SELECT asked, num_rows FROM ({' UNION ALL '.join(questions)}) AS counted WHERE num_rows > 0"
    counted = plain_rows.fetch(tables.connection, question, values)
    return tuple(replace(asked[number], num_rows=int(rows)) for number, rows in sorted(counted))


def _rows(verb: str, stale: StaleJobs) -> str:
    among = plain_rows.marks(stale.values)
    return f"{verb} FROM {stale.job_table} WHERE {stale.column} IN ({among}) AND {_STALE}"
