"""Which other workers are dead, and what they left reserved."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from imaging_pipeline.processes import is_gone
from imaging_pipeline.schemas import server_clock
from imaging_pipeline.workers.job_queue import Reservation
from imaging_pipeline.workers.machine import machine_hash
from imaging_pipeline.workers.policy import Watch

# A job that a person populates by hand has no heart that could be heard.
_BY_HAND_S = 3600.0

_UP_S = {
    "postgresql": "SELECT EXTRACT(EPOCH FROM clock_timestamp() - pg_postmaster_start_time())",
    "mysql": "SHOW GLOBAL STATUS LIKE 'Uptime'",
}


@dataclass(frozen=True)
class Dead:
    """A worker that is no more; the cause is a sentence without a final stop."""

    name: str
    cause: str


def remove_dead(watch: Watch) -> Iterator[Dead]:
    """Remove the rows of dead workers, and give those that nobody else has removed meanwhile.

    One is dead if its process is gone from this machine, or if it missed its beats while the server was there
    for them and this worker would have heard them: after an outage everybody is silent for a moment, and so
    is everybody when the server's clock is set forward.
    """
    rows = _workers(watch)
    own = rows.pop(watch.name, None)
    heard = own is not None and float(own["age_s"]) <= watch.late_s
    for row in rows.values():
        age_s, allowed_s = float(row["age_s"]), row["worker_silent_after"]
        where = f"The worker {row['worker_name']} on {row['worker_host']}"
        if row["worker_machine"] == machine_hash() and is_gone(row["worker_pid"]):
            cause = f"{where} died: its process {row['worker_pid']} is gone"
        elif age_s > allowed_s and heard and min(watch.steady_s, up_s(watch.workers.connection)) > allowed_s:
            cause = f"{where} gave no sign of life for {age_s:.0f} s"
        else:
            continue
        if _remove(watch.workers, row):
            yield Dead(row["worker_name"], cause)


def is_orphan(reservation: Reservation) -> bool:
    """Return True if a reservation of no worker that has a row is one that nobody works on."""
    if reservation.worker or (reservation.host == platform.node() and is_gone(reservation.pid)):
        return True
    return reservation.age_s > _BY_HAND_S


def _workers(watch: Watch) -> dict[str, Mapping[str, Any]]:
    """Return the rows of all workers, with their age, by name."""
    workers = watch.workers
    age = server_clock.seconds_since_utc(workers.connection.adapter.backend, "worker_heartbeat")
    query = f"SELECT *, {age} AS age_s FROM {workers.full_table_name}"
    return {row["worker_name"]: row for row in workers.connection.query(query, as_dict=True).fetchall()}


def up_s(connection: Any) -> float:
    """Return for how long the server has been running."""
    return float(connection.query(_UP_S[connection.adapter.backend]).fetchone()[-1])


def _remove(workers: Any, row: Mapping[str, Any]) -> bool:
    """Remove a worker's rows, unless it has beaten meanwhile or another worker was faster."""
    name = {"worker_name": row["worker_name"]}
    lock = f"SELECT worker_heartbeat FROM {workers.full_table_name} WHERE worker_name=%s FOR UPDATE"
    with workers.connection.transaction:
        found = workers.connection.query(lock, args=(row["worker_name"],)).fetchone()
        if found is None or found[0] != row["worker_heartbeat"]:
            return False
        for table in (workers.Process, workers.Lack, workers):
            (table & name).delete_quick()
    return True
