"""Options of a worker's command line, and how long it waits for what."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """Which jobs a worker does, how many, and with how much of its machine.

    Attributes
    ----------
    restriction
        SQL condition, as `schemas.jobs.restrictions` takes it: only jobs of sessions and requests for
        which it is true are done, searched for and taken over from dead workers. Empty for all.
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


@dataclass(frozen=True)
class Timing:
    """Durations in seconds. They are no options: only tests take others.

    Attributes
    ----------
    heartbeat_s
        Between two heartbeats.
    late_s
        Between two heartbeats of a worker's own. If it was longer, it could not have noticed those of others:
        on a machine that was suspended they were silent for as long, and for up to a heartbeat more.
    slice_s
        How long one table is worked on before the others have their turn.
    finish_s
        For the running job to finish when the worker is told to stop.
    give_back_s
        For it to give the job back after that; then it is killed, and the supervisor gives it back.
    at_once_s
        For the same when the worker is told a second time.
    longest_pause_s
        Between two attempts while the database is away.
    full_search_s
        Between two searches of a table of which nothing is recorded as changed.
    patience
        A factor, not seconds: of the pauses before a job is tried again, or here again, and between two
        checks of what the machine can do.
    """

    heartbeat_s: float = 10.0
    late_s: float = 20.0
    slice_s: float = 60.0
    finish_s: float = 10.0
    give_back_s: float = 15.0
    at_once_s: float = 2.0
    longest_pause_s: float = 60.0
    full_search_s: float = 600.0
    patience: float = 1.0

    def pause_s(self, num_failures: int) -> float:
        """Return the pause after failures in a row: a second, then twice as long each time."""
        # The exponent has an end too: after 1,024 failures, some 17 hours, the power would overflow.
        return min(2.0 ** min(num_failures - 1, 60), self.longest_pause_s)
