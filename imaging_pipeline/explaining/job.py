"""A job as people see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from imaging_pipeline.errors import ParsedMessage
from imaging_pipeline.explaining.states import JobState
from imaging_pipeline.living_worker import LivingWorker


@dataclass(frozen=True)
class Ignored:
    """Who let a job be ignored, when by the server's clock, and why; the reason may be empty."""

    who: str
    when: datetime
    reason: str


@dataclass(frozen=True)
class Job:
    """A row that a worker makes or has made: how far it is, and whose it is.

    Attributes
    ----------
    table, lane
        ``imaging.Tif``, and the kind of worker that fills it.
    key
        Of the row that it makes.
    description
        Its session, output or folder, in people's words.
    state
        How far it is.
    priority
        Lower is sooner.
    since_s
        How long it has been so; None where no worker has seen it yet.
    due_s
        How long until it may be tried, where it is for later.
    duration_s
        How long it took, where it is done.
    message
        Its error, or what it waits for.
    worker_name, host, pid
        Who has it, or had it last; empty and 0 where that was nobody.
    worker
        The same, where it is known; its last heartbeat may be old.
    ignored
        By whom, where that was looked up.
    """

    table: str
    lane: str
    key: Mapping[str, object]
    description: str
    state: JobState
    priority: int
    since_s: float | None = None
    due_s: float | None = None
    duration_s: float | None = None
    message: ParsedMessage | None = None
    worker_name: str = ""
    host: str = ""
    pid: int = 0
    worker: LivingWorker | None = None
    ignored: Ignored | None = None

    @property
    def short_table(self) -> str:
        """The table without its schema: ``Tif``."""
        return self.table.rpartition(".")[2]
