"""The row by which others see that a worker lives, and what it does."""

from __future__ import annotations

import os
import platform
import secrets
import time
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from imaging_pipeline.schemas import server_clock
from imaging_pipeline.workers.machine import machine_hash
from imaging_pipeline.workers.processes import is_gone

_DOING_LENGTH = 255
_HOST_LENGTH = 40

MISSED_BEATS = 3
"""After so many a worker is held for dead."""


class Heartbeat:
    """Keeps one row of the table of workers.

    Parameters
    ----------
    table
        An instance of `schemas.imaging.operations.Worker`.
    lanes
        Names of the lanes that are worked on.
    every_s
        How often the row is renewed.
    """

    def __init__(self, table: Any, lanes: str, every_s: float) -> None:
        self._table = table
        self._every_s = every_s
        self._due = 0.0
        self._processes: dict[int, str] = {}
        host = platform.node()
        self._row: dict[str, Any] = {
            "worker_name": f"{host[:_HOST_LENGTH]}-{os.getpid()}-{secrets.token_hex(2)}",
            "worker_host": host,
            "worker_machine": machine_hash(),
            "worker_pid": os.getpid(),
            "worker_version": version("imaging-pipeline"),
            "worker_lanes": lanes,
            "worker_silent_after": MISSED_BEATS * every_s,
        }

    def begin(self) -> None:
        """Write the row, and remove those that killed workers left on this machine."""
        for row in (self._table & {"worker_machine": machine_hash()}).to_dicts():
            if is_gone(row["worker_pid"], age_s=0.0):
                self._remove(row["worker_name"])
        self._insert()
        self._due = time.monotonic() + self._every_s

    def is_due(self) -> bool:
        """Say whether it is time to beat."""
        return time.monotonic() >= self._due

    def beat(self, processes: Mapping[int, str]) -> None:
        """Renew the row, also where somebody has removed it, with what each job process does."""
        self._due = time.monotonic() + self._every_s
        now = server_clock.now(self._table.connection)
        query = f"UPDATE {self._table.full_table_name} SET worker_heartbeat={now} WHERE worker_name=%s"
        if not self._table.connection.query(query, args=(self._row["worker_name"],)).rowcount:
            self._processes = {}
            self._insert()
        if processes != self._processes:
            (self._table.Process & {"worker_name": self._row["worker_name"]}).delete_quick()
            self._table.Process.insert(
                {
                    "worker_name": self._row["worker_name"],
                    "process_pid": pid,
                    "process_doing": doing[:_DOING_LENGTH],
                }
                for pid, doing in processes.items()
            )
            self._processes = dict(processes)

    def end(self) -> None:
        """Remove the row."""
        self._remove(self._row["worker_name"])

    def _insert(self) -> None:
        now = server_clock.now(self._table.connection)
        columns, marks = ", ".join(self._row), ", ".join(["%s"] * len(self._row))
        query = (
            f"INSERT INTO {self._table.full_table_name} ({columns}, worker_started, worker_heartbeat)"
            f" VALUES ({marks}, {now}, {now})"
        )
        self._table.connection.query(query, args=tuple(self._row.values()))

    def _remove(self, name: str) -> None:
        for table in (self._table.Process, self._table.Lack, self._table):
            (table & {"worker_name": name}).delete_quick()
