"""What supervisor and job process say to each other, and what a listener of a worker hears."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from imaging_pipeline.progress import Progress

Key = Mapping[str, object]


class Fate(StrEnum):
    """What came of an order."""

    DONE = "done"
    ERROR = "error"
    """The job's row keeps the error; the job is not tried again by itself."""
    WAITING = "waiting"
    """The job is pending again, for later."""
    UNABLE = "unable"
    """The job is pending again, for another machine."""
    INTERRUPTED = "interrupted"
    """The job is pending again because the worker was told to stop."""
    CRASHED = "crashed"
    """The job is pending again because its process died."""
    DISCONNECTED = "disconnected"
    """The database could not be reached, or not all the time; the job is pending again."""
    GONE = "gone"
    """What the job was to be made from is no more; the job is dropped."""
    LOST = "lost"
    """The reservation was taken away meanwhile; nothing was inserted."""
    RACED = "raced"
    """Another worker was quicker."""
    NOTHING = "nothing"
    """No job is pending."""
    FAILED = "failed"
    """The table could not be asked for jobs."""


@dataclass(frozen=True)
class Order:
    """Do one pending job of a table.

    Attributes
    ----------
    table
        ``module:Class``.
    refresh
        Whether to look for new jobs first.
    """

    table: str
    refresh: bool


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
    """The answer to an `Order`; ``key`` is None where no job was begun."""

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
class Ended:
    """The job process is no more; a negative exit code is the signal that ended it."""

    pid: int
    exit_code: int


Command = Order | Interrupt
Report = Started | Advanced | Finished | Note
Event = Started | Advanced | Finished | Note
