"""Rows of living and dead workers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from imaging_pipeline.living_worker import OF_PRIORITY, Lack
from imaging_pipeline.schemas import server_clock

SILENT_AFTER_S = 30.0


def add_worker(
    worker: Any,
    name: str,
    lanes: str,
    *,
    silent_for_s: float = 0.0,
    processes: Mapping[int, str] | None = None,
    lacks: tuple[Lack, ...] = (),
    priority: int | None = None,
    **columns: Any,
) -> None:
    """Add the rows that a worker writes of itself, on a host of its own name.

    Parameters
    ----------
    worker
        The table.
    name, lanes
        Who it is, and what it works on (comma-separated).
    silent_for_s
        How long ago, by the server's clock, its last heartbeat was.
    processes
        What each job process does, by its number.
    lacks
        What its machine lacks.
    priority
        It does only jobs with this priority, or a more urgent one; None for all.
    """
    now = server_clock.utc_now(worker.connection.adapter.backend)
    row = {
        "worker_name": name,
        "worker_host": name,
        "worker_machine": "0" * 16,
        "worker_pid": 1,
        "worker_version": "1",
        "worker_lanes": lanes,
        "worker_silent_after": SILENT_AFTER_S,
        **columns,
    }
    ago = worker.connection.adapter.interval_expr(silent_for_s, "second")
    query = (
        f"INSERT INTO {worker.full_table_name} ({', '.join(row)}, worker_started, worker_heartbeat)"
        f" VALUES ({', '.join(['%s'] * len(row))}, {now} - {ago}, {now} - {ago})"
    )
    worker.connection.query(query, args=tuple(row.values()))
    worker.Process.insert(
        {"worker_name": name, "process_pid": pid, "process_doing": doing}
        for pid, doing in (processes or {}).items()
    )
    worker.Lack.insert(
        {
            "worker_name": name,
            "lack_kind": kind,
            "lack_name": lack_name,
            "lack_reason": reason,
            "lack_remedy": remedy,
        }
        for kind, lack_name, reason, remedy in (
            *((str(lack.kind), lack.name, lack.reason, lack.remedy) for lack in lacks),
            *([] if priority is None else [(OF_PRIORITY, str(priority), "", "")]),
        )
    )
