"""The row by which others see that a worker lives, and what it does."""

from __future__ import annotations

import os
import platform
import secrets
import time
from importlib.metadata import version
from typing import Any

from imaging_pipeline.workers.processes import is_gone

_DOING_LENGTH = 255
_HOST_LENGTH = 40


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
        host = platform.node()
        self._row = {
            "worker_name": f"{host[:_HOST_LENGTH]}-{os.getpid()}-{secrets.token_hex(2)}",
            "worker_host": host,
            "worker_pid": os.getpid(),
            "worker_version": version("imaging-pipeline"),
            "worker_lanes": lanes,
        }

    def begin(self) -> None:
        """Write the row, and remove those that killed workers left on this machine."""
        for row in (self._table & {"worker_host": platform.node()}).to_dicts():
            if is_gone(row["worker_pid"], age_s=0.0):
                (self._table & {"worker_name": row["worker_name"]}).delete_quick()
        self._table.insert1(self._row)
        self._due = time.monotonic() + self._every_s

    def is_due(self) -> bool:
        """Say whether it is time to beat."""
        return time.monotonic() >= self._due

    def beat(self, doing: str) -> None:
        """Renew the row, also where somebody has removed it."""
        self._due = time.monotonic() + self._every_s
        query = (
            f"UPDATE {self._table.full_table_name}"
            " SET worker_heartbeat=CURRENT_TIMESTAMP(6), worker_doing=%s WHERE worker_name=%s"
        )
        args = (doing[:_DOING_LENGTH], self._row["worker_name"])
        if not self._table.connection.query(query, args=args).rowcount:
            self._table.insert1(self._row)

    def end(self) -> None:
        """Remove the row."""
        (self._table & {"worker_name": self._row["worker_name"]}).delete_quick()
