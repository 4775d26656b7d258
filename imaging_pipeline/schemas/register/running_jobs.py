"""Jobs that run while what they are made from is deleted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from imaging_pipeline.schemas import plain_rows
from imaging_pipeline.schemas.register import affected_jobs
from imaging_pipeline.schemas.register.purge import Doomed
from imaging_pipeline.schemas.table_names import job_table
from imaging_pipeline.schemas.tables import Tables


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


def overtaken(tables: Tables, doomed: Doomed) -> tuple[RunningJob, ...]:
    """Return the running jobs whose rows would be deleted: what they make is not written, but made anew."""
    reached = doomed.reached
    if not reached:
        return ()
    there = set(affected_jobs.keyed_by_metasession(tables))
    found = []
    for table, names in reached.items():
        jobs = job_table(table)
        if jobs in there:
            question = (
                f"SELECT metasession_name, host, pid, reserved_time FROM {jobs}"
                f" WHERE status = 'reserved' AND metasession_name IN ({plain_rows.marks(sorted(names))})"
            )
            rows = plain_rows.fetch(tables.connection, question, sorted(names))
            found += [RunningJob(jobs, *row) for row in rows]
    return tuple(sorted(found, key=lambda job: (job.job_table, job.metasession_name, job.pid)))
