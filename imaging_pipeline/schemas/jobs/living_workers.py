"""Workers that give signs of life, and what each of them can do."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from imaging_pipeline.lanes import Need
from imaging_pipeline.living_worker import OF_PRIORITY, JobProcess, Lack, LivingWorker
from imaging_pipeline.schemas import server_clock
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.schemas.tables import Tables

__all__ = ["JobProcess", "Lack", "LivingWorker", "living", "living_hosts", "met", "silent"]


def living(tables: Tables) -> tuple[LivingWorker, ...]:
    """Return the workers that live, by the server's clock, sorted by host and name."""
    return tuple(worker for worker in _all(tables) if not worker.is_silent)


def silent(tables: Tables) -> tuple[LivingWorker, ...]:
    """Return the workers that stopped giving signs of life and whose jobs nobody has taken up yet."""
    return tuple(worker for worker in _all(tables) if worker.is_silent)


def met(tables: Tables) -> tuple[LivingWorker, ...]:
    """Return those that live, then those that are silent."""
    return tuple(sorted(_all(tables), key=lambda worker: worker.is_silent))


def living_hosts(tables: Tables, lane: str) -> tuple[str, ...]:
    """Return the machines on which workers of a lane live."""
    return tuple(dict.fromkeys(worker.host for worker in living(tables) if lane in worker.lanes))


def _all(tables: Tables) -> Iterable[LivingWorker]:
    worker = tables.imaging.Worker
    age = server_clock.seconds_since_utc(tables.connection.adapter.backend, "worker_heartbeat")
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
                if each["lack_kind"] != OF_PRIORITY
            ),
            scratch_bytes=row["worker_scratch_bytes"],
            memory_bytes=row["worker_memory_bytes"],
            priority=_priority(lacks[name]),
        )


def _by_worker(part: Any) -> dict[str, list[Row]]:
    by_name: dict[str, list[Row]] = defaultdict(list)
    for row in part.to_dicts(order_by="KEY"):
        by_name[row["worker_name"]].append(row)
    return by_name


def _priority(lacks: Iterable[Row]) -> int | None:
    return next((int(each["lack_name"]) for each in lacks if each["lack_kind"] == OF_PRIORITY), None)
