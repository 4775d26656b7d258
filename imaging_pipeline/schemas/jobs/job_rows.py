"""The jobs of one table as SQL: the rows of its job table, and the keys that no worker has met yet.

A finished job counts while what it made is there. Where that was purged, its key is pending again, which
the next worker that looks finds as well.
"""

from __future__ import annotations

from collections.abc import Sequence

from imaging_pipeline.explaining.job import JobStatus

from .job_tables import JobTable, Populated
from .sql import Sql, every, one_of, together

DEFAULT_PRIORITY = 5

# By the server's clock; DataJoint writes job rows' times in the zone of the server's session.
_AGE_S = {
    "postgresql": "EXTRACT(EPOCH FROM CURRENT_TIMESTAMP - ({})::timestamptz)",
    "mysql": "(UNIX_TIMESTAMP(CURRENT_TIMESTAMP(3)) - UNIX_TIMESTAMP({}))",
}

# Since when a job is as it is.
_SINCE = (
    "CASE status WHEN 'reserved' THEN reserved_time WHEN 'pending' THEN created_time"
    " ELSE coalesce(completed_time, created_time) END"
)


def state(backend: str) -> str:
    """Give SQL for the `explaining.job.JobStatus` of a row of a job table."""
    # PostgreSQL takes no other word for a value of an enumeration.
    status = "status::text" if backend == "postgresql" else "status"
    is_later = "status = 'pending' AND scheduled_time > CURRENT_TIMESTAMP(3)"
    return f"CASE WHEN {is_later} THEN 'later' ELSE {status} END"


def unfinished(jobs: JobTable, backend: str, of_key: Sql) -> Sql:
    """Give a query for the jobs of a table that a worker, or a person, has met and that are not done.

    Parameters
    ----------
    jobs
        The table.
    backend
        ``postgresql`` or ``mysql``.
    of_key
        Condition on columns of the key.

    Columns
    -------
    The key; ``state``, an `explaining.job.JobStatus`; ``priority``; ``since_s``, how long it has been so;
    ``due_s``, how long until it may be tried; ``duration``, s; ``error_message``; ``host`` and ``pid`` of
    the process that has it, and ``version``, in which its worker writes its name.
    """
    return _met(jobs, backend, every([Sql("status <> 'success'"), of_key]))


def left(jobs: JobTable, backend: str, of_key: Sql) -> Sql:
    """Give a query for all jobs of a table that are not done, as `unfinished` does."""
    return together([unfinished(jobs, backend, of_key), new(jobs, of_key)])


def job_rows(
    jobs: JobTable, backend: str, of_key: Sql, statuses: Sequence[JobStatus] = tuple(JobStatus)
) -> Sql:
    """Give a query for the jobs of a table that are so far, done or not, as `unfinished` does."""
    found = left(jobs, backend, of_key)
    of_status = one_of("state", [str(each) for each in statuses if each is not JobStatus.SUCCESS])
    unmade = Sql(f"SELECT * FROM ({found.text}) AS l {of_status.clause}", (*found.args, *of_status.args))
    if JobStatus.SUCCESS not in statuses:
        return unmade
    # Not asked by their state, which is known: servers could not tell how many these are.
    is_done = Sql(f"status = 'success' AND EXISTS ({same(jobs, jobs.full_name, 'j')})")
    made = _met(jobs, backend, every([is_done, of_key]))
    return together([unmade, made]) if of_status.args else made


def new(jobs: Populated, of_key: Sql) -> Sql:
    """Give a query for the keys to be made that nobody has met, with the columns of `unfinished`."""
    is_new = Sql(
        f"NOT EXISTS ({same(jobs, jobs.full_name, 'k')})"
        f" AND NOT EXISTS ({same(jobs, jobs.jobs_name, 'k')} AND status <> 'success')"
    )
    condition = every([is_new, of_key])
    return Sql(
        f"SELECT {', '.join(jobs.key)}, 'pending' AS state, {DEFAULT_PRIORITY} AS priority,"
        " NULL AS since_s, NULL AS due_s, NULL AS duration, '' AS error_message, '' AS host, 0 AS pid,"
        " '' AS version"
        f" FROM ({jobs.keys_sql}) AS k {condition.clause}",
        condition.args,
    )


def _met(jobs: JobTable, backend: str, condition: Sql) -> Sql:
    return Sql(
        f"SELECT {', '.join(jobs.key)}, {state(backend)} AS state, priority,"
        f" {_AGE_S[backend].format(_SINCE)} AS since_s,"
        f" -{_AGE_S[backend].format('scheduled_time')} AS due_s, duration, error_message, host, pid, version"
        f" FROM {jobs.jobs_name} AS j {condition.clause}",
        condition.args,
    )


def same(jobs: Populated, table: str, alias: str) -> str:
    """Give a query for the rows of a table, job table or not, with the key of another one."""
    equal = " AND ".join(f"s.{name} = {alias}.{name}" for name in jobs.key)
    return f"SELECT 1 FROM {table} AS s WHERE {equal}"
