"""Entering jobs that nobody has met yet, and dropping those of keys that are gone."""

from __future__ import annotations

from typing import Any

import datajoint as dj

from imaging_pipeline.schemas.jobs.job_rows import new, same
from imaging_pipeline.schemas.jobs.job_tables import Populated
from imaging_pipeline.schemas.jobs.sql import Sql, every


def enter_new(connection: Any, jobs: Populated, of_key: Sql) -> int:
    """Enter the jobs of a table that are to be made and that nobody has met, and give their number.

    A finished job whose row was purged is entered anew. Somebody else may enter the same at this moment.

    Parameters
    ----------
    connection
        To the database.
    jobs
        The table.
    of_key
        Condition on columns of the key.
    """
    query = new(jobs, of_key)
    found = connection.query(query.text, args=query.args, as_dict=True).fetchall()
    if not found:
        return 0
    purged = Sql(f"status = 'success' AND NOT EXISTS ({same(jobs, jobs.full_name, jobs.jobs_name)})")
    both = every([purged, of_key])
    connection.query(f"DELETE FROM {jobs.jobs_name} {both.clause}", args=both.args)
    # A moment ago: who looks for a job that is due compares with a coarser clock.
    ago = connection.adapter.interval_expr(1, "second")
    due = connection.query(f"SELECT CURRENT_TIMESTAMP(3) - {ago}").fetchone()[0]
    dj.FreeTable(connection, jobs.jobs_name).insert(
        (
            {
                **{column: row[column] for column in jobs.key},
                "status": "pending",
                "priority": row["priority"],
                "scheduled_time": due,
            }
            for row in found
        ),
        skip_duplicates=True,
    )
    return len(found)


def drop_gone(connection: Any, jobs: Populated) -> int:
    """Drop the jobs of keys that are to be made no more and were not made; those ignored stay."""
    source = f"({jobs.keys_sql})"
    query = (
        f"SELECT {', '.join(jobs.key)} FROM {jobs.jobs_name} AS j"
        " WHERE status IN ('pending', 'success', 'error')"
        f" AND NOT EXISTS ({same(jobs, source, 'j')}) AND NOT EXISTS ({same(jobs, jobs.full_name, 'j')})"
    )
    keys = connection.query(query).fetchall()
    where = " AND ".join(f"{column} = %s" for column in jobs.key)
    for key in keys:
        connection.query(
            f"DELETE FROM {jobs.jobs_name} WHERE {where} AND status IN ('pending', 'success', 'error')",
            args=tuple(key),
        )
    return len(keys)
