"""One job process as its supervisor sees it: which order it has, and how far it is."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any, Protocol

from imaging_pipeline.lanes import PeriodicTask, short_name
from imaging_pipeline.wording import in_words
from imaging_pipeline.workers.messages import (
    Advanced,
    Finished,
    Order,
    ProcessEnded,
    Report,
    Started,
    TaskOrder,
)
from imaging_pipeline.workers.turns import PassEnded, Passes

_LONG_S = 60.0


class Process(Protocol):
    """A job process; `job_handle.JobHandle` is one."""

    @property
    def pid(self) -> int | None:
        """Its number, or None where none runs."""

    @property
    def waitables(self) -> list[Any]:
        """What to wait for, as `multiprocessing.connection.wait` takes it."""

    def order(self, order: Order | TaskOrder) -> None:
        """Send it an order."""

    def receive(self) -> Report | ProcessEnded | None:
        """Return its next report, that it has ended, or None where there is no report."""

    def interrupt(self) -> None:
        """Ask it to give its job back and to end."""

    def interrupted_for_s(self) -> float:
        """Return how long ago that was; 0 where it was not asked."""

    def kill(self) -> None:
        """End it."""

    def close(self, timeout_s: float) -> None:
        """Let it end by itself, within a time."""


class Slot:
    """Has one order after the other carried out by one process, whatever becomes of it meanwhile.

    Parameters
    ----------
    process
        Carries the orders out.
    passes
        Yields what is next.
    periodic_tasks
        What is done beside the tables.
    long_s
        After which the process is shown as still looking for a job: else nobody could see a share that hangs.

    Attributes
    ----------
    running
        The job that runs, and how far it is; None where none does.
    ordered
        The order that is not finished yet, or None.
    resting_until
        Until when nothing is ordered, by the monotonic clock.
    """

    def __init__(
        self,
        process: Process,
        passes: Passes,
        periodic_tasks: Iterable[PeriodicTask] = (),
        *,
        long_s: float = _LONG_S,
    ) -> None:
        self.process = process
        self.running: Started | Advanced | None = None
        self.ordered: Order | TaskOrder | None = None
        self.resting_until = float("-inf")
        self._passes = passes
        self._finished: Finished | None = None
        self._has_begun = False
        self._long_s = long_s
        self._ordered_at = float("-inf")
        self._due = {task: float("-inf") for task in periodic_tasks}

    def is_free(self) -> bool:
        """Return True if it may get an order now."""
        return self.ordered is None and time.monotonic() >= self.resting_until

    def next(self) -> Order | TaskOrder | PassEnded:
        """Return what is to be done next; an order is sent to the process."""
        step = self._due_task() or self._step()
        if not isinstance(step, PassEnded):
            self.ordered, self._ordered_at = step, time.monotonic()
            self.process.order(step)
        return step

    def finish(self, finished: Finished) -> None:
        """Record that the order is finished."""
        # What is sent to `passes` responds to its last order; it knows nothing of tasks in between.
        if isinstance(self.ordered, Order):
            self._finished = finished
        self.ordered = self.running = None

    def rest(self, duration_s: float) -> None:
        """Order nothing for so long."""
        self.resting_until = time.monotonic() + duration_s

    def doing(self) -> str:
        """Return in a line what runs, and how far it is."""
        running = self.running
        if running is None:
            return self._looking()
        job = " ".join([short_name(running.table), *map(str, running.key.values())])
        if isinstance(running, Started):
            return job
        progress = running.progress
        done = f" {progress.done}" if progress.done else ""
        return f"{job}: {progress.step}" + (
            f" {progress.done} of {progress.total}" if progress.total else done
        )

    def _looking(self) -> str:
        looked_s = time.monotonic() - self._ordered_at
        if not isinstance(self.ordered, Order) or looked_s < self._long_s:
            return ""
        message = f"has looked for jobs for {in_words(looked_s)}, as where a share hangs"
        return f"{short_name(self.ordered.table)}: {message}"

    def _due_task(self) -> TaskOrder | None:
        now = time.monotonic()
        for task, due in self._due.items():
            if now >= due:
                # Set before it runs: a task that fails is called again at its usual time.
                self._due[task] = now + task.every_s
                return TaskOrder(task.function)
        return None

    def _step(self) -> Order | PassEnded:
        if not self._has_begun:  # a generator takes nothing before its first `yield`
            self._has_begun = True
            return next(self._passes)
        finished, self._finished = self._finished, None
        return self._passes.send(finished)
