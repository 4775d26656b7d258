"""The rows of one worker, as its own heartbeat writes them."""

from __future__ import annotations

import os
import platform
import secrets
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from imaging_pipeline import names
from imaging_pipeline.errors import InputError
from imaging_pipeline.living_worker import OF_PRIORITY
from imaging_pipeline.schemas import server_clock
from imaging_pipeline.workers.abilities import Abilities

# Characters that columns of `Worker` and its parts hold; of a host, what leaves room in a worker's name.
_DOING_LENGTH = 255
_HOST_LENGTH = 40
_TEXT_LENGTH = 1024

# Linux: another one since each start, and since each container with processes of its own.
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_PROCESSES = Path("/proc/self/ns/pid")


@dataclass(frozen=True)
class Identity:
    """Who a worker is.

    Attributes
    ----------
    lanes
        Comma-separated.
    restriction
        SQL condition on the sessions whose jobs alone it does.
    silent_after_s
        Seconds without a heartbeat after which it counts as dead.
    priority
        It does only jobs with this priority, or a more urgent one; None where it does all.
    name
        Another one for each worker that ever runs.
    started
        When it started, by this machine's clock; of this only differences are used.

    Raises
    ------
    InputError
        The condition is longer than its column, from which others read it.
    """

    lanes: str
    restriction: str
    silent_after_s: float
    priority: int | None = None
    # Hosts and process numbers are used again, and reservations outlive both.
    name: str = field(
        default_factory=lambda: f"{platform.node()[:_HOST_LENGTH]}-{os.getpid()}-{secrets.token_hex(2)}"
    )
    started: float = field(default_factory=time.time)

    def __post_init__(self) -> None:
        if len(self.restriction) > _TEXT_LENGTH:
            raise InputError(
                "The condition is too long",
                found=f"{len(self.restriction)} characters",
                allowed=f"{_TEXT_LENGTH} at most, which other workers and people can read",
                remedy="Say it by fewer columns, such as username='anna'.",
            )


@dataclass(frozen=True)
class WorkerState:
    """What a worker does and can do at the moment; ``doing`` is by the number of the job process."""

    doing: Mapping[int, str] = field(default_factory=dict)
    abilities: Abilities = field(default_factory=Abilities)


class WorkerRows:
    """Writes the rows of a worker on a connection.

    Parameters
    ----------
    connection
        For the calling thread alone.
    table
        Full name of the table of workers; those of its parts begin with it.
    identity
        Who the worker is.
    """

    def __init__(self, connection: Any, table: str, identity: Identity) -> None:
        self._connection = connection
        self._worker = table
        # The full name ends with a quotation mark, before which the part's name goes.
        self._processes, self._lacks = (f"{table[:-1]}__{part}{table[-1]}" for part in ("process", "lack"))
        self._identity = identity
        self._written: WorkerState | None = None

    def write(self, state: WorkerState) -> float:
        """Renew the worker's row, also where somebody has removed it, and write what differs.

        Returns
        -------
        float
            How long ago, in seconds by the server's clock, the last beat was; 0 where there is none.
        """
        # Before the row is renewed: a long time tells that the server stood still, or its clock was set.
        since_s = self._since_s()
        free = (state.abilities.scratch_bytes, state.abilities.memory_bytes)
        is_renewed = self._query(
            f"UPDATE {self._worker} SET worker_heartbeat={self._now_sql},"
            " worker_scratch_bytes=%s, worker_memory_bytes=%s WHERE worker_name=%s",
            *free,
            self._identity.name,
        )
        # Most beats change the time alone.
        if is_renewed and self._written == state:
            return since_s
        with self._connection.transaction:
            if not is_renewed:
                self._insert_worker(*free)
            self._replace(self._processes, _process_rows(state))
            self._replace(self._lacks, [*_lack_rows(state), *_priority_rows(self._identity)])
        self._written = state
        return since_s

    def remove(self) -> None:
        """Remove all rows of the worker."""
        with self._connection.transaction:
            for table in (self._processes, self._lacks, self._worker):
                self._query(f"DELETE FROM {table} WHERE worker_name=%s", self._identity.name)

    @property
    def _now_sql(self) -> str:
        return server_clock.utc_now(self._connection.adapter.backend)

    def _since_s(self) -> float:
        age = server_clock.seconds_since_utc(self._connection.adapter.backend, "worker_heartbeat")
        query = f"SELECT {age} FROM {self._worker} WHERE worker_name=%s"
        row = self._connection.query(query, args=(self._identity.name,)).fetchone()
        return 0.0 if row is None else float(row[0])

    def _insert_worker(self, scratch_bytes: int | None, memory_bytes: int | None) -> None:
        row = {
            "worker_name": self._identity.name,
            "worker_host": platform.node(),
            "worker_machine": machine_hash(),
            "worker_pid": os.getpid(),
            "worker_version": version("imaging-pipeline"),
            "worker_lanes": self._identity.lanes,
            "worker_restriction": self._identity.restriction,
            "worker_silent_after": self._identity.silent_after_s,
            "worker_scratch_bytes": scratch_bytes,
            "worker_memory_bytes": memory_bytes,
        }
        now, placeholders = self._now_sql, ", ".join(["%s"] * len(row))
        # Others may have removed the row of a worker that was suspended for hours: it did not start just now.
        ago = self._connection.adapter.interval_expr(max(0.0, time.time() - self._identity.started), "second")
        self._query(
            f"INSERT INTO {self._worker} ({', '.join(row)}, worker_started, worker_heartbeat)"
            f" VALUES ({placeholders}, {now} - {ago}, {now})",
            *row.values(),
        )

    def _replace(self, table: str, rows: list[dict[str, object]]) -> None:
        self._query(f"DELETE FROM {table} WHERE worker_name=%s", self._identity.name)
        for row in rows:
            columns, placeholders = ", ".join(row), ", ".join(["%s"] * len(row))
            self._query(
                f"INSERT INTO {table} (worker_name, {columns}) VALUES (%s, {placeholders})",
                self._identity.name,
                *row.values(),
            )

    def _query(self, query: str, *args: object) -> int:
        return int(self._connection.query(query, args=args).rowcount)


def _process_rows(state: WorkerState) -> list[dict[str, object]]:
    return [
        {"process_pid": pid, "process_doing": doing[:_DOING_LENGTH]} for pid, doing in state.doing.items()
    ]


def _lack_rows(state: WorkerState) -> list[dict[str, object]]:
    return [
        {
            "lack_kind": str(lack.kind),
            "lack_name": lack.name,
            "lack_reason": lack.reason[:_TEXT_LENGTH],
            "lack_remedy": lack.remedy[:_TEXT_LENGTH],
        }
        for lack in state.abilities.lacks
    ]


def _priority_rows(identity: Identity) -> list[dict[str, object]]:
    if identity.priority is None:
        return []
    reason = f"It does only jobs of priority {identity.priority} or more urgent."
    remedy = "Give the job such a priority, or start a worker without --priority."
    row = {"lack_kind": OF_PRIORITY, "lack_name": str(identity.priority)}
    return [{**row, "lack_reason": reason, "lack_remedy": remedy}]


def machine_hash() -> str:
    """Return a hash of this machine, or container: names of hosts are not unique.

    It is the same for processes that see each other's numbers, and else another one.
    """
    parts = [platform.node()]
    with suppress(OSError):
        parts += [_BOOT.read_text().strip(), str(_PROCESSES.readlink())]
    # Where the system has no such files, the number of a network card tells machines apart.
    return names.hash16(*(parts if len(parts) > 1 else [*parts, uuid.getnode()]))
