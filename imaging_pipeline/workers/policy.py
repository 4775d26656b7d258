"""What a policy may decide. The loop asks all of them and knows none."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imaging_pipeline.workers import policies
from imaging_pipeline.workers.messages import Fate, Finished, Key

if TYPE_CHECKING:
    from imaging_pipeline.workers.job_queue import JobQueue


class KeyGoneError(RuntimeError):
    """What a job was to be made from was removed while it was being made."""


@dataclass(frozen=True)
class Verdict:
    """What becomes of a job that did not finish.

    Attributes
    ----------
    fate
        ``ERROR`` is kept, a ``GONE`` job is dropped; after any other the job is pending again.
    delay_s
        How long a job that is pending again is left alone.
    message
        The reason, where the error itself does not say it.
    max_attempts
        How often one process begins the job, until the error is kept all the same; 0 for any number.
    """

    fate: Fate
    delay_s: float = 0.0
    message: str = ""
    max_attempts: int = 0


@dataclass(frozen=True)
class Death:
    """A job that was running when its process died."""

    table: str
    key: Key
    exit_code: int


class Policy:
    """A policy overrides the hooks that concern it.

    `judge` is asked in the job process, the others in the supervisor; each process has its own
    instance.
    """

    def judge(self, error: BaseException) -> Verdict | None:
        """Say what becomes of a job that raised ``error``; None where it is no concern."""
        return None

    def judge_death(self, death: Death) -> Verdict | None:
        """Say what becomes of a job whose process died; None where it is no concern."""
        return None

    def before_pass(self, queues: Sequence[JobQueue]) -> Iterator[str]:
        """Do something before each pass over the tables, and tell what was done."""
        yield from ()

    def after_job(self, finished: Finished) -> None:
        """Take note of what came of an order."""

    def why_not(self, table: str) -> str | None:
        """Say why this worker leaves a table alone; None where it may work on it."""
        return None


def load_policies() -> tuple[Policy, ...]:
    """Make one of each policy that has a file in `imaging_pipeline.workers.policies`."""
    for module in pkgutil.iter_modules(policies.__path__, f"{policies.__name__}."):
        importlib.import_module(module.name)
    return tuple(policy() for policy in Policy.__subclasses__())
