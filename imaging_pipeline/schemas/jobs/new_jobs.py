"""Inserting jobs for keys that have none yet, and deleting those of keys that are gone."""

from __future__ import annotations

from typing import Any

import datajoint as dj

from imaging_pipeline.schemas.jobs.job_rows import keys_without_job, rows_with_key
from imaging_pipeline.schemas.jobs.job_tables import Populated
from imaging_pipeline.schemas.jobs.sql import Sql, all_of


# Not by DataJoint's `refresh`, which may also delete jobs that its restriction does not select.
def insert_new_jobs(connection: Any, table: Populated, key_condition: Sql) -> int:
    """Insert the jobs of a table for keys that are to be made and have none, and return their number.

    A finished job whose row was purged is inserted anew. Somebody else may insert the same at this moment.

    Parameters
    ----------
    connection
        To the database.
    table
        The table.
    key_condition
        Condition on columns of the key.
    """
    query = keys_without_job(table, key_condition)
    rows = connection.query(query.text, args=query.args, as_dict=True).fetchall()
    if not rows:
        return 0
    # Else its row would hold the key, and the new job would be skipped as a duplicate.
    purged = Sql(
        f"status = 'success' AND NOT EXISTS ({rows_with_key(table, table.full_name, table.jobs_name)})"
    )
    condition = all_of([purged, key_condition])
    connection.query(f"DELETE FROM {table.jobs_name} {condition.clause}", args=condition.args)
    # A moment ago: workers compare the time of a job with a coarser clock.
    ago = connection.adapter.interval_expr(1, "second")
    due = connection.query(f"SELECT CURRENT_TIMESTAMP(3) - {ago}").fetchone()[0]
    dj.FreeTable(connection, table.jobs_name).insert(
        (
            {
                **{column: row[column] for column in table.key},
                "status": "pending",
                "priority": row["priority"],
                "scheduled_time": due,
            }
            for row in rows
        ),
        skip_duplicates=True,
    )
    return len(rows)


def delete_obsolete_jobs(connection: Any, table: Populated) -> int:
    """Delete the jobs of keys that are no longer to be made and have no row; ignored ones stay."""
    has_key = f"EXISTS ({rows_with_key(table, f'({table.keys_sql})', 'j')})"
    has_row = f"EXISTS ({rows_with_key(table, table.full_name, 'j')})"
    # A reserved job is left to its worker, whose insert fails by itself.
    may_be_deleted = "status IN ('pending', 'success', 'error')"
    keys = connection.query(
        f"SELECT {', '.join(table.key)} FROM {table.jobs_name} AS j"
        f" WHERE {may_be_deleted} AND NOT {has_key} AND NOT {has_row}"
    ).fetchall()
    where = " AND ".join(f"{column} = %s" for column in table.key)
    for key in keys:
        # Its state may have changed since.
        connection.query(f"DELETE FROM {table.jobs_name} WHERE {where} AND {may_be_deleted}", args=tuple(key))
    return len(keys)
