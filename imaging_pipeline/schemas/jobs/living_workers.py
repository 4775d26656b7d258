"""Workers with a recent heartbeat, and what each of them can do."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from imaging_pipeline.lanes import Need
from imaging_pipeline.living_worker import OF_PRIORITY, JobProcess, Lack, LivingWorker
from imaging_pipeline.schemas import server_clock
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.schemas.tables import Tables


def living(tables: Tables) -> tuple[LivingWorker, ...]:
    """Return the workers that live, by the server's clock, sorted by host and name."""
    return tuple(worker for worker in _read_workers(tables) if not worker.is_silent)


def silent(tables: Tables) -> tuple[LivingWorker, ...]:
    """Return the workers without a recent heartbeat whose jobs nobody has taken up yet."""
    return tuple(worker for worker in _read_workers(tables) if worker.is_silent)


def living_then_silent(tables: Tables) -> tuple[LivingWorker, ...]:
    """Return the workers that live, then those that are silent."""
    return tuple(sorted(_read_workers(tables), key=lambda worker: worker.is_silent))


def living_hosts(tables: Tables, lane: str) -> tuple[str, ...]:
    """Return the machines on which workers of a lane live."""
    return tuple(dict.fromkeys(worker.host for worker in living(tables) if lane in worker.lanes))


def _read_workers(tables: Tables) -> Iterable[LivingWorker]:
    worker = tables.imaging.Worker
    age = server_clock.seconds_since_utc(tables.connection.adapter.backend, "worker_heartbeat")
    query = f"SELECT *, {age} AS age_s FROM {worker.full_table_name} ORDER BY worker_host, worker_name"
    rows = tables.connection.query(query, as_dict=True).fetchall()
    processes, lacks = _by_worker(worker.Process()), _by_worker(worker.Lack())
    for row in rows:
        name = row["worker_name"]
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
            processes=tuple(JobProcess(own["process_pid"], own["process_doing"]) for own in processes[name]),
            lacks=tuple(
                Lack(Need(own["lack_kind"]), own["lack_name"], own["lack_reason"], own["lack_remedy"])
                for own in lacks[name]
                # Stored among the lacks, but a limit that the worker was given.
                if own["lack_kind"] != OF_PRIORITY
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
    return next((int(lack["lack_name"]) for lack in lacks if lack["lack_kind"] == OF_PRIORITY), None)
