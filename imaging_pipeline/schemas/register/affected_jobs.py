"""Job rows that a registration affects: jobs that block another attempt, and jobs that are running."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from imaging_pipeline.schemas import plain_rows
from imaging_pipeline.schemas.table_names import job_table, our_schemas, schema_of
from imaging_pipeline.schemas.tables import Tables

# An error or ignored job would block its key for ever. A finished one stays, with its duration; where its
# result was purged, DataJoint makes it pending again.
# A pending job with a message was postponed; it is dropped as well, so that its attempts count anew.
_STALE = "(status IN ('error', 'ignore') OR (status = 'pending' AND error_message <> ''))"

# All job tables that the account may read, in every schema of the server. With the standard's views,
# PostgreSQL takes six times as long.
_KEYED_BY_METASESSION = {
    "postgresql": (
        "SELECT nspname, relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace"
        " JOIN pg_attribute ON attrelid = pg_class.oid AND attname = 'metasession_name'"
        " WHERE relname LIKE '~~%%' AND relkind = 'r' AND has_table_privilege(pg_class.oid, 'SELECT')"
    ),
    # This view lists only what the account may read.
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
        The rows are those with one of these values in this column.
    num_rows
        Number of these rows.
    """

    job_table: str
    column: str
    values: tuple[Any, ...]
    num_rows: int = 0


@dataclass(frozen=True)
class RunningJob:
    """A job that a worker has reserved.

    Attributes
    ----------
    job_table
        Full name of the job table.
    metasession_name
        What it works on.
    host, pid
        The process.
    reserved
        When it began, by the server's clock.
    """

    job_table: str
    metasession_name: str
    host: str
    pid: int
    reserved: datetime


def stale_jobs(
    tables: Tables, metasession_names: Sequence[str], basefolder_ids: Sequence[int]
) -> tuple[StaleJobs, ...]:
    """Return the job rows that block keys of MetaSessions and of requests, of each table that has any.

    Job tables of private schemas below ours count too.
    """
    candidates = []
    if metasession_names:
        column, names = "metasession_name", tuple(metasession_names)
        candidates += [StaleJobs(name, column, names) for name in _keyed_by_metasession(tables)]
    if basefolder_ids:
        name = job_table(tables.full_name(tables.imaging.MakeDatasetSessions))
        candidates.append(StaleJobs(name, "basefolder_id", tuple(basefolder_ids)))
    return _counted(tables, candidates)


def drop_jobs(tables: Tables, stale: Sequence[StaleJobs]) -> dict[str, int]:
    """Delete the rows, so that their keys are tried again; return how many there were by job table."""
    dropped = {
        each.job_table: int(tables.connection.query(_rows("DELETE", each), args=each.values).rowcount)
        for each in stale
    }
    return {name: rows for name, rows in dropped.items() if rows}


def running_jobs(tables: Tables, reached: Mapping[str, set[str]]) -> tuple[RunningJob, ...]:
    """Return the running jobs whose rows would be deleted: their results are dropped, and made anew.

    Parameters
    ----------
    tables
        The database.
    reached
        Full name of a table → names of MetaSessions of which rows would be deleted.
    """
    if not reached:
        return ()
    existing = set(_keyed_by_metasession(tables))
    running: list[RunningJob] = []
    for table, names in reached.items():
        jobs = job_table(table)
        if jobs in existing:
            statement = (
                f"SELECT metasession_name, host, pid, reserved_time FROM {jobs}"
                " WHERE status = 'reserved'"
                f" AND metasession_name IN ({plain_rows.placeholders(sorted(names))})"
            )
            rows = plain_rows.fetch(tables.connection, statement, sorted(names))
            running += [RunningJob(jobs, *row) for row in rows]
    return tuple(sorted(running, key=lambda job: (job.job_table, job.metasession_name, job.pid)))


def drop_failed(tables: Tables, reached: Mapping[str, set[str]]) -> None:
    """Delete the jobs that failed of tables of which rows are deleted; those that a person ignores stay.

    Parameters
    ----------
    tables
        The database.
    reached
        Full name of a table → names of MetaSessions of which rows are deleted.
    """
    existing = set(_keyed_by_metasession(tables))
    for table, names in reached.items():
        jobs = job_table(table)
        if jobs in existing and names:
            among = plain_rows.placeholders(sorted(names))
            tables.connection.query(
                f"DELETE FROM {jobs} WHERE status = 'error' AND metasession_name IN ({among})",
                args=tuple(sorted(names)),
            )


def _keyed_by_metasession(tables: Tables) -> list[str]:
    """Return the job tables of our schemas, and of those below, that are keyed by MetaSession."""
    connection, adapter = tables.connection, tables.connection.adapter
    job_tables = plain_rows.fetch(tables.connection, _KEYED_BY_METASESSION[adapter.backend])
    below = our_schemas(tables)
    if not below.issuperset(schema for schema, _ in job_tables):
        # They may be in private schemas made a moment ago, or in those of another lab on this server.
        connection.dependencies.load_all_downstream()
        below = {schema_of(node) for node in connection.dependencies if not node.isdigit()}
    return sorted(adapter.make_full_table_name(*names) for names in job_tables if names[0] in below)


def _counted(tables: Tables, candidates: Sequence[StaleJobs]) -> tuple[StaleJobs, ...]:
    if not candidates:
        return ()
    # One statement for all: most folders have none.
    counts = [
        _rows(f"SELECT {number} AS number, count(*) AS num_rows", each)
        for number, each in enumerate(candidates)
    ]
    values = [value for each in candidates for value in each.values]
    statement = f"SELECT number, num_rows FROM ({' UNION ALL '.join(counts)}) AS counted WHERE num_rows > 0"
    counted = plain_rows.fetch(tables.connection, statement, values)
    return tuple(replace(candidates[number], num_rows=int(rows)) for number, rows in sorted(counted))


def _rows(verb: str, stale: StaleJobs) -> str:
    among = plain_rows.placeholders(stale.values)
    return f"{verb} FROM {stale.job_table} WHERE {stale.column} IN ({among}) AND {_STALE}"
