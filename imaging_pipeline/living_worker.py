"""A worker as others see it: what it does, and what its machine lacks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from imaging_pipeline.lanes import Need

OF_PRIORITY = "priority"
"""Kind of the row among what a worker lacks that says which priority, its name, its jobs have at least."""


@dataclass(frozen=True)
class Lack:
    """Something that a worker's machine lacks, so that it leaves the jobs that need it to others.

    Attributes
    ----------
    kind, name
        What, and which one: the repository ``moser``, the store ``main``.
    reason
        What is missing and why, as a sentence.
    remedy
        What the administrator does on that machine, as a sentence.
    """

    kind: Need
    name: str
    reason: str
    remedy: str


@dataclass(frozen=True)
class JobProcess:
    """A process of a worker that makes rows: its number on the worker's host, and its job if it has one."""

    pid: int
    doing: str


@dataclass(frozen=True)
class LivingWorker:
    """A worker as its row describes it.

    Attributes
    ----------
    name, host, pid, version, lanes
        Who it is; the process is its supervisor's, the lanes are in the order of work.
    started
        UTC, by the server's clock.
    heartbeat_age_s
        How long ago it last gave a sign of life, by the server's clock.
    silent_after_s
        At which age of its heartbeat it counts as dead.
    restriction
        SQL condition on the sessions whose jobs alone it does; empty where it does all.
    processes
        That make rows. A reserved job belongs to this worker where its host and pid are those of one.
    lacks
        What its machine lacks.
    scratch_bytes, memory_bytes
        What its machine has free; None where it does not run Suite2p.
    priority
        It does only jobs with this priority, or a more urgent one, which is lower; None where it does all.
    """

    name: str
    host: str
    pid: int
    version: str
    lanes: tuple[str, ...]
    started: datetime
    heartbeat_age_s: float
    silent_after_s: float
    restriction: str
    processes: tuple[JobProcess, ...]
    lacks: tuple[Lack, ...]
    scratch_bytes: int | None
    memory_bytes: int | None
    priority: int | None = None

    @property
    def only(self) -> str:
        """Which jobs alone it does; empty where it does all of its lanes."""
        urgent = "" if self.priority is None else f"priority {self.priority} or more urgent"
        return "; ".join(filter(None, (self.restriction, urgent)))

    @property
    def is_silent(self) -> bool:
        """Whether it has missed so many heartbeats that its jobs are given to others."""
        return self.heartbeat_age_s > self.silent_after_s

    @property
    def doing(self) -> str:
        """The running jobs and how far they are; empty where it waits for work."""
        return "; ".join(process.doing for process in self.processes if process.doing)
