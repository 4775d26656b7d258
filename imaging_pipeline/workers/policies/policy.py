"""What a policy may decide. The loop calls all of them and knows none."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from imaging_pipeline.errors import PipelineError, Responsible
from imaging_pipeline.workers.messages import Finished, Key, Outcome
from imaging_pipeline.workers.settings import Settings

AT_ONCE = (0.0,)
"""Pauses of what may be tried again immediately, as often as it takes."""

LATER = (60.0, 60.0, 120.0, 240.0, 480.0, 900.0)
"""Pauses, in seconds, of what a person or another machine must act on."""


class KeyGoneError(RuntimeError):
    """What a job was to be made from was removed while it was being made."""


@dataclass(frozen=True)
class RetryDecision:
    """What becomes of a job that did not finish.

    Attributes
    ----------
    outcome
        ``ERROR`` stays in the job's row, a ``GONE`` job is dropped; after any other the job is pending again.
    what, remedy, responsible
        What happened, what to do and who is responsible, where the error does not say so itself, or where
        this counts instead.
    pauses_s
        How long a job that is pending again is left alone after its first, second … attempt in a row; the
        last counts for all that follow.
    max_attempts
        How often the job is tried, by whatever worker, until its error stays; 0 for no end.
    max_deaths
        How many processes may die of the job in a row until its error stays, in its own words; 0 where
        none died.
    keeps_result
        Whether what the job computed is as good as before, so that only its transaction is run again.
    """

    outcome: Outcome
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


class Policy:
    """A policy overrides the hooks that concern it.

    `decide` is called in the job process, the others in the supervisor; each process has its own instance.

    Parameters
    ----------
    settings
        The options of the worker; the defaults where there are none.
    repositories
        The folder of each repository that this machine is configured to have.
    """

    def __init__(self, settings: Settings | None = None, repositories: Collection[Path] = ()) -> None:
        self.settings, self.repositories = settings or Settings(), repositories

    def decide(self, error: BaseException) -> RetryDecision | None:
        """Return what becomes of a job that raised ``error``; None where this policy does not apply."""
        return None

    def decide_death(self, death: Death) -> RetryDecision | None:
        """Return what becomes of a job whose process died; None where this policy does not apply."""
        return None

    def after_job(self, finished: Finished) -> None:
        """Record what became of an order."""

    def skip_reason(self, table: str) -> str | None:
        """Return why this worker leaves a table alone; None where it may work on it."""
        return None

    def end_reason(self, num_running: int) -> str | None:
        """Return why this worker begins no further job beside those that run; None where it may."""
        return None


def load_policies(
    settings: Settings | None = None, repositories: Collection[Path] = ()
) -> tuple[Policy, ...]:
    """Return one of each policy that has a file in this folder."""
    # Importing a policy makes it a subclass of `Policy`: a new file is all that it needs.
    for module in pkgutil.iter_modules([str(Path(__file__).parent)], f"{__package__}."):
        importlib.import_module(module.name)
    return tuple(policy(settings, repositories) for policy in Policy.__subclasses__())


def first_decision(decisions: Iterator[RetryDecision | None], otherwise: RetryDecision) -> RetryDecision:
    """Return the first decision that a policy has made, or another one where none has."""
    return next((decision for decision in decisions if decision), otherwise)


def system_cause(error: BaseException | None) -> BaseException | None:
    """Return the error of a library or of the system that one of ours was raised from."""
    while isinstance(error, PipelineError):
        error = error.__cause__
    return error
