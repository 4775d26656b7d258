"""Deleting what is derived from data that changed; the only module that does.

The seed is always a dataset, its link to a session, or the option set of a MetaSession, never a
session. The cascade finds children in private schemas too, whether this process knows them or not.

Objects in the store stay until `store_sweep` finds that no row names them any more: a purge may
still be rolled back, and a reader may have an array open.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import datajoint as dj

from imaging_pipeline.errors import DatabaseError, Move
from imaging_pipeline.schemas.tables import Tables

# DataJoint's "cascade" would delete the sessions that a dataset is linked to.
_PART_INTEGRITY = "ignore"

# A finished job stays, with what it took; where its row was purged, DataJoint makes it pending again.
_STALE = "status IN ('error', 'ignore')"


def counts(seeds: Iterable[Any]) -> dict[str, int]:
    """Count what a purge of these restricted tables would delete: full table name → rows."""
    total: dict[str, int] = {}
    for seed in seeds:
        for table in dj.Diagram.cascade(seed, part_integrity=_PART_INTEGRITY):
            total[table.full_table_name] = total.get(table.full_table_name, 0) + len(table)
    return {name: rows for name, rows in total.items() if rows}


def purge(seeds: Sequence[Any]) -> dict[str, int]:
    """Delete the rows of these restricted tables and all below them, within the open transaction.

    Returns
    -------
    dict
        Full table name → rows deleted.

    Raises
    ------
    DatabaseError
        Rows lie in a private schema where this account may not delete.
    """
    total: dict[str, int] = {}
    for seed in seeds:
        found = counts([seed])
        try:
            seed.delete(transaction=False, prompt=False, part_integrity=_PART_INTEGRITY)
        except dj.errors.AccessError as error:
            raise DatabaseError(
                "Rows below what changed may not be deleted by this account",
                found=", ".join(f"{rows} in {name}" for name, rows in found.items()),
                remedy="Ask the owners of these schemas to delete the rows, or let a worker's account do it.",
                move=Move.ADMINISTRATOR,
            ) from error
        for name, rows in found.items():
            total[name] = total.get(name, 0) + rows
    return total


def reset_jobs(tables: Tables, metasession_names: Sequence[str]) -> dict[str, int]:
    """Drop the error and ignored job rows of MetaSessions, so that their keys are tried again.

    Job tables of private schemas below ours count too.

    Returns
    -------
    dict
        Full name of the job table → rows dropped.
    """
    return _delete_jobs(tables, _job_tables(tables), {"metasession_name": list(metasession_names)})


def reset_requests(tables: Tables, basefolder_ids: Sequence[int]) -> dict[str, int]:
    """Drop the error and ignored job rows of requests, so that they are tried again."""
    name = tables.imaging.MakeDatasetSessions.jobs.full_table_name
    return _delete_jobs(tables, [name], {"basefolder_id": list(basefolder_ids)})


def _delete_jobs(tables: Tables, job_tables: Iterable[str], values: dict[str, list[Any]]) -> dict[str, int]:
    ((column, wanted),) = values.items()
    dropped: dict[str, int] = {}
    if not wanted:
        return dropped
    marks = ", ".join(["%s"] * len(wanted))
    for name in job_tables:
        query = f"DELETE FROM {name} WHERE {column} IN ({marks}) AND {_STALE}"
        rows = tables.connection.query(query, args=tuple(wanted)).rowcount
        if rows:
            dropped[name] = rows
    return dropped


def _job_tables(tables: Tables) -> list[str]:
    """Give the job tables of our schemas, and of those below, that are keyed by MetaSession."""
    connection = tables.connection
    connection.dependencies.load_all_downstream()
    schemas = sorted({_schema_of(node) for node in connection.dependencies if not node.isdigit()})
    marks = ", ".join(["%s"] * len(schemas))
    query = (
        "SELECT table_schema, table_name FROM information_schema.columns"
        f" WHERE column_name = 'metasession_name' AND table_name LIKE '~~%%' AND table_schema IN ({marks})"
    )
    rows = connection.query(query, args=tuple(schemas)).fetchall()
    return [connection.adapter.make_full_table_name(*row) for row in rows]


def _schema_of(full_table_name: str) -> str:
    return full_table_name.split(".")[0].strip('`"')
