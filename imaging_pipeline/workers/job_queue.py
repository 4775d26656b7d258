"""The job rows of one table, as a worker sees and settles them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from datajoint.jobs import Job

from imaging_pipeline.schemas import server_clock
from imaging_pipeline.workers.messages import Key

WORKER = "version"
"""DataJoint's column that holds the name of a job's worker: hosts and pids are not unique in time."""


@dataclass(frozen=True)
class Reservation:
    """One process's claim on one job.

    Attributes
    ----------
    key
        The job.
    host, pid
        The process.
    worker
        Name of its worker; empty where no worker reserved it.
    reserved
        When, as the server returned it; None where that does not matter, since nobody else makes such claims.
    age_s
        How long ago that was when the row was read.
    message
        What an earlier attempt left, as `errors.parse_message` reads it.
    """

    key: Key
    host: str
    pid: int
    worker: str
    reserved: datetime | None = None
    age_s: float = 0.0
    message: str = ""

    @property
    def claim(self) -> dict[str, object]:
        """The columns of the job's row, while it is this claim."""
        process = {"status": "reserved", "host": self.host, "pid": self.pid, WORKER: self.worker}
        when = {} if self.reserved is None else {"reserved_time": self.reserved}
        return {**self.key, **process, **when}


@dataclass(frozen=True)
class Count:
    """How many jobs of a table are in one state.

    Attributes
    ----------
    status
        As in DataJoint.
    later
        Whether they are scheduled for later than now.
    number
        How many.
    """

    status: str
    later: bool
    number: int


class JobQueue(Job):
    """Settles reservations, each only while it is still what was read.

    Parameters
    ----------
    target
        The table that the jobs fill.
    within
        SQL condition on the rows that a restricted worker may look at; empty for all.
    """

    def __init__(self, target: Any, within: str = "") -> None:
        super().__init__(target)
        self._within = f" AND {within}" if within else ""

    def of_worker(self, worker: str) -> list[Reservation]:
        """Return what a worker has reserved."""
        return self._reservations(f"{self._quoted(WORKER)}=%s", worker)

    def of_none(self, workers: Any) -> list[Reservation]:
        """Return what was reserved by workers that have no row any more, or by no worker at all."""
        living = f"SELECT 1 FROM {workers.full_table_name} AS living WHERE living.worker_name="
        own = f"{self.full_table_name}.{self._quoted(WORKER)}"
        return self._reservations(f"NOT EXISTS ({living}{own})")

    def give_back(self, reservation: Reservation, delay_s: float, message: str) -> bool:
        """Make the job pending, for ``delay_s`` from now; return False when the claim was no longer there.

        The message stays in the row, so that people see what a job waits for, and all workers how often it
        was tried.
        """
        # By the server's clock, by which all workers see whether it is time.
        scheduled = f"CURRENT_TIMESTAMP(3) + {self.adapter.interval_expr(delay_s, 'second')}"
        values = {
            "status": "pending",
            "host": "",
            "pid": 0,
            "connection_id": 0,
            WORKER: "",
            "error_message": message,
        }
        return self._update(reservation, values, f"reserved_time=NULL, scheduled_time={scheduled}")

    def fail(self, reservation: Reservation, message: str, stack: bytes | None = None) -> bool:
        """Record an error for the job; return False when the claim was no longer there."""
        values = {"status": "error", "error_message": message, "error_stack": stack}
        return self._update(reservation, values, "completed_time=CURRENT_TIMESTAMP(3)")

    def succeed(self, reservation: Reservation, duration_s: float | None) -> bool:
        """Mark the job as made; return False when the claim was no longer there."""
        values = {"status": "success", "duration": duration_s, "error_message": "", "error_stack": None}
        return self._update(reservation, values, "completed_time=CURRENT_TIMESTAMP(3)")

    def drop(self, reservation: Reservation) -> bool:
        """Delete the job; return False when the claim was no longer there."""
        where, args = self._where(reservation.claim)
        query = f"DELETE FROM {self.full_table_name} WHERE {where}"
        return bool(self.connection.query(query, args=args).rowcount)

    def counts(self) -> list[Count]:
        """Count the jobs that are not finished, by state."""
        query = (
            "SELECT status, scheduled_time > CURRENT_TIMESTAMP(3) AS later, COUNT(*)"
            f" FROM {self.full_table_name}"
            f" WHERE status IN ('pending', 'reserved', 'error'){self._within} GROUP BY 1, 2 ORDER BY 1, 2"
        )
        return [
            Count(status, bool(later), int(number)) for status, later, number in self.connection.query(query)
        ]

    def has_pending(self, where: str) -> bool:
        """Return True if any job is pending for which an SQL condition is true."""
        query = (
            f"SELECT 1 FROM {self.full_table_name} WHERE status='pending' AND ({where}){self._within} LIMIT 1"
        )
        return self.connection.query(query).fetchone() is not None

    def _reservations(self, where: str, *args: object) -> list[Reservation]:
        age_s = server_clock.seconds_since(self.adapter.backend, "reserved_time")
        query = (
            f"SELECT *, {age_s} AS age_s FROM {self.full_table_name}"
            f" WHERE status='reserved' AND {where}{self._within}"
        )
        return [self._reservation(row) for row in self.connection.query(query, args=args, as_dict=True)]

    def _reservation(self, row: Mapping[str, Any]) -> Reservation:
        return Reservation(
            key=self._get_pk(dict(row)),
            host=row["host"],
            pid=row["pid"],
            worker=row[WORKER],
            reserved=row["reserved_time"],
            age_s=float(row["age_s"] or 0.0),
            message=row["error_message"],
        )

    def _update(self, reservation: Reservation, values: Mapping[str, object], more: str) -> bool:
        assignments = ", ".join(f"{self._quoted(name)}=%s" for name in values)
        where, args = self._where(reservation.claim)
        # The claim is compared by the statement that changes it: of several processes, one settles it.
        query = f"UPDATE {self.full_table_name} SET {assignments}, {more} WHERE {where}"
        return bool(self.connection.query(query, args=(*values.values(), *args)).rowcount)

    def _where(self, conditions: Mapping[str, object]) -> tuple[str, tuple[object, ...]]:
        return " AND ".join(f"{self._quoted(name)}=%s" for name in conditions), tuple(conditions.values())

    def _quoted(self, name: str) -> str:
        return str(self.adapter.quote_identifier(name))
