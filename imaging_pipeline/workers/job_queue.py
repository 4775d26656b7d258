"""The job rows of one table, as a worker sees and settles them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from datajoint.jobs import ERROR_MESSAGE_LENGTH, Job

from imaging_pipeline.workers.messages import Key

# How long ago, by the server's clock and the time zone that it wrote the time in.
_AGE_S = {
    "postgresql": "EXTRACT(EPOCH FROM CURRENT_TIMESTAMP - reserved_time::timestamptz)",
    "mysql": "UNIX_TIMESTAMP(CURRENT_TIMESTAMP(3)) - UNIX_TIMESTAMP(reserved_time)",
}


@dataclass(frozen=True)
class Reservation:
    """One process's claim on one job.

    Attributes
    ----------
    key
        The job.
    host, pid
        The process.
    reserved
        When, in the server's words; it tells two claims of one process apart.
    age_s
        How long ago that was when the row was read.
    """

    key: Key
    host: str
    pid: int
    reserved: datetime
    age_s: float


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
    """Settles reservations, each only while it is still what was read."""

    def reservations_on(self, host: str, pid: int | None = None) -> list[Reservation]:
        """Give what the processes of a machine, or one of them, have reserved."""
        process = {"host": host} if pid is None else {"host": host, "pid": pid}
        where, args = self._where({"status": "reserved", **process})
        query = f"SELECT *, {_AGE_S[self.adapter.backend]} AS age_s FROM {self.full_table_name} WHERE {where}"
        return [self._reservation(row) for row in self.connection.query(query, args=args, as_dict=True)]

    def give_back(self, reservation: Reservation, delay_s: float = 0.0, reason: str = "") -> bool:
        """Make the job pending, for ``delay_s`` from now; False when the claim was no longer there.

        The reason is kept in the row, so that people see what a job waits for.
        """
        scheduled = f"CURRENT_TIMESTAMP(3) + {self.adapter.interval_expr(delay_s, 'second')}"
        values = {
            "status": "pending",
            "host": "",
            "pid": 0,
            "connection_id": 0,
            "error_message": _cut(reason),
        }
        return self._update(reservation, values, f"reserved_time=NULL, scheduled_time={scheduled}")

    def fail(self, reservation: Reservation, message: str) -> bool:
        """Keep an error for the job; False when the claim was no longer there."""
        values = {"status": "error", "error_message": _cut(message)}
        return self._update(reservation, values, "completed_time=CURRENT_TIMESTAMP(3)")

    def holds(self, reservation: Reservation) -> bool:
        """Say whether the claim is still there, and keep it so until the open transaction ends."""
        where, args = self._where(_claim(reservation))
        query = f"SELECT 1 FROM {self.full_table_name} WHERE {where} FOR UPDATE"
        return self.connection.query(query, args=args).fetchone() is not None

    def counts(self) -> list[Count]:
        """Count the jobs that are not finished, by state."""
        query = (
            "SELECT status, scheduled_time > CURRENT_TIMESTAMP(3) AS later, COUNT(*)"
            f" FROM {self.full_table_name} WHERE status IN ('pending', 'reserved', 'error') GROUP BY 1, 2"
        )
        return [
            Count(status, bool(later), int(number)) for status, later, number in self.connection.query(query)
        ]

    def _reservation(self, row: Mapping[str, Any]) -> Reservation:
        return Reservation(
            key=self._get_pk(dict(row)),
            host=row["host"],
            pid=row["pid"],
            reserved=row["reserved_time"],
            age_s=float(row["age_s"]),
        )

    def _update(self, reservation: Reservation, values: Mapping[str, object], more: str) -> bool:
        assignments = ", ".join(f"{name}=%s" for name in values)
        where, args = self._where(_claim(reservation))
        query = f"UPDATE {self.full_table_name} SET {assignments}, {more} WHERE {where}"
        return bool(self.connection.query(query, args=(*values.values(), *args)).rowcount)

    def _where(self, conditions: Mapping[str, object]) -> tuple[str, tuple[object, ...]]:
        quote = self.adapter.quote_identifier
        return " AND ".join(f"{quote(name)}=%s" for name in conditions), tuple(conditions.values())


def _claim(reservation: Reservation) -> dict[str, object]:
    process = {"host": reservation.host, "pid": reservation.pid, "reserved_time": reservation.reserved}
    return {**reservation.key, "status": "reserved", **process}


def _cut(message: str) -> str:
    if len(message) <= ERROR_MESSAGE_LENGTH:
        return message
    return f"{message[: ERROR_MESSAGE_LENGTH - 3]}..."
