"""Which table's turn it is, and when there is nothing left to do."""

from __future__ import annotations

import logging
import time

from imaging_pipeline.errors import DatabaseError, Move
from imaging_pipeline.workers.connection import surviving_loss
from imaging_pipeline.workers.desk import Desk
from imaging_pipeline.workers.dispatcher import Dispatcher
from imaging_pipeline.workers.messages import Fate, Finished, Note, Order
from imaging_pipeline.workers.summary import Summary, Tally

_MAX_SETBACKS_ONCE = 5
_SILENT = frozenset({Fate.NOTHING, Fate.RACED})


class Supervisor:
    """Goes over the tables again and again; each has a turn of some time.

    So a long queue of one table keeps nobody waiting for more than a turn and a job.

    Parameters
    ----------
    desk
        What it works with.
    dispatcher
        Has orders carried out.
    """

    def __init__(self, desk: Desk, dispatcher: Dispatcher) -> None:
        self._desk = desk
        self._dispatcher = dispatcher
        self._tally = Tally()
        self._setbacks = 0

    def run(self, *, once: bool, idle_s: float) -> Summary:
        """Work until told to stop, or, once, until a pass over all tables did nothing.

        Raises
        ------
        DatabaseError
            Once only: when the database stays away.
        """
        while not self._desk.stop.count:
            worked = self._pass(once=once)
            if once and not worked:
                break
            if not worked:
                self._dispatcher.rest(idle_s)
        return self._tally.summary(self._desk.queues, self._desk.policies)

    def _pass(self, *, once: bool) -> bool:
        with surviving_loss(self._desk.connection, self._desk.tell):
            for policy in self._desk.policies:
                for message in policy.before_pass(tuple(self._desk.queues.values())):
                    self._desk.tell(Note(message, logging.WARNING))
        return any([self._take_turn(table, once=once) for table in self._desk.queues])

    def _take_turn(self, table: str, *, once: bool) -> bool:
        """Work on one table until it has no job, or its time is over; say whether anything was done."""
        end = time.monotonic() + self._desk.timing.slice_s
        worked, refresh = False, True
        while not self._desk.stop.count and time.monotonic() < end and self._may_work_on(table):
            finished = self._dispatcher.carry_out(Order(table, refresh))
            self._take_note(finished)
            if finished.fate in (Fate.NOTHING, Fate.FAILED):
                break
            worked = True
            refresh = finished.fate is Fate.DISCONNECTED
            if finished.fate is Fate.DISCONNECTED:
                self._pause(finished, once=once)
        return worked

    def _may_work_on(self, table: str) -> bool:
        return all(policy.why_not(table) is None for policy in self._desk.policies)

    def _take_note(self, finished: Finished) -> None:
        is_old = (
            finished.fate is Fate.FAILED
            and self._tally.reason(finished.table, Fate.FAILED) == finished.message
        )
        self._tally.add(finished)
        for policy in self._desk.policies:
            policy.after_job(finished)
        if finished.fate not in _SILENT and not is_old:
            self._desk.tell(finished)
        if finished.fate is not Fate.DISCONNECTED:
            self._setbacks = 0

    def _pause(self, finished: Finished, *, once: bool) -> None:
        self._setbacks += 1
        if once and self._setbacks > _MAX_SETBACKS_ONCE:
            raise DatabaseError(
                f"The job process could not work {self._setbacks} times in a row",
                found=finished.message,
                remedy="See whether the database runs, and what the worker logged before.",
                move=Move.ADMINISTRATOR,
            )
        self._dispatcher.rest(min(2.0 ** (self._setbacks - 1), self._desk.timing.longest_pause_s))
