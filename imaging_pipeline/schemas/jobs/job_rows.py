"""The jobs of one table as SQL: the rows of its job table, and the keys that no worker has met yet.

What is done is told by the rows that were made, whoever made them. Where one was purged, its key is pending
again, which the next worker that looks finds as well.
"""

from __future__ import annotations

from collections.abc import Sequence

from imaging_pipeline.explaining.job import JobStatus
from imaging_pipeline.schemas import server_clock

from .job_tables import JobTable, Populated
from .sql import Sql, one_of, together

DEFAULT_PRIORITY = 5

UNFINISHED = tuple(status for status in JobStatus if status is not JobStatus.SUCCESS)
# By their index, which "is not success" would make no use of.
_MET = "status IN ('pending', 'reserved', 'error', 'ignore')"

# Since when a job is as it is.
_SINCE = (
    "CASE status WHEN 'reserved' THEN reserved_time WHEN 'pending' THEN created_time"
    " ELSE coalesce(completed_time, created_time) END"
)


def state(backend: str) -> str:
    """Return SQL for the `explaining.job.JobStatus` of a row of a job table."""
    # PostgreSQL takes no other word for a value of an enumeration.
    status = "status::text" if backend == "postgresql" else "status"
    is_later = "status = 'pending' AND scheduled_time > CURRENT_TIMESTAMP(3)"
    return f"CASE WHEN {is_later} THEN 'later' ELSE {status} END"


def unfinished(jobs: JobTable, backend: str, of_key: Sql, statuses: Sequence[JobStatus] = UNFINISHED) -> Sql:
    """Return a query for the jobs of a table that a worker, or a person, has met and that are not done.

    Parameters
    ----------
    jobs
        The table.
    backend
        ``postgresql`` or ``mysql``.
    of_key
        Condition on columns of the key.
    statuses
        How far they are: some of `UNFINISHED`.

    Columns
    -------
    The key; ``state``, an `explaining.job.JobStatus`; ``priority``; ``since_s``, how long it has been so;
    ``due_s``, how long until it may be tried; ``duration``, s; ``error_message``; ``host`` and ``pid`` of
    the process that has it, and ``version``, in which its worker writes its name.
    """
    met = Sql(
        f"SELECT {', '.join(jobs.key)}, {state(backend)} AS state, priority,"
        f" {server_clock.seconds_since(backend, _SINCE)} AS since_s,"
        f" -{server_clock.seconds_since(backend, 'scheduled_time')} AS due_s,"
        " duration, error_message, host, pid, version"
        f" FROM {jobs.jobs_name} AS j WHERE {_MET}{_and(of_key)}",
        of_key.args,
    )
    if set(statuses) == set(UNFINISHED):
        return met
    of_status = one_of("state", map(str, statuses))
    return Sql(f"SELECT * FROM ({met.text}) AS m {of_status.clause}", (*met.args, *of_status.args))


def left(jobs: JobTable, backend: str, of_key: Sql, statuses: Sequence[JobStatus] = UNFINISHED) -> Sql:
    """Return a query for all jobs of a table that are so far and not done, as `unfinished` does."""
    met = unfinished(jobs, backend, of_key, statuses)
    return together([met, new(jobs, of_key)]) if JobStatus.PENDING in statuses else met


def made(jobs: JobTable, backend: str, of_key: Sql, page: str = "") -> Sql:
    """Return a query for the jobs of a table that are done, as `unfinished` does.

    Parameters
    ----------
    jobs, backend, of_key
        As of `unfinished`.
    page
        ``LIMIT`` and ``OFFSET`` by which they are given in order, the newest first.
    """
    keys, in_order = ", ".join(jobs.key), f"ORDER BY made_at DESC, {', '.join(jobs.key)}"
    rows = f"SELECT {keys}, {jobs.entry_time} AS made_at FROM {jobs.full_name} {of_key.clause}"
    if page:
        rows = f"{rows} {in_order} {page}"
    same_key = " AND ".join(f"j.{name} = m.{name}" for name in jobs.key)
    age_s = server_clock.seconds_since(backend, "COALESCE(j.completed_time, made_at)")
    return Sql(
        f"SELECT {', '.join(f'm.{name}' for name in jobs.key)}, '{JobStatus.SUCCESS}' AS state,"
        f" COALESCE(priority, {DEFAULT_PRIORITY}) AS priority, {age_s} AS since_s, NULL AS due_s, duration,"
        " '' AS error_message, COALESCE(host, '') AS host, COALESCE(pid, 0) AS pid,"
        " COALESCE(version, '') AS version"
        f" FROM ({rows}) AS m LEFT JOIN {jobs.jobs_name} AS j ON {same_key} AND j.status = 'success'"
        f" {in_order if page else ''}",
        of_key.args,
    )


def new(jobs: Populated, of_key: Sql) -> Sql:
    """Return a query for the keys to be made that nobody has met, with the columns of `unfinished`."""
    return Sql(
        f"SELECT {', '.join(jobs.key)}, 'pending' AS state, {DEFAULT_PRIORITY} AS priority,"
        " NULL AS since_s, NULL AS due_s, NULL AS duration, '' AS error_message, '' AS host, 0 AS pid,"
        " '' AS version"
        f" FROM ({jobs.keys_sql}) AS k WHERE {_is_new(jobs)}{_and(of_key)}",
        of_key.args,
    )


def num_new(jobs: JobTable, of_key: Sql) -> Sql:
    """Return a query for how many keys are to be made that nobody has met.

    All that is made is of a key: the numbers tell, and none needs to be looked up but those met.
    """
    made = f"(SELECT COUNT(*) FROM {jobs.full_name} {of_key.clause})"
    if jobs.outer_keys_sql:
        # All that is made is of an outer key. What makes one of these a key is looked up of the others alone.
        outer = f"(SELECT COUNT(*) FROM ({jobs.outer_keys_sql}) AS k {of_key.clause})"
        is_key = f"EXISTS ({same(jobs, f'({jobs.keys_sql})', 'k')})"
        looked_up = (
            f"SELECT COALESCE(SUM(CASE WHEN {is_key} THEN 1 ELSE 0 END), 0)"
            f" FROM ({jobs.outer_keys_sql}) AS k WHERE {_is_new(jobs)}{_and(of_key)}"
        )
        return Sql(f"SELECT CASE WHEN {outer} = {made} THEN 0 ELSE ({looked_up}) END", of_key.args * 3)
    keys = f"(SELECT COUNT(*) FROM ({jobs.keys_sql}) AS k {of_key.clause})"
    is_to_be_made = (
        f"EXISTS ({same(jobs, f'({jobs.keys_sql})', 'j')}) AND NOT EXISTS ({same(jobs, jobs.full_name, 'j')})"
    )
    met = f"(SELECT COUNT(*) FROM {jobs.jobs_name} AS j WHERE {_MET}{_and(of_key)} AND {is_to_be_made})"
    return Sql(f"SELECT {keys} - {made} - {met}", of_key.args * 3)


def _is_new(jobs: Populated) -> str:
    return (
        f"NOT EXISTS ({same(jobs, jobs.full_name, 'k')})"
        f" AND NOT EXISTS ({same(jobs, jobs.jobs_name, 'k')} AND {_MET})"
    )


def _and(condition: Sql) -> str:
    return f" AND ({condition.text})" if condition.text else ""


def same(jobs: Populated, table: str, alias: str) -> str:
    """Return a query for the rows of a table, job table or not, with the key of another one."""
    equal = " AND ".join(f"s.{name} = {alias}.{name}" for name in jobs.key)
    return f"SELECT 1 FROM {table} AS s WHERE {equal}"
