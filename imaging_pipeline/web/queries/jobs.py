"""What the page of jobs shows besides the jobs: their owners, tracebacks, and finished runs of Suite2p."""

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
        Its MetaSession and option set.
    timeseries_name, animal_name, username
        Of the first of its sessions.
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
        There is no such job.
    InputError
        There is no such table, or a column is not in its key.
    """
    for job in list_jobs(tables, Selection(table=table, key=key), limit=1).jobs:
        return job
    raise NothingFoundError(
        "There is no such job",
        found=f"{table} {dict(key)}",
        remedy="Look at the list again: it was made, or what it was made from is gone.",
    )


def stack(tables: Tables, job: Job) -> str:
    """Return the traceback of a failed job; empty where it did not fail."""
    jobs = job_table_named(tables, job.table)
    # A plain statement: DataJoint sends ten before it knows a job table.
    where = " AND ".join(f"{column} = %s" for column in jobs.key)
    query = f"SELECT error_stack FROM {jobs.jobs_name} WHERE {where}"
    rows = plain_rows.fetch(tables.connection, query, [job.key[column] for column in jobs.key])
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
    first_sessions = {row["metasession_name"]: row for row in joined.to_dicts()} if newest else {}
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
        # It is missing where the run was purged between the two queries.
        if (row := first_sessions.get(run["metasession_name"])) is not None
    ]
