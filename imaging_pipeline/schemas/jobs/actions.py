"""What a person does with jobs: try again, leave alone, do sooner; kept with who and when.

Jobs that run, and those that are done, are never touched: what is to be done is decided by the rows as they
are under a lock, in the transaction that changes them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from imaging_pipeline import names
from imaging_pipeline.errors import InputError
from imaging_pipeline.explaining.job import JobStatus
from imaging_pipeline.schemas.checked_rows import exclusive, existing, next_number
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.schemas.tables import Tables

from .entering import enter_new
from .job_rows import left, made, state
from .selection import Selected, Selection, select
from .sql import every, one_of, together


class Action(StrEnum):
    """What is done with jobs."""

    RETRY = "retry"
    IGNORE = "ignore"
    PRIORITISE = "prioritise"


@dataclass(frozen=True)
class ActedJob:
    """A job that something was done with.

    Attributes
    ----------
    table, key
        The job: ``imaging.Tif`` and its key.
    status, priority
        As it was before.
    """

    table: str
    key: Mapping[str, object]
    status: JobStatus
    priority: int


@dataclass(frozen=True)
class Acted:
    """What was done.

    Attributes
    ----------
    jobs
        The jobs that are otherwise now.
    untouched
        How many others are meant as well, by how far they are.
    """

    jobs: tuple[ActedJob, ...]
    untouched: Mapping[JobStatus, int]


# Which jobs are changed, and how. One that is pending is tried as it is; one for later is tried now.
_CHANGED = {
    Action.RETRY: (JobStatus.ERROR, JobStatus.IGNORE, JobStatus.LATER),
    Action.IGNORE: (JobStatus.PENDING, JobStatus.LATER, JobStatus.ERROR),
    Action.PRIORITISE: (JobStatus.PENDING, JobStatus.LATER, JobStatus.ERROR, JobStatus.IGNORE),
}
_BECOMES = {
    Action.RETRY: (
        "status = 'pending', scheduled_time = CURRENT_TIMESTAMP(3), reserved_time = NULL,"
        " completed_time = NULL, error_message = '', error_stack = NULL"
    ),
    Action.IGNORE: "status = 'ignore'",
    Action.PRIORITISE: "priority = %s",
}
# Of these a worker that has not met the job yet would know nothing.
_ALSO_NEW = (Action.IGNORE, Action.PRIORITISE)
_NUM_AT_ONCE = 500


def act(
    tables: Tables,
    action: Action,
    wanted: Selection,
    *,
    priority: int | None = None,
    username: str | None = None,
    reason: str = "",
) -> Acted:
    """Do something with all jobs that are meant, in one transaction, and note it.

    Parameters
    ----------
    tables
        The database.
    action
        What.
    wanted
        Which jobs.
    priority
        What the jobs get, lower is sooner; of `Action.PRIORITISE` only.
    username
        Who does it, a row of ``User``; the account of the database where nobody is named.
    reason
        Why.

    Raises
    ------
    InputError
        Nothing is said of which jobs, or none is meant; or there is no such table, column or user.
    """
    if wanted.is_all:
        raise InputError(
            "Nothing is said of which jobs are meant",
            remedy="name a session, a table, or columns of the key.",
        )
    account = tables.connection.get_user()
    who = account if username is None else existing(tables.imaging.User, "username", username)
    with exclusive(tables):
        selected = select(tables, wanted)
        if action in _ALSO_NEW:
            for each in (each for each in selected if not each.of_row.text):
                enter_new(tables.connection, each.jobs, each.of_key)
        untouched = _untouched(tables, action, selected)
        acted = [job for each in selected for job in _change(tables, action, each, priority)]
        if not acted and not untouched:
            raise _none()
        if acted:
            row = {"jobaction_priority": priority, "jobaction_who": who, "jobaction_account": account}
            _note(tables, {**row, "jobaction": str(action), "jobaction_reason": reason}, acted)
    return Acted(tuple(acted), untouched)


def _none() -> InputError:
    return InputError(
        "No such job is there",
        remedy="see imaging-pipeline jobs; what a job is made from may not be there yet, which"
        " imaging-pipeline explain tells.",
    )


def job_hash(table: str, key: Mapping[str, object]) -> str:
    """Return what a job is found by among those that something was done with."""
    return names.hash16(table, *(str(key[column]) for column in sorted(key)))


def _change(tables: Tables, action: Action, selected: Selected, priority: int | None) -> list[ActedJob]:
    jobs = selected.jobs
    state_sql = state(tables.connection.adapter.backend)
    changed = every([one_of(state_sql, map(str, _CHANGED[action])), selected.of_key, selected.of_row])
    columns = ", ".join(jobs.key)
    rows = tables.connection.query(
        f"SELECT {columns}, {state_sql} AS state, priority FROM {jobs.jobs_name} {changed.clause}"
        f" ORDER BY {columns} FOR UPDATE",
        args=changed.args,
    ).fetchall()
    values = () if priority is None else (priority,)
    one = f"({', '.join(['%s'] * len(jobs.key))})"
    for start in range(0, len(rows), _NUM_AT_ONCE):
        keys = [row[: len(jobs.key)] for row in rows[start : start + _NUM_AT_ONCE]]
        tables.connection.query(
            f"UPDATE {jobs.jobs_name} SET {_BECOMES[action]}"
            f" WHERE ({columns}) IN ({', '.join([one] * len(keys))})",
            args=(*values, *(value for key in keys for value in key)),
        )
    return [
        ActedJob(jobs.name, dict(zip(jobs.key, row, strict=False)), JobStatus(row[-2]), int(row[-1]))
        for row in rows
    ]


def _untouched(tables: Tables, action: Action, selected: Sequence[Selected]) -> dict[JobStatus, int]:
    """Count the jobs that are meant and stay as they are."""
    counted: Counter[JobStatus] = Counter()
    for each in selected:
        of_table = (each.jobs, tables.connection.adapter.backend, each.of_key)
        found = together([left(*of_table), made(*of_table)])
        query = f"SELECT state, COUNT(*) FROM ({found.text}) AS found {each.of_row.clause} GROUP BY state"
        rows = tables.connection.query(query, args=(*found.args, *each.of_row.args)).fetchall()
        counted.update({JobStatus(state): int(number) for state, number in rows})
    others = [status for status in JobStatus if status not in _CHANGED[action]]
    return {status: counted[status] for status in others if counted[status]}


def _note(tables: Tables, row: Row, acted: Iterable[ActedJob]) -> None:
    table = tables.imaging.JobAction
    key = {"jobaction_id": next_number(tables, "jobaction_id", tables.full_name(table))}
    table.insert1({**key, **row})
    table.Job.insert(
        {
            **key,
            "acted_table": job.table,
            "acted_hash": job_hash(job.table, job.key),
            "acted_key": dict(job.key),
            "acted_status": str(job.status),
            "acted_priority": job.priority,
        }
        for job in acted
    )
