"""What a policy may decide. The loop asks all of them and knows none."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from imaging_pipeline.errors import PipelineError, Responsible
from imaging_pipeline.workers import policies
from imaging_pipeline.workers.messages import Fate, Finished, Key
from imaging_pipeline.workers.settings import Settings

if TYPE_CHECKING:
    from imaging_pipeline.workers.job_queue import JobQueue, Reservation

AT_ONCE = (0.0,)
"""Pauses of what may be tried again immediately, as often as it takes."""

LATER = (60.0, 60.0, 120.0, 240.0, 480.0, 900.0)
"""Pauses, in seconds, of what a person or another machine has to do with."""


class KeyGoneError(RuntimeError):
    """What a job was to be made from was removed while it was being made."""


@dataclass(frozen=True)
class Verdict:
    """What becomes of a job that did not finish.

    Attributes
    ----------
    fate
        ``ERROR`` is kept, a ``GONE`` job is dropped; after any other the job is pending again.
    what, remedy, responsible
        What happened, what to do and whose move it is, where the error does not say so itself, or where this
        counts instead.
    pauses_s
        How long a job that is pending again is left alone after its first, second … attempt in a row; the
        last counts for all that follow.
    max_attempts
        How often the job is tried, by whatever worker, until the error is kept all the same; 0 for ever.
    max_deaths
        How many processes may die of the job in a row until the error is kept, in its own words; 0 where
        none died.
    keeps_result
        Whether what the job computed is as good as before, so that only its transaction is run again.
    """

    fate: Fate
    what: str = ""
    remedy: str = ""
    responsible: Responsible | None = None
    pauses_s: tuple[float, ...] = AT_ONCE
    max_attempts: int = 0
    max_deaths: int = 0
    keeps_result: bool = False


@dataclass(frozen=True)
class Death:
    """A job that was reserved when its process, or its whole worker, died.

    Attributes
    ----------
    cause
        How that is known, as a sentence without a final stop.
    number
        How many processes died of this job in a row, this one too, by the job's row.
    """

    table: str
    key: Key
    cause: str
    number: int


@dataclass(frozen=True)
class Watch:
    """What a worker sees of the others, for policies that look after them.

    Attributes
    ----------
    name
        Of this worker.
    pids
        Its living job processes.
    queues
        The jobs of all lanes, those of this worker or not, by ``module:Class``.
    workers
        The table of workers, on the supervisor's connection.
    steady_s
        For how long this worker has heard the database without a break.
    late_s
        How old its own last beat is, by the server's clock, when it is late.
    bury
        Settles a reservation whose process is dead, and gives what became of the job; None where somebody
        else was faster.
    """

    name: str
    pids: frozenset[int]
    queues: Mapping[str, JobQueue]
    workers: Any
    steady_s: float
    late_s: float
    bury: Callable[[str, Reservation, str], Finished | None]


class Policy:
    """A policy overrides the hooks that concern it.

    `judge` is asked in the job process, the others in the supervisor; each process has its own
    instance.

    Parameters
    ----------
    settings
        What the worker was told; nothing where it is not given.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()

    def judge(self, error: BaseException) -> Verdict | None:
        """Return what becomes of a job that raised ``error``; None where it is no concern."""
        return None

    def judge_death(self, death: Death) -> Verdict | None:
        """Return what becomes of a job whose process died; None where it is no concern."""
        return None

    def on_beat(self, watch: Watch) -> Iterator[str]:
        """Do something from time to time, also while a job runs, and tell what was done."""
        yield from ()

    def after_job(self, finished: Finished) -> None:
        """Take note of what came of an order."""

    def why_not(self, table: str) -> str | None:
        """Return why this worker leaves a table alone; None where it may work on it."""
        return None

    def enough(self, num_running: int) -> str | None:
        """Return why this worker begins no further job beside those that run; None where it may."""
        return None


def load_policies(settings: Settings | None = None) -> tuple[Policy, ...]:
    """Make one of each policy that has a file in `imaging_pipeline.workers.policies`."""
    for module in pkgutil.iter_modules(policies.__path__, f"{policies.__name__}."):
        importlib.import_module(module.name)
    return tuple(policy(settings) for policy in Policy.__subclasses__())


def first_verdict(verdicts: Iterator[Verdict | None], otherwise: Verdict) -> Verdict:
    """Return the first verdict that a policy has, or another one where none has any."""
    return next((verdict for verdict in verdicts if verdict), otherwise)


def cause(error: BaseException | None) -> BaseException | None:
    """Look through our errors at what they were raised from."""
    while isinstance(error, PipelineError):
        error = error.__cause__
    return error
