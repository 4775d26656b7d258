"""Fencing: what is no longer reserved for this process is neither inserted nor settled by it."""

from __future__ import annotations

import os
import platform
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from datajoint.blob import pack
from datajoint.errors import LostConnectionError

from imaging_pipeline.schemas.table_changes import count_change
from imaging_pipeline.server.session_settings import is_alive
from imaging_pipeline.workers.connection import revive
from imaging_pipeline.workers.job_queue import WORKER, JobQueue, Reservation
from imaging_pipeline.workers.messages import Fate, Key
from imaging_pipeline.workers.policy import KeyGoneError, Verdict
from imaging_pipeline.workers.setback import Setback, after_error

Judge = Callable[[BaseException], Verdict]


class ReservationLostError(RuntimeError):
    """The job was given to another process while this one computed it."""


@dataclass(frozen=True)
class Duties:
    """What job rows have done with them.

    Attributes
    ----------
    worker
        Name of the worker that reserves.
    judge
        Says what becomes of a job that raised.
    on_reserved
        Is told the key of each job that begins.
    changes
        The table in which a change is counted that new jobs may follow from; None where none may.
    """

    worker: str
    judge: Judge
    on_reserved: Callable[[Key], None]
    changes: Any = None


class FencedJobs(JobQueue):
    """The job rows that a table populates with: settles a job only while it is reserved by us.

    A job that is made is marked so in the transaction that inserts what it made.

    Parameters
    ----------
    target
        The table instance that is populated.
    duties
        What is done beside.

    Attributes
    ----------
    fate, message
        What came of the last job; ``NOTHING`` where there was none.
    reservation
        The claim on it, or None.
    """

    def __init__(self, target: Any, duties: Duties) -> None:
        super().__init__(target)
        self._duties = duties
        self._user = self.connection.get_user()
        self._began = 0.0
        self.begin()

    def begin(self) -> None:
        """Forget the last job."""
        self.fate, self.message = Fate.NOTHING, ""
        self.reservation: Reservation | None = None

    def give_back_mine(self) -> None:
        """Make pending what this process has reserved, also where it was broken off before it knew."""
        for reservation in self.of_worker(self._duties.worker):
            if reservation.pid == os.getpid():
                self.give_back(reservation, 0.0, reservation.message)

    def reserve(self, key: Key) -> bool:
        """Claim a job, and remember the claim."""
        self.fate = Fate.RACED
        values = {
            "status": "reserved",
            "host": platform.node(),
            "pid": os.getpid(),
            "connection_id": self.connection.connection_id,
            "user": self._user,
            WORKER: self._duties.worker,
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
        self.reservation = Reservation(dict(key), platform.node(), os.getpid(), self._duties.worker)
        self._began = time.monotonic()
        self._duties.on_reserved(self.reservation.key)
        return True

    def complete(self, key: Key, duration: float | None = None) -> None:
        """Mark a job that had been made before; else the transaction that inserts has done so."""
        if self.fate is not Fate.DONE:
            self._settle(Fate.RACED, lambda mine: self.succeed(mine, None))

    def conclude(self) -> None:
        """Mark the job as made, last in the transaction that inserts; refuse where it is no longer ours.

        The job's row is locked after the data's, in the order in which a purge locks them.

        Raises
        ------
        ReservationLostError
        """
        duration_s = time.monotonic() - self._began
        if self.reservation is None or not self.succeed(self.reservation, duration_s):
            raise ReservationLostError("The job was given to another process meanwhile.")
        if self._duties.changes is not None:
            count_change(self._duties.changes, self._target)
        self.fate = Fate.DONE

    def error(self, key: Key, error_message: str, error_stack: str | None = None) -> None:
        """Do with the job what the policies say of the exception that is being handled."""
        error = sys.exception() or RuntimeError(error_message)
        if not is_alive(self.connection):
            revive(self.connection)
            error = LostConnectionError("The connection to the database was lost.")
        setback = self._setback(error)
        self.message = setback.reason
        if setback.fate is Fate.RACED:
            self._settle(setback.fate, lambda mine: self.succeed(mine, None))
        elif setback.fate is Fate.ERROR:
            stack = pack(error_stack or traceback.format_exc(), compress=True)
            self._settle(setback.fate, lambda mine: self.fail(mine, setback.message, stack))
        elif setback.fate is Fate.GONE:
            self._settle(setback.fate, self.drop)
        else:
            self._settle(setback.fate, lambda mine: self.give_back(mine, setback.pause_s, setback.message))

    def was_made(self) -> bool:
        """Return True if the job is made although the connection broke off: the server had committed it."""
        if self.reservation is None:
            return False
        where, args = self._where({**self.reservation.key, "status": "success", WORKER: self._duties.worker})
        query = f"SELECT 1 FROM {self.full_table_name} WHERE {where}"
        return self.connection.query(query, args=args).fetchone() is not None

    def _setback(self, error: BaseException) -> Setback:
        """Ask the policies; a job whose key was purged, or that was made by hand, fails in any way."""
        verdict, key = self._duties.judge(error), dict(self.reservation.key if self.reservation else {})
        before = self._message()
        setback = after_error(error, verdict, before)
        if setback.fate is not Fate.ERROR or not key:
            return setback
        if not self._target.key_source & key:
            gone = KeyGoneError("What it was made from is no more.")
            return after_error(gone, self._duties.judge(gone), before)
        return Setback(Fate.RACED) if self._target.proj() & key else setback

    def _message(self) -> str:
        """Return what an earlier attempt left in the job's row."""
        if self.reservation is None:
            return ""
        where, args = self._where(self.reservation.claim)
        query = f"SELECT error_message FROM {self.full_table_name} WHERE {where}"
        found = self.connection.query(query, args=args).fetchone()
        return str(found[0]) if found else ""

    def _settle(self, fate: Fate, write: Callable[[Reservation], bool]) -> None:
        if self.reservation is not None and write(self.reservation):
            self.fate = fate
        else:
            self.fate, self.message = Fate.LOST, "The job was given to another process meanwhile."
