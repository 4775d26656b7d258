"""Withdrawing a request that waits for its animal: whatever animals come, it is not carried out."""

from __future__ import annotations

from dataclasses import replace

from imaging_pipeline.errors import InputError
from imaging_pipeline.explaining.missing import REQUESTS
from imaging_pipeline.schemas.checked_rows import exclusive
from imaging_pipeline.schemas.register import pending_animals
from imaging_pipeline.schemas.tables import Tables

from .actions import Action, act
from .entering import enter_new
from .job_tables import job_table_named
from .selection import Selection
from .sql import Sql


def withdraw(tables: Tables, number: int, *, username: str | None = None, reason: str = "") -> None:
    """Withdraw a request that waits for its animal, which was misspelt, or will not come.

    Its row stays, and its job is ignored; a job that is tried again waits again.

    Parameters
    ----------
    tables
        The database.
    number
        ``basefolder_id`` of the request.
    username
        Who does it, a row of ``User``; the account of the database where nobody is named.
    reason
        Why.

    Raises
    ------
    InputError
        It does not wait for an animal, or there is no such request or user.
    """
    key = {"basefolder_id": str(int(number))}
    waiting = pending_animals.pending(tables.imaging.BaseFolder)
    # No worker meets such a request: it has no job yet.
    jobs = replace(job_table_named(tables, REQUESTS), keys_sql=waiting.proj().make_sql())
    with exclusive(tables):
        if not enter_new(tables.connection, jobs, Sql("basefolder_id = %s", (int(number),))):
            raise _does_not_wait(tables, number)
        act(tables, Action.IGNORE, Selection(REQUESTS, key=key), username=username, reason=reason)


def _does_not_wait(tables: Tables, number: int) -> InputError:
    rows = (tables.imaging.BaseFolder & {"basefolder_id": int(number)}).to_dicts()
    if not rows:
        return InputError(
            f"There is no request {number}", remedy="See imaging-pipeline report FOLDER for its number."
        )
    if rows[0]["animal_id"] is None:
        return InputError(f"Request {number} is withdrawn already", remedy="Nothing.")
    return InputError(
        f"Request {number} does not wait for an animal",
        found=f"its animal is here: {rows[0]['animal_id']}",
        remedy="One that no worker has carried out yet is left alone by imaging-pipeline jobs ignore"
        f" basefolder_id={number}; sessions that are registered are deleted by imaging-pipeline retire.",
    )
