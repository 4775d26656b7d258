"""What supervisor and job process send each other, and what a listener of a worker receives."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from imaging_pipeline.progress import Progress

if TYPE_CHECKING:
    from imaging_pipeline.workers.abilities import Abilities

Key = Mapping[str, object]


class Outcome(StrEnum):
    """What became of an order. The values stand in the worker's log."""

    DONE = "done"
    ERROR = "error"
    """The job's row holds the error; the job is not tried again by itself."""
    WAITING = "waiting"
    """The job is pending again, for later."""
    UNABLE = "unable"
    """This machine lacks something for all jobs of the table; where one was begun, it is pending again."""
    ELSEWHERE = "left to other machines"
    """This machine lacks something for this job, which is pending again."""
    INTERRUPTED = "interrupted"
    """The job is pending again because the worker was told to stop."""
    CRASHED = "crashed"
    """The job is pending again because its process died."""
    DISCONNECTED = "disconnected"
    """The database was away, or another transaction blocked it; the job is pending again."""
    GONE = "gone"
    """What the job was to be made from was deleted; the job is dropped."""
    LOST = "lost"
    """The reservation was taken away meanwhile; nothing was inserted."""
    RACED = "raced"
    """Another worker was faster."""
    NOTHING = "nothing"
    """No job is pending that this worker may do."""
    BUSY = "busy"
    """This machine does as many jobs of this kind as it should."""
    FAILED = "failed"
    """The table could not be searched for jobs."""


@dataclass(frozen=True)
class Order:
    """Make one pending job of a table.

    Attributes
    ----------
    table
        ``module:Class``.
    search
        Whether to search for new jobs first, where there may be any.
    only_first
        Whether only jobs count that are to be done before all others.
    """

    table: str
    search: bool
    only_first: bool = False

    @property
    def subject(self) -> str:
        """What it is about."""
        return self.table


@dataclass(frozen=True)
class TaskOrder:
    """Call the function of a periodic task, ``module:function``."""

    function: str

    @property
    def subject(self) -> str:
        """What it is about."""
        return self.function


@dataclass(frozen=True)
class Interrupt:
    """Stop now: give the running job back, and end."""


@dataclass(frozen=True)
class Started:
    """A job is reserved and begins."""

    table: str
    key: Key
    pid: int


@dataclass(frozen=True)
class Advanced:
    """How far the running job is."""

    table: str
    key: Key
    progress: Progress


@dataclass(frozen=True)
class Finished:
    """The response to an order; ``table`` is the order's subject, ``key`` None where no job was begun."""

    table: str
    key: Key | None
    outcome: Outcome
    message: str = ""
    duration_s: float = 0.0


@dataclass(frozen=True)
class Note:
    """Something worth knowing that belongs to no single job."""

    message: str
    level: int = logging.INFO


@dataclass(frozen=True)
class AbilitiesChanged:
    """What the machine can do since now."""

    abilities: Abilities


@dataclass(frozen=True)
class Idle:
    """No table had a job, and the worker searches again after a while."""


@dataclass(frozen=True)
class ProcessEnded:
    """The job process has ended; a negative exit code is the signal that ended it.

    Attributes
    ----------
    reason
        Why it could not be started; empty where it ran.
    """

    pid: int
    exit_code: int
    reason: str = ""


Command = Order | TaskOrder | Interrupt
Report = Started | Advanced | Finished | Note | AbilitiesChanged
Event = Started | Advanced | Finished | Note | Idle
