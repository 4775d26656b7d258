"""Withdrawing a request that waits for its animal: it is not carried out, even if the animal comes."""

from __future__ import annotations

from dataclasses import replace

from imaging_pipeline.errors import InputError
from imaging_pipeline.explaining.missing import REQUESTS
from imaging_pipeline.schemas.checked_rows import exclusive
from imaging_pipeline.schemas.jobs.actions import Action, act
from imaging_pipeline.schemas.jobs.job_tables import job_table_named
from imaging_pipeline.schemas.jobs.new_jobs import insert_new_jobs
from imaging_pipeline.schemas.jobs.selection import Selection
from imaging_pipeline.schemas.jobs.sql import Sql
from imaging_pipeline.schemas.register import pending_animals
from imaging_pipeline.schemas.tables import Tables


def withdraw(tables: Tables, number: int, *, username: str | None = None, reason: str = "") -> None:
    """Withdraw a request that waits for an animal that was misspelt, or that will not come.

    Its row stays, and its job is ignored; a job that is tried again waits again.

    Parameters
    ----------
    tables
        The database.
    number
        ``basefolder_id`` of the request.
    username
        Who does it, a row of ``User``; None for the account of the database.
    reason
        Why.

    Raises
    ------
    InputError
        It does not wait for an animal, or there is no such request or user.
    """
    key = {"basefolder_id": str(int(number))}
    waiting = pending_animals.pending(tables.imaging.BaseFolder)
    # Workers give such a request no job, but only a job can be ignored.
    table = replace(job_table_named(tables, REQUESTS), keys_sql=waiting.proj().make_sql())
    with exclusive(tables):
        if not insert_new_jobs(tables.connection, table, Sql("basefolder_id = %s", (int(number),))):
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
