"""Fencing: what is no longer reserved for this process is neither inserted nor settled by it."""

from __future__ import annotations

import functools
import os
import platform
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

from datajoint.errors import LostConnectionError
from datajoint.jobs import Job

from imaging_pipeline.workers.connection import is_alive, revive
from imaging_pipeline.workers.job_queue import JobQueue, Reservation
from imaging_pipeline.workers.messages import Fate, Key
from imaging_pipeline.workers.policy import KeyGoneError, Verdict

# A server that restarts, or a switch, may take minutes; a computed result of hours can wait for it.
_PATIENCE_S = 300.0

Judge = Callable[[BaseException], Verdict]


class ReservationLostError(RuntimeError):
    """The job was given to another process while this one computed it."""


class FencedJobs(JobQueue):
    """The job rows that `populate` works with: settles a job only while it is reserved by us.

    Parameters
    ----------
    target
        The table instance that is populated.
    judge
        Says what becomes of a job that raised.
    on_reserved
        Is told the key of each job that begins.

    Attributes
    ----------
    fate, message
        What came of the last job; ``NOTHING`` where there was none.
    reservation
        The claim on it, or None.
    """

    def __init__(self, target: Any, judge: Judge, on_reserved: Callable[[Key], None]) -> None:
        super().__init__(target)
        self._judge = judge
        self._on_reserved = on_reserved
        self._attempts: Counter[frozenset[tuple[str, object]]] = Counter()
        self.begin()

    def begin(self) -> None:
        """Forget the last job."""
        self.fate, self.message = Fate.NOTHING, ""
        self.reservation: Reservation | None = None

    def give_back_mine(self) -> None:
        """Make pending what this process has reserved, also where it was broken off before it knew."""
        for reservation in self._mine():
            self.give_back(reservation)

    def reserve(self, key: Key) -> bool:
        """Claim a job, and remember the claim."""
        self.fate = Fate.RACED
        if not super().reserve(key) or not (mine := self._mine()):
            return False
        self.reservation = mine[0]
        self._on_reserved(self.reservation.key)
        return True

    def complete(self, key: Key, duration: float | None = None) -> None:
        """Mark the job as made; no duration means that it had been made before."""
        fate = Fate.RACED if duration is None else Fate.DONE
        self._forget_attempts()
        self._settle(fate, lambda: Job.complete(self, key, duration))

    def error(self, key: Key, error_message: str, error_stack: str | None = None) -> None:
        """Do with the job what the policies say of the exception that is being handled."""
        error = sys.exception() or RuntimeError(error_message)
        if not is_alive(self.connection):
            revive(self.connection)
            error = LostConnectionError(error_message)
        verdict = self._verdict(error)
        self.message = verdict.message or str(error) or error_message
        if verdict.fate is Fate.ERROR:
            self._forget_attempts()
            self._settle(Fate.ERROR, lambda: Job.error(self, key, error_message, error_stack))
        elif verdict.fate is Fate.GONE:
            self._forget_attempts()
            self._settle(Fate.GONE, (self & key).delete_quick)
        else:
            self._settle(verdict.fate, lambda: self._give_back(verdict))

    def assert_mine(self) -> None:
        """Refuse to go on when the job is no longer ours; within a transaction it then stays ours.

        Raises
        ------
        ReservationLostError
        """
        if self.reservation is None or not self.holds(self.reservation):
            raise ReservationLostError("The job was given to another process meanwhile.")

    def _verdict(self, error: BaseException) -> Verdict:
        """Ask the policies; a job whose key was purged fails in as many ways as there are tables."""
        verdict = self._judge(error)
        if self.reservation is None:
            return verdict
        key = self.reservation.key
        if verdict.fate is Fate.ERROR and not self._target.key_source & dict(key):
            verdict = self._judge(KeyGoneError("What it was made from is no more."))
        if verdict.max_attempts:
            self._attempts[_job(key)] += 1
            if self._attempts[_job(key)] >= verdict.max_attempts:
                return Verdict(Fate.ERROR)
        return verdict

    def _forget_attempts(self) -> None:
        if self.reservation is not None:
            self._attempts.pop(_job(self.reservation.key), None)

    def _mine(self) -> list[Reservation]:
        return self.reservations_on(platform.node(), os.getpid())

    def _give_back(self, verdict: Verdict) -> None:
        if self.reservation is not None:
            reason = self.message if verdict.delay_s or verdict.fate is Fate.UNABLE else ""
            self.give_back(self.reservation, verdict.delay_s, reason)

    def _settle(self, fate: Fate, write: Callable[[], None]) -> None:
        with self.connection.transaction:
            if self.reservation is not None and self.holds(self.reservation):
                write()
                self.fate = fate
            else:
                self.fate, self.message = Fate.LOST, "The job was given to another process meanwhile."


def _job(key: Key) -> frozenset[tuple[str, object]]:
    return frozenset(key.items())


def fence(table: Any, jobs: FencedJobs) -> None:
    """Make a table instance populate through ``jobs``, and insert only what is still ours.

    The check comes last in the transaction: it locks the job's row after the data's, in the order
    in which a purge locks them. After a long computation the connection is renewed where needed.
    """
    table._jobs = jobs
    insert = "make_insert" if hasattr(table, "make_insert") else "make"
    setattr(table, insert, _then(getattr(table, insert), jobs.assert_mine))
    if hasattr(table, "make_compute"):
        table.make_compute = _finally(table.make_compute, functools.partial(_renew, jobs.connection))


def _then(step: Callable[..., Any], after: Callable[[], None]) -> Callable[..., Any]:
    @functools.wraps(step)
    def both(*args: Any, **kwargs: Any) -> Any:
        result = step(*args, **kwargs)
        after()
        return result

    return both


def _finally(step: Callable[..., Any], after: Callable[[], None]) -> Callable[..., Any]:
    @functools.wraps(step)
    def both(*args: Any, **kwargs: Any) -> Any:
        try:
            return step(*args, **kwargs)
        finally:
            after()

    return both


def _renew(connection: Any) -> None:
    if not is_alive(connection):
        revive(connection, _PATIENCE_S)
