"""Workers that give signs of life, and what each of them can do."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from imaging_pipeline.lanes import Need
from imaging_pipeline.schemas import server_clock
from imaging_pipeline.schemas.tables import Tables

from .fetching import Row


@dataclass(frozen=True)
class Lack:
    """Something that a worker's machine lacks, so that it leaves the jobs that need it to others.

    Attributes
    ----------
    kind, name
        What, and which one: the repository ``moser``, the store ``main``.
    reason
        What was found, as a sentence.
    remedy
        What to do on that machine, as a sentence; the administrator's move.
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
    """A worker as its row tells it.

    Attributes
    ----------
    name, host, pid, version, lanes
        Who it is; the process is its supervisor's, the lanes are in the order of work.
    started
        UTC, by the server's clock.
    heartbeat_age_s
        How long ago it last gave a sign of life, by the server's clock.
    silent_after_s
        At which age of its heartbeat it is held for dead.
    restriction
        SQL condition on the sessions whose jobs alone it does; empty where it does all.
    processes
        That make rows. A reserved job belongs to this worker where its host and pid are those of one.
    lacks
        What its machine lacks.
    scratch_bytes, memory_bytes
        What its machine has free; None where it does not run Suite2p.
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

    @property
    def is_silent(self) -> bool:
        """Whether it has missed so many heartbeats that its jobs are given to others."""
        return self.heartbeat_age_s > self.silent_after_s

    @property
    def doing(self) -> str:
        """The running jobs and how far they are; empty where it waits for work."""
        return "; ".join(process.doing for process in self.processes if process.doing)


def living(tables: Tables) -> tuple[LivingWorker, ...]:
    """Give the workers that live, by the server's clock, sorted by host and name."""
    return tuple(worker for worker in _all(tables) if not worker.is_silent)


def silent(tables: Tables) -> tuple[LivingWorker, ...]:
    """Give the workers that stopped giving signs of life and whose jobs nobody has taken up yet."""
    return tuple(worker for worker in _all(tables) if worker.is_silent)


def living_hosts(tables: Tables, lane: str) -> tuple[str, ...]:
    """Give the machines on which workers of a lane live."""
    return tuple(dict.fromkeys(worker.host for worker in living(tables) if lane in worker.lanes))


def _all(tables: Tables) -> Iterable[LivingWorker]:
    worker = tables.imaging.Worker
    age = server_clock.seconds_since(tables.connection, "worker_heartbeat")
    query = f"SELECT *, {age} AS age_s FROM {worker.full_table_name} ORDER BY worker_host, worker_name"
    rows = tables.connection.query(query, as_dict=True).fetchall()
    processes, lacks = _by_worker(worker.Process()), _by_worker(worker.Lack())
    for row in rows:
        name = row["worker_name"]
        jobs = (JobProcess(each["process_pid"], each["process_doing"]) for each in processes[name])
        yield LivingWorker(
            name=name,
            host=row["worker_host"],
            pid=row["worker_pid"],
            version=row["worker_version"],
            lanes=tuple(row["worker_lanes"].split(",")),
            started=row["worker_started"],
            heartbeat_age_s=float(row["age_s"]),
            silent_after_s=row["worker_silent_after"],
            restriction=row["worker_restriction"],
            processes=tuple(jobs),
            lacks=tuple(
                Lack(Need(each["lack_kind"]), each["lack_name"], each["lack_reason"], each["lack_remedy"])
                for each in lacks[name]
            ),
            scratch_bytes=row["worker_scratch_bytes"],
            memory_bytes=row["worker_memory_bytes"],
        )


def _by_worker(part: Any) -> dict[str, list[Row]]:
    by_name: dict[str, list[Row]] = defaultdict(list)
    for row in part.to_dicts(order_by="KEY"):
        by_name[row["worker_name"]].append(row)
    return by_name
