"""What supervisor and job process say to each other, and what a listener of a worker hears."""

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


class Fate(StrEnum):
    """What came of an order."""

    DONE = "done"
    ERROR = "error"
    """The job's row keeps the error; the job is not tried again by itself."""
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
    """The database was away, or another transaction stood in the way; the job is pending again."""
    GONE = "gone"
    """What the job was to be made from is no more; the job is dropped."""
    LOST = "lost"
    """The reservation was taken away meanwhile; nothing was inserted."""
    RACED = "raced"
    """Another worker was quicker."""
    NOTHING = "nothing"
    """No job is pending that this worker may do."""
    BUSY = "busy"
    """This machine does as many jobs of this kind as it should."""
    FAILED = "failed"
    """The table could not be asked for jobs."""


@dataclass(frozen=True)
class Order:
    """Do one pending job of a table.

    Attributes
    ----------
    table
        ``module:Class``.
    look
        Whether to look for new jobs first, where there may be any.
    only_first
        Whether only jobs count that are to be done before all others.
    """

    table: str
    look: bool
    only_first: bool = False

    @property
    def subject(self) -> str:
        """What it is about."""
        return self.table


@dataclass(frozen=True)
class Errand:
    """Call the function of a duty, ``module:function``."""

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
    """The answer to an `Order` or `Errand`, with its subject; ``key`` is None where no job was begun."""

    table: str
    key: Key | None
    fate: Fate
    message: str = ""
    duration_s: float = 0.0


@dataclass(frozen=True)
class Note:
    """Something worth knowing that belongs to no single job."""

    message: str
    level: int = logging.INFO


@dataclass(frozen=True)
class Able:
    """What the machine was found able to do."""

    abilities: Abilities


@dataclass(frozen=True)
class Idle:
    """Nothing was found to do in any table, and the worker looks again after a while."""


@dataclass(frozen=True)
class Ended:
    """The job process is no more; a negative exit code is the signal that ended it.

    Attributes
    ----------
    reason
        Why there never was one; empty where it had begun.
    """

    pid: int
    exit_code: int
    reason: str = ""


Command = Order | Errand | Interrupt
Report = Started | Advanced | Finished | Note | Able
Event = Started | Advanced | Finished | Note | Idle
