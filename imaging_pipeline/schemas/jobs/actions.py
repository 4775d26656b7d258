"""What a person does with jobs: try again, ignore, do sooner; recorded with who did it and when.

Jobs that run and those that are done are never changed. Rows are locked before their state is read, so that
no worker can reserve one before it is changed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from imaging_pipeline import names
from imaging_pipeline.errors import InputError
from imaging_pipeline.explaining.states import JOB_STATES, JobState
from imaging_pipeline.schemas.checked_rows import exclusive, existing, next_number
from imaging_pipeline.schemas.jobs.job_rows import finished_jobs, open_jobs, state_sql
from imaging_pipeline.schemas.jobs.new_jobs import insert_new_jobs
from imaging_pipeline.schemas.jobs.selection import Selection, TableSelection, select
from imaging_pipeline.schemas.jobs.sql import all_of, is_in, union_all
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.schemas.tables import Tables


class Action(StrEnum):
    """What a person does with jobs."""

    RETRY = "retry"
    IGNORE = "ignore"
    PRIORITISE = "prioritise"


@dataclass(frozen=True)
class ChangedJob:
    """A job that was changed.

    Attributes
    ----------
    table, key
        The job: ``imaging.Tif`` and its key.
    state, priority
        As it was before.
    """

    table: str
    key: Mapping[str, object]
    state: JobState
    priority: int


@dataclass(frozen=True)
class ActionResult:
    """What was done.

    Attributes
    ----------
    jobs
        The jobs that were changed.
    unchanged
        How many other jobs are selected, by how far they are.
    """

    jobs: tuple[ChangedJob, ...]
    unchanged: Mapping[JobState, int]


# Which jobs are changed, and how. One that is pending is tried as it is; one for later is tried now.
_CHANGED_STATES = {
    Action.RETRY: (JobState.ERROR, JobState.IGNORED, JobState.LATER),
    Action.IGNORE: (JobState.PENDING, JobState.LATER, JobState.ERROR),
    Action.PRIORITISE: (JobState.PENDING, JobState.LATER, JobState.ERROR, JobState.IGNORED),
}
# DataJoint keeps times of jobs in milliseconds. The message goes because it counts earlier attempts.
_ASSIGNMENTS = {
    Action.RETRY: (
        "status = 'pending', scheduled_time = CURRENT_TIMESTAMP(3), reserved_time = NULL,"
        " completed_time = NULL, error_message = '', error_stack = NULL"
    ),
    Action.IGNORE: "status = 'ignore'",
    Action.PRIORITISE: "priority = %s",
}
# A key without a job has no row that could hold this: it gets one first.
_OF_KEYS_WITHOUT_JOB = (Action.IGNORE, Action.PRIORITISE)
# Keys in one statement, so that its length does not grow with the number of jobs.
_NUM_AT_ONCE = 500


def act(
    tables: Tables,
    action: Action,
    selection: Selection,
    *,
    priority: int | None = None,
    username: str | None = None,
    reason: str = "",
) -> ActionResult:
    """Change all selected jobs in one transaction, and record it.

    Parameters
    ----------
    tables
        The database.
    action
        What is done.
    selection
        Which jobs.
    priority
        The new priority, lower is sooner; for `Action.PRIORITISE` only.
    username
        Who does it, a row of ``User``; None for the account of the database.
    reason
        Why.

    Raises
    ------
    InputError
        The selection is empty or selects no job; or there is no such table, column or user.
    """
    if selection.is_all:
        raise InputError(
            "No jobs are selected",
            remedy="name a session, a table, or columns of the key.",
        )
    account = tables.connection.get_user()
    who = account if username is None else existing(tables.imaging.User, "username", username)
    with exclusive(tables):
        selected = select(tables, selection)
        if action in _OF_KEYS_WITHOUT_JOB:
            for of_table in selected:
                # A key without a job has no message either.
                if not of_table.row_condition.text:
                    insert_new_jobs(tables.connection, of_table.table, of_table.key_condition)
        unchanged = _count_unchanged(tables, action, selected)
        changed = [job for of_table in selected for job in _change(tables, action, of_table, priority)]
        if not changed and not unchanged:
            raise _no_job()
        if changed:
            row = {"jobaction_priority": priority, "jobaction_who": who, "jobaction_account": account}
            _record(tables, {**row, "jobaction": str(action), "jobaction_reason": reason}, changed)
    return ActionResult(tuple(changed), unchanged)


def job_hash(table: str, key: Mapping[str, object]) -> str:
    """Return the hash by which the recorded actions on a job are found."""
    return names.hash16(table, *(str(key[column]) for column in sorted(key)))


def _no_job() -> InputError:
    return InputError(
        "No such job is there",
        remedy="see imaging-pipeline jobs; what a job is made from may not be there yet, which"
        " imaging-pipeline explain tells.",
    )


def _change(
    tables: Tables, action: Action, selected: TableSelection, priority: int | None
) -> list[ChangedJob]:
    table = selected.table
    state = state_sql(tables.connection.adapter.backend)
    of_state = is_in(state, map(str, _CHANGED_STATES[action]))
    condition = all_of([of_state, selected.key_condition, selected.row_condition])
    columns = ", ".join(table.key)
    rows = tables.connection.query(
        f"SELECT {columns}, {state} AS state, priority FROM {table.jobs_name} {condition.clause}"
        f" ORDER BY {columns} FOR UPDATE",
        args=condition.args,
    ).fetchall()
    values = () if priority is None else (priority,)
    placeholders = f"({', '.join(['%s'] * len(table.key))})"
    for start in range(0, len(rows), _NUM_AT_ONCE):
        keys = [row[: len(table.key)] for row in rows[start : start + _NUM_AT_ONCE]]
        tables.connection.query(
            f"UPDATE {table.jobs_name} SET {_ASSIGNMENTS[action]}"
            f" WHERE ({columns}) IN ({', '.join([placeholders] * len(keys))})",
            args=(*values, *(value for key in keys for value in key)),
        )
    return [
        ChangedJob(table.name, dict(zip(table.key, row, strict=False)), JobState(row[-2]), int(row[-1]))
        for row in rows
    ]


def _count_unchanged(
    tables: Tables, action: Action, selected: Sequence[TableSelection]
) -> dict[JobState, int]:
    """Count the selected jobs that stay as they are."""
    counts: Counter[JobState] = Counter()
    for of_table in selected:
        source = (of_table.table, tables.connection.adapter.backend, of_table.key_condition)
        jobs, condition = union_all([open_jobs(*source), finished_jobs(*source)]), of_table.row_condition
        query = f"SELECT state, COUNT(*) FROM ({jobs.text}) AS jobs {condition.clause} GROUP BY state"
        rows = tables.connection.query(query, args=(*jobs.args, *condition.args)).fetchall()
        counts.update({JobState(state): int(number) for state, number in rows})
    others = [state for state in JOB_STATES if state not in _CHANGED_STATES[action]]
    return {state: counts[state] for state in others if counts[state]}


def _record(tables: Tables, row: Row, changed: Iterable[ChangedJob]) -> None:
    table = tables.imaging.JobAction
    key = {"jobaction_id": next_number(tables, "jobaction_id", tables.full_name(table))}
    table.insert1({**key, **row})
    table.Job.insert(
        {
            **key,
            "acted_table": job.table,
            "acted_hash": job_hash(job.table, job.key),
            "acted_key": dict(job.key),
            "acted_status": str(job.state),
            "acted_priority": job.priority,
        }
        for job in changed
    )
