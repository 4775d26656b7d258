"""Fencing: a process neither inserts nor settles a job that is no longer reserved for it."""

from __future__ import annotations

import os
import platform
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

from datajoint.blob import pack
from datajoint.errors import LostConnectionError

from imaging_pipeline.schemas.table_changes import count_change
from imaging_pipeline.server.session_settings import is_alive
from imaging_pipeline.workers.connection import reconnect
from imaging_pipeline.workers.failed_attempt import FailedAttempt, after_error
from imaging_pipeline.workers.job_queue import WORKER, JobQueue, Reservation
from imaging_pipeline.workers.messages import Key, Outcome
from imaging_pipeline.workers.policies.policy import KeyGoneError, RetryDecision

Decide = Callable[[BaseException], RetryDecision]


class ReservationLostError(RuntimeError):
    """The job was given to another process while this one computed it."""


class FencedJobs(JobQueue):
    """The job rows that a table populates with: settles a job only while it is reserved by us.

    A job that is made is marked so in the transaction that inserts what it made.

    Parameters
    ----------
    target
        The table instance that is populated.
    worker
        Name of the worker that reserves.
    decide
        Returns what becomes of a job that raised.
    on_reserved
        Is called with the key of each job that begins.
    check_version
        Is called before what a job made is committed; raises where the tables are those of another version.
    changes
        The table in which a change is counted that new jobs may follow from; None where none may.

    Attributes
    ----------
    outcome, message
        What became of the last job; ``NOTHING`` where there was none.
    reservation
        The claim on it, or None.
    """

    def __init__(
        self,
        target: Any,
        worker: str,
        decide: Decide,
        on_reserved: Callable[[Key], None],
        check_version: Callable[[], None],
        changes: Any = None,
    ) -> None:
        super().__init__(target)
        self._worker = worker
        self._decide = decide
        self._on_reserved = on_reserved
        self._check_version = check_version
        self._changes = changes
        self._user = self.connection.get_user()
        self._started = 0.0
        self.reset()

    def reset(self) -> None:
        """Forget the last job."""
        self.outcome, self.message = Outcome.NOTHING, ""
        self.reservation: Reservation | None = None

    def give_back_mine(self) -> None:
        """Make pending what this process has reserved, also where it was broken off before it knew."""
        for reservation in self.of_worker(self._worker):
            # The worker's other processes have jobs of their own.
            if reservation.pid == os.getpid():
                self.give_back(reservation, 0.0, reservation.message)

    def reserve(self, key: Key) -> bool:
        """Claim a job, and remember the claim."""
        # Until the row is ours: it may have changed since it was read.
        self.outcome = Outcome.RACED
        # One statement and no lock before it: of several workers, one changes the row and counts it.
        values = {
            "status": "reserved",
            "host": platform.node(),
            "pid": os.getpid(),
            "connection_id": self.connection.connection_id,
            "user": self._user,
            WORKER: self._worker,
        }
        assignments = ", ".join(f"{self._quoted(name)}=%s" for name in values)
        where, args = self._where({**key, "status": "pending"})
        reserved = self.connection.query(
            f"UPDATE {self.full_table_name} SET {assignments}, reserved_time=CURRENT_TIMESTAMP(3)"
            f" WHERE {where} AND scheduled_time <= CURRENT_TIMESTAMP(3)",
            args=(*values.values(), *args),
        )
        if not reserved.rowcount:
            return False
        self.reservation = Reservation(dict(key), platform.node(), os.getpid(), self._worker)
        self._started = time.monotonic()
        self._on_reserved(self.reservation.key)
        return True

    def complete(self, key: Key, duration: float | None = None) -> None:
        """Mark a job that had been made before; any other was marked in the transaction that inserted."""
        if self.outcome is not Outcome.DONE:
            self._settle(Outcome.RACED, lambda mine: self.succeed(mine, None))

    def mark_made(self) -> None:
        """Mark the job as made, last in the transaction that inserts; refuse where it is no longer ours.

        The job's row is locked after the data's, in the order in which a purge locks them.

        Raises
        ------
        ReservationLostError
            The job was given to another process meanwhile.
        OtherVersionError
            The tables were upgraded while the process was suspended.
        """
        self._check_version()
        duration_s = time.monotonic() - self._started
        if self.reservation is None or not self.succeed(self.reservation, duration_s):
            raise ReservationLostError("The job was given to another process meanwhile.")
        # Last: the counting row stays locked until the transaction ends, and others count there, too.
        if self._changes is not None:
            count_change(self._changes, self._target)
        self.outcome = Outcome.DONE

    def error(self, key: Key, error_message: str, error_stack: str | None = None) -> None:
        """Settle the job as the policies decide about the exception that is being handled."""
        # DataJoint calls this where it handles the exception, but passes only a shortened text of it.
        error = sys.exception() or RuntimeError(error_message)
        # What a job raises because its connection was lost can be of any class.
        if not is_alive(self.connection):
            reconnect(self.connection)
            error = LostConnectionError("The connection to the database was lost.")
        attempt = self._failed_attempt(error)
        self.message = attempt.reason
        if attempt.outcome is Outcome.RACED:
            self._settle(attempt.outcome, lambda mine: self.succeed(mine, None))
        elif attempt.outcome is Outcome.ERROR:
            stack = pack(error_stack or traceback.format_exc(), compress=True)
            self._settle(attempt.outcome, lambda mine: self.fail(mine, attempt.message, stack))
        elif attempt.outcome is Outcome.GONE:
            self._settle(attempt.outcome, self.drop)
        else:
            self._settle(attempt.outcome, lambda mine: self.give_back(mine, attempt.pause_s, attempt.message))

    def was_made(self) -> bool:
        """Return True if the job is made although the connection broke off: the server had committed it."""
        if self.reservation is None:
            return False
        where, args = self._where({**self.reservation.key, "status": "success", WORKER: self._worker})
        query = f"SELECT 1 FROM {self.full_table_name} WHERE {where}"
        return self.connection.query(query, args=args).fetchone() is not None

    def _failed_attempt(self, error: BaseException) -> FailedAttempt:
        """Return what policies decide; a job whose key is gone, or that was made by hand, always fails."""
        decision, key = self._decide(error), dict(self.reservation.key if self.reservation else {})
        before = self._message()
        attempt = after_error(error, decision, before)
        if attempt.outcome is not Outcome.ERROR or not key:
            return attempt
        # A purge deletes what the job refers to: its error says that in many ways.
        if not self._target.key_source & key:
            gone = KeyGoneError("What it was made from is no more.")
            return after_error(gone, self._decide(gone), before)
        return FailedAttempt(Outcome.RACED) if self._target.proj() & key else attempt

    def _message(self) -> str:
        """Return what an earlier attempt left in the job's row."""
        if self.reservation is None:
            return ""
        where, args = self._where(self.reservation.claim)
        query = f"SELECT error_message FROM {self.full_table_name} WHERE {where}"
        row = self.connection.query(query, args=args).fetchone()
        return str(row[0]) if row else ""

    def _settle(self, outcome: Outcome, write: Callable[[Reservation], bool]) -> None:
        if self.reservation is not None and write(self.reservation):
            self.outcome = outcome
        else:
            self.outcome, self.message = Outcome.LOST, "The job was given to another process meanwhile."
