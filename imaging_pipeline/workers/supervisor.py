"""The loop of a worker: gives orders, hears what comes of them, and ends in order."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from imaging_pipeline.errors import DatabaseError, Responsible
from imaging_pipeline.workers.abilities import Abilities, differences
from imaging_pipeline.workers.connection import surviving
from imaging_pipeline.workers.desk import Desk
from imaging_pipeline.workers.messages import (
    Able,
    Advanced,
    Ended,
    Fate,
    Finished,
    Idle,
    Key,
    Note,
    Report,
    Started,
)
from imaging_pipeline.workers.slot import Process, Slot
from imaging_pipeline.workers.summary import Tally
from imaging_pipeline.workers.turns import ENDS_TURN, PassOver

# How late a signal may be heeded: not every system wakes a waiting process for one.
_TICK_S = 0.25
_MAX_SETBACKS_ONCE = 5
_SILENT = frozenset({Fate.NOTHING, Fate.RACED, Fate.BUSY})
# What comes of every pass as long as its reason lasts, and is told once.
_LASTING = frozenset({Fate.FAILED, Fate.UNABLE})


class Heart(Protocol):
    """Shows others that the worker lives; `heartbeat.Heartbeat` is one."""

    def tell(self, doing: dict[int, str]) -> None:
        """Return what each job process does."""

    def able(self, abilities: Abilities) -> None:
        """Return what the machine can do."""


class Undertaker(Protocol):
    """Settles what the dead left; `dead_workers.Undertaker` is one."""

    def look_after_others(self, pids: frozenset[int]) -> None:
        """Let policies look for dead workers; these are our job processes."""

    def bury_own(self, table: str, key: Key, ended: Ended) -> Finished:
        """Settle the job of a process of ours that died."""


class Supervisor:
    """Keeps job processes at work until told to stop, or, once, until there is nothing to do.

    Parameters
    ----------
    desk
        What it works with.
    slots
        The job processes.
    heart
        Is told what they do.
    undertaker
        Is called when one of them dies, and from time to time.
    tally
        Counts what comes of the orders.
    wait
        Waits for any of some processes to say something, but no longer than a time in seconds.
    """

    def __init__(
        self,
        desk: Desk,
        slots: Sequence[Slot],
        heart: Heart,
        undertaker: Undertaker,
        tally: Tally,
        wait: Callable[[Sequence[Process], float], None],
    ) -> None:
        self._desk = desk
        self._slots = slots
        self._heart = heart
        self._undertaker = undertaker
        self._tally = tally
        self._wait = wait
        self._abilities = Abilities()
        self._setbacks = 0
        self._look_due = float("-inf")
        self._enough = ""

    def run(self, *, once: bool, idle_s: float) -> None:
        """Work until told to stop, until it is enough, or, once, until a pass over all tables did nothing.

        Raises
        ------
        DatabaseError
            Once only: when the database stays away.
        """
        while True:
            self._look_after_others()
            if self._desk.stop.count:
                self._hurry()
            else:
                self._give_orders(float("inf") if once else idle_s)
            if self._is_over():
                return
            self._wait([slot.process for slot in self._slots], self._patience_s())
            for slot in self._slots:
                while (report := slot.process.receive()) is not None:
                    self._hear(slot, report, once=once)
            self._heart.tell({pid: slot.doing() for slot in self._slots if (pid := slot.process.pid)})

    def _is_over(self) -> bool:
        if any(slot.ordered for slot in self._slots):
            return False
        is_through = all(slot.resting_until == float("inf") for slot in self._slots)
        return bool(self._desk.stop.count or self._enough or is_through)

    def _patience_s(self) -> float:
        """Return how long to wait: until a process that rests may be given an order again."""
        now = time.monotonic()
        rests = [max(0.0, slot.resting_until - now) for slot in self._slots if slot.ordered is None]
        return min([_TICK_S, *rests])

    def _look_after_others(self) -> None:
        if time.monotonic() >= self._look_due:
            self._look_due = time.monotonic() + self._desk.timing.heartbeat_s
            with surviving(self._desk.connection, self._desk.tell):
                pids = (slot.process.pid for slot in self._slots)
                self._undertaker.look_after_others(frozenset(pid for pid in pids if pid))

    def _give_orders(self, idle_s: float) -> None:
        for slot in self._slots:
            if slot.is_free() and self._may_begin():
                step = slot.next()
                if isinstance(step, PassOver) and step.worked:
                    step = slot.next()
                if isinstance(step, PassOver):
                    slot.rest(idle_s)
                    if not any(each.ordered for each in self._slots):
                        self._desk.tell(Idle())

    def _may_begin(self) -> bool:
        num_running = sum(slot.ordered is not None for slot in self._slots)
        reasons = (policy.enough(num_running) for policy in self._desk.policies)
        reason = next(filter(None, reasons), "")
        if reason and not num_running and not self._enough:
            self._enough = reason
            self._desk.tell(Note(f"No further job is begun: {reason}."))
        return not reason

    def _hear(self, slot: Slot, report: Report | Ended, *, once: bool) -> None:
        match report:
            case Finished():
                self._take_note(slot, report, once=once)
            case Ended():
                self._take_note(slot, self._after_death(slot, report), once=once)
            case Started() | Advanced():
                slot.running = report
                self._desk.tell(report)
            case Able(abilities):
                for note in differences(self._abilities, abilities):
                    self._desk.tell(Note(note, logging.WARNING))
                self._abilities = abilities
                self._heart.able(abilities)
            case Note():
                self._desk.tell(report)

    def _after_death(self, slot: Slot, ended: Ended) -> Finished | None:
        if slot.ordered is None:
            return None
        if slot.running is not None:
            return self._undertaker.bury_own(slot.running.table, slot.running.key, ended)
        ended_early = f"The job process ended before it began a job (exit code {ended.exit_code})."
        return Finished(slot.ordered.subject, None, Fate.DISCONNECTED, ended.reason or ended_early)

    def _take_note(self, slot: Slot, finished: Finished | None, *, once: bool) -> None:
        if finished is None:
            return
        told_before = self._tally.reason(finished.table, finished.fate)
        is_old = finished.fate in _LASTING and told_before == finished.message
        slot.answered(finished)
        self._tally.add(finished)
        for policy in self._desk.policies:
            policy.after_job(finished)
        if finished.fate not in _SILENT and not is_old:
            self._desk.tell(finished)
        if finished.fate is Fate.DISCONNECTED:
            self._pause(slot, finished, once=once)
            return
        self._setbacks = 0
        if once and finished.fate not in ENDS_TURN:
            # What one process made may be what another one waits for.
            for each in self._slots:
                each.rest(0.0)

    def _pause(self, slot: Slot, finished: Finished, *, once: bool) -> None:
        self._setbacks += 1
        if once and self._setbacks > _MAX_SETBACKS_ONCE * len(self._slots):
            raise DatabaseError(
                f"The job process could not work {self._setbacks} times in a row",
                found=finished.message,
                remedy="See whether the database runs, and what the worker logged before.",
                responsible=Responsible.ADMINISTRATOR,
            )
        slot.rest(min(2.0 ** (self._setbacks - 1), self._desk.timing.longest_pause_s))

    def _hurry(self) -> None:
        """Let short jobs finish when the worker is to stop; interrupt long ones, then kill them."""
        stop, timing = self._desk.stop, self._desk.timing
        if stop.is_new():
            running = [slot for slot in self._slots if slot.running]
            if running:
                self._desk.tell(Note(f"Stopping: what runs has {timing.finish_s:g} s to finish."))
        for slot in self._slots:
            has_time = stop.count == 1 and stop.waited_s() < timing.finish_s
            if not (has_time and slot.running):
                slot.process.interrupt()
            patience_s = timing.give_back_s if stop.count == 1 else timing.at_once_s
            if slot.process.interrupted_for_s() >= patience_s:
                slot.process.kill()
