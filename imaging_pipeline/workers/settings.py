"""What a worker is told on its command line."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """Which jobs a worker does, how many, and with how much of its machine.

    Attributes
    ----------
    restriction
        SQL condition, as `schemas.jobs.restrictions` takes it: only jobs of sessions and requests for
        which it is true are done, looked for and taken up from dead workers. Empty for all.
    first
        The same for the jobs that are done before all others.
    priority
        Only jobs with this priority or a more urgent one, which is a lower number; None for all.
    max_jobs, max_hours
        After so many jobs, or hours, no further job is begun; None for no end.
    processes
        How many jobs are done at a time.
    threads
        Of a run of Suite2p, and of the libraries that calculate; None is all cores for Suite2p, and for
        libraries an equal share of them for each process.
    """

    restriction: str = ""
    first: str = ""
    priority: int | None = None
    max_jobs: int | None = None
    max_hours: float | None = None
    processes: int = 1
    threads: int | None = None
