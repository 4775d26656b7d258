"""What the page of jobs shows beside the jobs themselves: whose they are, stacks, finished runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from datajoint import blob

from imaging_pipeline.errors import NothingFoundError
from imaging_pipeline.explaining.job import Job
from imaging_pipeline.schemas import plain_rows
from imaging_pipeline.schemas.jobs.job_tables import job_table_named
from imaging_pipeline.schemas.jobs.listing import list_jobs
from imaging_pipeline.schemas.jobs.selection import Selection
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.schemas.tables import Tables

_NUM_RUNS = 20


@dataclass(frozen=True)
class Run:
    """A finished run of Suite2p.

    Attributes
    ----------
    metasession_name, ops_name
        What it is of, and its option set.
    timeseries_name, animal_name, username
        The first of its sessions, and whose they are.
    num_rois
        In all planes.
    when
        It was finished.
    """

    metasession_name: str
    ops_name: str
    timeseries_name: str
    session_name: str
    animal_name: str
    username: str
    num_rois: int
    when: datetime


def job(tables: Tables, table: str, key: Mapping[str, str]) -> Job:
    """Return one job.

    Raises
    ------
    NothingFoundError
        There is none.
    InputError
        There is no such table, or a column is none of its key.
    """
    page = list_jobs(tables, Selection(table=table, key=key), limit=1)
    if page.jobs:
        return page.jobs[0]
    raise NothingFoundError(
        "There is no such job",
        found=f"{table} {dict(key)}",
        remedy="Look at the list again: it was made, or what it was made from is gone.",
    )


def stack(tables: Tables, failed: Job) -> str:
    """Return where in the code a job failed; empty where it did not."""
    table = job_table_named(tables, failed.table)
    # Not by DataJoint, which needs ten queries to know a job table.
    where = " AND ".join(f"{column} = %s" for column in table.key)
    query = f"SELECT error_stack FROM {table.jobs_name} WHERE {where}"
    rows = plain_rows.fetch(tables.connection, query, [failed.key[column] for column in table.key])
    stored = rows[0][0] if rows else None
    return "" if stored is None else str(blob.unpack(bytes(stored)))


def owner(tables: Tables, key: Mapping[str, object]) -> str | None:
    """Return the experimenter whose recording or request a job is of; None where that is gone."""
    imaging = tables.imaging
    for column, table in (("basefolder_id", imaging.BaseFolder), ("metasession_name", imaging.MetaSession)):
        if column in key:
            rows = (table & {column: key[column]}).proj("username").to_dicts()
            return rows[0]["username"] if rows else None
    return None


def finished_runs(tables: Tables) -> list[Run]:
    """Return the newest finished runs of Suite2p."""
    imaging = tables.imaging
    runs = tables.suite2p_jobs.Suite2Py.proj("run_num_rois", "suite2py_entry_time")
    newest: list[Row] = runs.to_dicts(order_by="suite2py_entry_time DESC", limit=_NUM_RUNS)
    of_runs = [{"metasession_name": run["metasession_name"]} for run in newest]
    metasessions = imaging.MetaSession.proj("username", "animal_id", "datasource_id") & of_runs
    first = imaging.Session.proj("timeseries_name", "session_order") & "session_order = 0"
    joined = metasessions * tables.mlims.Animal.proj("animal_name") * first
    by_metasession = {row["metasession_name"]: row for row in joined.to_dicts()} if newest else {}
    return [
        Run(
            run["metasession_name"],
            run["ops_name"],
            row["timeseries_name"],
            row["session_name"],
            row["animal_name"],
            row["username"],
            run["run_num_rois"],
            run["suite2py_entry_time"],
        )
        for run in newest
        # A run may have been purged since it was read.
        if (row := by_metasession.get(run["metasession_name"])) is not None
    ]
