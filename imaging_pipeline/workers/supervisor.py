"""The loop of a worker: gives orders, handles what becomes of them, and ends in order."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from imaging_pipeline.errors import DatabaseError, Responsible
from imaging_pipeline.workers.abilities import Abilities, describe_changes
from imaging_pipeline.workers.connection import reconnecting
from imaging_pipeline.workers.job_queue import JobQueue
from imaging_pipeline.workers.messages import (
    AbilitiesChanged,
    Advanced,
    Event,
    Finished,
    Idle,
    Key,
    Note,
    Outcome,
    ProcessEnded,
    Report,
    Started,
)
from imaging_pipeline.workers.policies.policy import Policy
from imaging_pipeline.workers.settings import Timing
from imaging_pipeline.workers.slot import Process, Slot
from imaging_pipeline.workers.stop_signals import StopRequest
from imaging_pipeline.workers.summary import Tally
from imaging_pipeline.workers.turns import ENDS_TURN, PassEnded

# How late a signal may be noticed: not every system wakes a waiting process for one.
_TICK_S = 0.25
# In a row, for each process; then a worker that works once ends with an error.
_MAX_FAILURES_ONCE = 5
_SILENT = frozenset({Outcome.NOTHING, Outcome.RACED, Outcome.BUSY})
# What becomes of every pass as long as its reason lasts, and is reported once.
_LASTING = frozenset({Outcome.FAILED, Outcome.UNABLE})


@dataclass(frozen=True)
class SupervisorContext:
    """What the parts of the supervisor's process share.

    Attributes
    ----------
    connection
        To the database; each job process and the heartbeat have others.
    workers
        The table of workers.
    queues
        The job rows of all lanes' tables, those of this worker or not, by ``module:Class``.
    policies
        They decide and are informed; the loop knows none of them.
    stop
        Says when to end.
    timing
        How long to wait for what.
    on_event
        Is called with what happens.
    check_version
        Is called before each order; raises where the tables are those of another version.
    """

    connection: Any
    workers: Any
    queues: Mapping[str, JobQueue]
    policies: Sequence[Policy]
    stop: StopRequest
    timing: Timing
    on_event: Callable[[Event], None]
    check_version: Callable[[], None]


class Status(Protocol):
    """Shows others what the worker does; `heartbeat.Heartbeat` is one."""

    def set_doing(self, doing: dict[int, str]) -> None:
        """Record what each job process does."""

    def set_abilities(self, abilities: Abilities) -> None:
        """Record what the machine can do."""


class DeadProcesses(Protocol):
    """Settles the jobs of dead processes; `dead_workers.DeadWorkers` is one."""

    def settle_others(self, pids: frozenset[int]) -> None:
        """Settle the jobs of dead workers; these are our living job processes."""

    def settle_own(self, table: str, key: Key, ended: ProcessEnded) -> Finished:
        """Settle the job of a process of ours that died."""


class Supervisor:
    """Gives orders to job processes until told to stop, or, once, until there is nothing to do.

    Parameters
    ----------
    context
        What it shares with others.
    slots
        The job processes.
    status
        Is informed of what they do.
    dead_processes
        Is called when one of them dies, and from time to time.
    tally
        Counts what becomes of the orders.
    wait
        Waits for a report of any of some processes, but no longer than a time in seconds.
    """

    def __init__(
        self,
        context: SupervisorContext,
        slots: Sequence[Slot],
        status: Status,
        dead_processes: DeadProcesses,
        tally: Tally,
        wait: Callable[[Sequence[Process], float], None],
    ) -> None:
        self._context = context
        self._slots = slots
        self._status = status
        self._dead_processes = dead_processes
        self._tally = tally
        self._wait = wait
        self._abilities = Abilities()
        self._num_failures = 0
        self._settle_due = float("-inf")
        self._end_reason = ""

    def run(self, *, once: bool, idle_s: float) -> None:
        """Work until told to stop, until a limit is reached, or, once, until a pass did nothing.

        Raises
        ------
        DatabaseError
            Once only: when the database stays away.
        OtherVersionError
            The tables were upgraded; what runs is interrupted.
        """
        while True:
            self._settle_others()
            if self._context.stop.count:
                self._stop_processes()
            else:
                self._give_orders(float("inf") if once else idle_s)
            if self._is_over():
                return
            self._wait([slot.process for slot in self._slots], self._wait_s())
            for slot in self._slots:
                while (report := slot.process.receive()) is not None:
                    self._handle(slot, report, once=once)
            self._status.set_doing({pid: slot.doing() for slot in self._slots if (pid := slot.process.pid)})

    def _is_over(self) -> bool:
        if any(slot.ordered for slot in self._slots):
            return False
        # Only a worker that works once lets a process rest for ever.
        is_through = all(slot.resting_until == float("inf") for slot in self._slots)
        return bool(self._context.stop.count or self._end_reason or is_through)

    def _wait_s(self) -> float:
        """Return how long to wait: until a process that rests may get an order again."""
        now = time.monotonic()
        rests = [max(0.0, slot.resting_until - now) for slot in self._slots if slot.ordered is None]
        return min([_TICK_S, *rests])

    def _settle_others(self) -> None:
        if time.monotonic() >= self._settle_due:
            self._settle_due = time.monotonic() + self._context.timing.heartbeat_s
            with reconnecting(self._context.connection, self._context.on_event):
                pids = (slot.process.pid for slot in self._slots)
                self._dead_processes.settle_others(frozenset(pid for pid in pids if pid))

    def _give_orders(self, idle_s: float) -> None:
        for slot in self._slots:
            if slot.is_free() and self._may_begin():
                with reconnecting(self._context.connection, self._context.on_event):
                    self._context.check_version()
                step = slot.next()
                # What was made in this pass may have led to jobs of an earlier table: another pass, at once.
                if isinstance(step, PassEnded) and step.worked:
                    step = slot.next()
                if isinstance(step, PassEnded):
                    slot.rest(idle_s)
                    if not any(other.ordered for other in self._slots):
                        self._context.on_event(Idle())

    def _may_begin(self) -> bool:
        num_running = sum(slot.ordered is not None for slot in self._slots)
        reasons = (policy.end_reason(num_running) for policy in self._context.policies)
        reason = next(filter(None, reasons), "")
        # While a job runs the end is not certain: one that turns out to be another worker's does not count.
        if reason and not num_running and not self._end_reason:
            self._end_reason = reason
            self._context.on_event(Note(f"No further job is begun: {reason}."))
        return not reason

    def _handle(self, slot: Slot, report: Report | ProcessEnded, *, once: bool) -> None:
        match report:
            case Finished():
                self._record(slot, report, once=once)
            case ProcessEnded():
                self._record(slot, self._after_death(slot, report), once=once)
            case Started() | Advanced():
                slot.running = report
                self._context.on_event(report)
            case AbilitiesChanged(abilities):
                for note in describe_changes(self._abilities, abilities):
                    self._context.on_event(Note(note, logging.WARNING))
                self._abilities = abilities
                self._status.set_abilities(abilities)
            case Note():
                self._context.on_event(report)

    def _after_death(self, slot: Slot, ended: ProcessEnded) -> Finished | None:
        if slot.ordered is None:
            return None
        if slot.running is not None:
            return self._dead_processes.settle_own(slot.running.table, slot.running.key, ended)
        ended_early = f"The job process ended before it began a job (exit code {ended.exit_code})."
        return Finished(slot.ordered.subject, None, Outcome.DISCONNECTED, ended.reason or ended_early)

    def _record(self, slot: Slot, finished: Finished | None, *, once: bool) -> None:
        if finished is None:
            return
        before = self._tally.reason(finished.table, finished.outcome)
        is_known = finished.outcome in _LASTING and before == finished.message
        slot.finish(finished)
        self._tally.add(finished)
        for policy in self._context.policies:
            policy.after_job(finished)
        if finished.outcome not in _SILENT and not is_known:
            self._context.on_event(finished)
        # The database may be away for hours: each failure makes the next pause longer.
        if finished.outcome is Outcome.DISCONNECTED:
            self._pause(slot, finished, once=once)
            return
        self._num_failures = 0
        if once and finished.outcome not in ENDS_TURN:
            # What one process made may be what another one waits for.
            for other in self._slots:
                other.rest(0.0)

    def _pause(self, slot: Slot, finished: Finished, *, once: bool) -> None:
        self._num_failures += 1
        if once and self._num_failures > _MAX_FAILURES_ONCE * len(self._slots):
            raise DatabaseError(
                f"The job process could not work {self._num_failures} times in a row",
                found=finished.message,
                remedy="See whether the database runs, and what the worker logged before.",
                responsible=Responsible.ADMINISTRATOR,
            )
        slot.rest(self._context.timing.pause_s(self._num_failures))

    def _stop_processes(self) -> None:
        """Let short jobs finish when the worker is to stop; interrupt long ones, then kill them."""
        stop, timing = self._context.stop, self._context.timing
        if stop.is_new() and any(slot.running for slot in self._slots):
            self._context.on_event(Note(f"Stopping: what runs has {timing.finish_s:g} s to finish."))
        for slot in self._slots:
            has_time = stop.count == 1 and stop.waited_s() < timing.finish_s
            # A process without a job only waits for orders, and one that looks for jobs loses nothing.
            if not (has_time and slot.running):
                slot.process.interrupt()
            timeout_s = timing.give_back_s if stop.count == 1 else timing.at_once_s
            if slot.process.interrupted_for_s() >= timeout_s:
                slot.process.kill()
