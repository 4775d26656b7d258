"""Has one order after the other carried out, whatever becomes of the job process meanwhile."""

from __future__ import annotations

import platform
import time

from imaging_pipeline.lanes import short_name
from imaging_pipeline.workers.connection import surviving_loss
from imaging_pipeline.workers.desk import Desk
from imaging_pipeline.workers.heartbeat import Heartbeat
from imaging_pipeline.workers.job_handle import JobHandle
from imaging_pipeline.workers.messages import Advanced, Ended, Fate, Finished, Note, Order, Started
from imaging_pipeline.workers.policy import Death, Verdict

# How late a signal may be heeded: not every system wakes a waiting process for one.
_TICK_S = 0.25


class Dispatcher:
    """Waits for the job process, and beats and heeds signals while it waits.

    Parameters
    ----------
    desk
        What it works with.
    job, heartbeat
        What it looks after.
    """

    def __init__(self, desk: Desk, job: JobHandle, heartbeat: Heartbeat) -> None:
        self._desk = desk
        self._job = job
        self._heartbeat = heartbeat
        self._running: Started | Advanced | None = None
        self._is_hurrying = False

    def carry_out(self, order: Order) -> Finished:
        """Give an order and wait until it is carried out, or its process is dead."""
        self._job.order(order)
        try:
            while True:
                match self._job.receive(_TICK_S):
                    case Finished() as finished:
                        return finished
                    case Ended() as ended:
                        return self._after_death(order, ended)
                    case Started() | Advanced() as running:
                        self._running = running
                        self._desk.tell(running)
                    case Note() as note:
                        self._desk.tell(note)
                self._tick()
                self._hurry()
        finally:
            self._running = None

    def rest(self, duration_s: float) -> None:
        """Wait for so long, or until the worker is asked to stop."""
        deadline = time.monotonic() + duration_s
        while not self._desk.stop.count and (left_s := deadline - time.monotonic()) > 0:
            report = self._job.receive(min(_TICK_S, left_s))
            if isinstance(report, Note):
                self._desk.tell(report)
            self._tick()

    def _tick(self) -> None:
        if self._heartbeat.is_due():
            with surviving_loss(self._desk.connection, self._desk.tell):
                self._heartbeat.beat(self._processes())

    def _processes(self) -> dict[int, str]:
        return {} if self._job.pid is None else {self._job.pid: _doing(self._running)}

    def _hurry(self) -> None:
        """Let a short job finish when the worker is to stop; interrupt a long one, then kill it."""
        if not self._desk.stop.count:
            return
        if not self._is_hurrying:
            self._is_hurrying = True
            self._desk.tell(Note(f"Stopping: the job has {self._desk.timing.finish_s:g} s to finish."))
        has_time = self._desk.stop.count == 1 and self._desk.stop.waited_s() < self._desk.timing.finish_s
        if not (has_time and self._running):
            self._job.interrupt()
        if self._job.interrupted_for_s() >= self._desk.timing.give_back_s:
            self._job.kill()

    def _after_death(self, order: Order, ended: Ended) -> Finished:
        if self._running is None:
            message = f"The job process ended before it began a job (exit code {ended.exit_code})."
            return Finished(order.table, None, Fate.DISCONNECTED, message)
        key = self._running.key
        verdict = self._verdict(Death(order.table, key, ended.exit_code))
        queue = self._desk.queues[order.table]
        with surviving_loss(self._desk.connection, self._desk.tell):
            for reservation in queue.reservations_on(platform.node(), ended.pid):
                if verdict.fate is Fate.ERROR:
                    queue.fail(reservation, verdict.message)
                else:
                    queue.give_back(reservation)
        return Finished(order.table, key, verdict.fate, verdict.message)

    def _verdict(self, death: Death) -> Verdict:
        if self._desk.stop.count:
            return Verdict(Fate.INTERRUPTED)
        verdicts = (policy.judge_death(death) for policy in self._desk.policies)
        return next((verdict for verdict in verdicts if verdict), Verdict(Fate.CRASHED))


def _doing(running: Started | Advanced | None) -> str:
    if running is None:
        return ""
    job = f"{short_name(running.table)} {dict(running.key)}"
    if isinstance(running, Started):
        return job
    report = running.progress
    return f"{job}: {report.step} {report.done}" + (f" of {report.total}" if report.total else "")
