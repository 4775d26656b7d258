"""The jobs of one table as SQL: the rows of its job table, and the keys that have no job yet.

What is finished is read from the rows that were made, whoever made them. Where one was purged, its key is
pending again, as the next worker that looks for new jobs finds.
"""

from __future__ import annotations

from collections.abc import Sequence

from imaging_pipeline.explaining.states import UNFINISHED, JobState
from imaging_pipeline.schemas import server_clock
from imaging_pipeline.schemas.jobs.job_tables import JobTable, Populated
from imaging_pipeline.schemas.jobs.sql import Sql, is_in, union_all

# DataJoint's, for jobs that it inserts itself.
DEFAULT_PRIORITY = 5

# By their index, which "is not success" would make no use of.
_IS_UNFINISHED = "status IN ('pending', 'reserved', 'error', 'ignore')"

# Since when a job is as it is.
_SINCE = (
    "CASE status WHEN 'reserved' THEN reserved_time WHEN 'pending' THEN created_time"
    " ELSE coalesce(completed_time, created_time) END"
)


def state_sql(backend: str) -> str:
    """Return SQL for the `JobState` of a row of a job table."""
    # PostgreSQL takes no other word for a value of an enumeration.
    status = "status::text" if backend == "postgresql" else "status"
    is_later = "status = 'pending' AND scheduled_time > CURRENT_TIMESTAMP(3)"
    return f"CASE WHEN {is_later} THEN 'later' ELSE {status} END"


def stored_jobs(
    table: JobTable, backend: str, key_condition: Sql, states: Sequence[JobState] = UNFINISHED
) -> Sql:
    """Return a query for the unfinished jobs that are rows of a table's job table.

    Parameters
    ----------
    table
        The table.
    backend
        ``postgresql`` or ``mysql``.
    key_condition
        Condition on columns of the key.
    states
        How far they are: some of `UNFINISHED`.

    Columns
    -------
    The key; ``state``, a `JobState`; ``priority``; ``since_s``, how long it has been so; ``due_s``, how long
    until it may be tried; ``duration``, s; ``error_message``; ``host`` and ``pid`` of the process that has
    it, and ``version``, in which its worker writes its name.
    """
    stored = Sql(
        f"SELECT {', '.join(table.key)}, {state_sql(backend)} AS state, priority,"
        f" {server_clock.seconds_since(backend, _SINCE)} AS since_s,"
        f" -{server_clock.seconds_since(backend, 'scheduled_time')} AS due_s,"
        " duration, error_message, host, pid, version"
        f" FROM {table.jobs_name} AS j WHERE {_IS_UNFINISHED}{_and(key_condition)}",
        key_condition.args,
    )
    if set(states) == set(UNFINISHED):
        return stored
    of_state = is_in("state", map(str, states))
    return Sql(f"SELECT * FROM ({stored.text}) AS m {of_state.clause}", (*stored.args, *of_state.args))


def open_jobs(
    table: JobTable, backend: str, key_condition: Sql, states: Sequence[JobState] = UNFINISHED
) -> Sql:
    """Return a query like `stored_jobs`, whose pending jobs include the keys without a job."""
    stored = stored_jobs(table, backend, key_condition, states)
    if JobState.PENDING not in states:
        return stored
    return union_all([stored, keys_without_job(table, key_condition)])


def finished_jobs(table: JobTable, backend: str, key_condition: Sql, page: str = "") -> Sql:
    """Return a query for the jobs of a table that are done, with the columns of `stored_jobs`.

    Parameters
    ----------
    table, backend, key_condition
        As for `stored_jobs`.
    page
        ``LIMIT`` and ``OFFSET`` in their order, the newest first.
    """
    keys, in_order = ", ".join(table.key), f"ORDER BY made_at DESC, {', '.join(table.key)}"
    rows = f"SELECT {keys}, {table.entry_time} AS made_at FROM {table.full_name} {key_condition.clause}"
    if page:
        # Job rows are looked up only of what stands on the page.
        rows = f"{rows} {in_order} {page}"
    same_key = " AND ".join(f"j.{name} = m.{name}" for name in table.key)
    # A row that was made without a worker has no job: then its own time counts.
    age_s = server_clock.seconds_since(backend, "COALESCE(j.completed_time, made_at)")
    return Sql(
        f"SELECT {', '.join(f'm.{name}' for name in table.key)}, '{JobState.DONE}' AS state,"
        f" COALESCE(priority, {DEFAULT_PRIORITY}) AS priority, {age_s} AS since_s, NULL AS due_s, duration,"
        " '' AS error_message, COALESCE(host, '') AS host, COALESCE(pid, 0) AS pid,"
        " COALESCE(version, '') AS version"
        f" FROM ({rows}) AS m LEFT JOIN {table.jobs_name} AS j ON {same_key} AND j.status = 'success'"
        f" {in_order if page else ''}",
        key_condition.args,
    )


def keys_without_job(table: Populated, key_condition: Sql) -> Sql:
    """Return a query for the keys to be made that have no job yet, with the columns of `stored_jobs`."""
    return Sql(
        f"SELECT {', '.join(table.key)}, 'pending' AS state, {DEFAULT_PRIORITY} AS priority,"
        " NULL AS since_s, NULL AS due_s, NULL AS duration, '' AS error_message, '' AS host, 0 AS pid,"
        " '' AS version"
        f" FROM ({table.keys_sql}) AS k WHERE {_has_no_job(table)}{_and(key_condition)}",
        key_condition.args,
    )


def num_keys_without_job(table: JobTable, key_condition: Sql) -> Sql:
    """Return a query for how many keys are to be made that have no job yet.

    As each row has a key, that is a difference of numbers: only keys that have a job are looked up.
    """
    # Each of the two queries contains the condition three times, hence its arguments, too.
    num_rows = f"(SELECT COUNT(*) FROM {table.full_name} {key_condition.clause})"
    if table.outer_keys_sql:
        # Each row has an outer key. Whether one without a row is a key is looked up.
        num_outer = f"(SELECT COUNT(*) FROM ({table.outer_keys_sql}) AS k {key_condition.clause})"
        is_key = f"EXISTS ({rows_with_key(table, f'({table.keys_sql})', 'k')})"
        looked_up = (
            f"SELECT COALESCE(SUM(CASE WHEN {is_key} THEN 1 ELSE 0 END), 0)"
            f" FROM ({table.outer_keys_sql}) AS k WHERE {_has_no_job(table)}{_and(key_condition)}"
        )
        return Sql(
            f"SELECT CASE WHEN {num_outer} = {num_rows} THEN 0 ELSE ({looked_up}) END", key_condition.args * 3
        )
    num_keys = f"(SELECT COUNT(*) FROM ({table.keys_sql}) AS k {key_condition.clause})"
    is_to_be_made = (
        f"EXISTS ({rows_with_key(table, f'({table.keys_sql})', 'j')})"
        f" AND NOT EXISTS ({rows_with_key(table, table.full_name, 'j')})"
    )
    num_stored = (
        f"(SELECT COUNT(*) FROM {table.jobs_name} AS j"
        f" WHERE {_IS_UNFINISHED}{_and(key_condition)} AND {is_to_be_made})"
    )
    return Sql(f"SELECT {num_keys} - {num_rows} - {num_stored}", key_condition.args * 3)


def rows_with_key(table: Populated, name: str, alias: str) -> str:
    """Return a query for the rows of a table, job table or not, that have the key of another one's row."""
    equal = " AND ".join(f"s.{column} = {alias}.{column}" for column in table.key)
    return f"SELECT 1 FROM {name} AS s WHERE {equal}"


def _has_no_job(table: Populated) -> str:
    return (
        f"NOT EXISTS ({rows_with_key(table, table.full_name, 'k')})"
        # A finished job without its row counts as none: the row was purged.
        f" AND NOT EXISTS ({rows_with_key(table, table.jobs_name, 'k')} AND {_IS_UNFINISHED})"
    )


def _and(condition: Sql) -> str:
    return f" AND ({condition.text})" if condition.text else ""
