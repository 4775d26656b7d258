"""One job process as its supervisor sees it: what it was told to do, and whether it does."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any, Protocol

from imaging_pipeline.lanes import Duty, short_name
from imaging_pipeline.wording import in_words
from imaging_pipeline.workers.messages import (
    Advanced,
    Ended,
    Errand,
    Finished,
    Order,
    Report,
    Started,
)
from imaging_pipeline.workers.turns import Passes, PassOver

_LONG_S = 60.0


class Process(Protocol):
    """A job process; `job_handle.JobHandle` is one."""

    @property
    def pid(self) -> int | None:
        """Its number, or None where none runs."""

    @property
    def signs(self) -> list[Any]:
        """What to wait for, as `multiprocessing.connection.wait` takes it."""

    def order(self, order: Order | Errand) -> None:
        """Return an order."""

    def receive(self) -> Report | Ended | None:
        """Return what it says next, that it has ended, or None where it is silent."""

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
        Carries out.
    passes
        Says what is next.
    duties
        What is done beside the tables.
    long_s
        After which it is told that it still looks for a job: nobody can see a share that hangs otherwise.

    Attributes
    ----------
    running
        The job that runs, and how far it is; None where none does.
    ordered
        The order that is not answered yet, or None.
    resting_until
        Until when nothing is ordered, by the monotonic clock.
    """

    def __init__(
        self, process: Process, passes: Passes, duties: Iterable[Duty] = (), *, long_s: float = _LONG_S
    ) -> None:
        self.process = process
        self.running: Started | Advanced | None = None
        self.ordered: Order | Errand | None = None
        self.resting_until = float("-inf")
        self._passes = passes
        self._answer: Finished | None = None
        self._has_begun = False
        self._long_s = long_s
        self._ordered_at = float("-inf")
        self._due = {duty: float("-inf") for duty in duties}

    def is_free(self) -> bool:
        """Return True if it may get an order now."""
        return self.ordered is None and time.monotonic() >= self.resting_until

    def next(self) -> Order | Errand | PassOver:
        """Return what is to be done next; where it is an order, the process has got it."""
        step = self._errand() or self._step()
        if not isinstance(step, PassOver):
            self.ordered, self._ordered_at = step, time.monotonic()
            self.process.order(step)
        return step

    def answered(self, finished: Finished) -> None:
        """Take the answer to the order."""
        if isinstance(self.ordered, Order):
            self._answer = finished
        self.ordered = self.running = None

    def rest(self, duration_s: float) -> None:
        """Order nothing for so long."""
        self.resting_until = time.monotonic() + duration_s

    def doing(self) -> str:
        """Say in a line what runs, and how far it is."""
        running = self.running
        if running is None:
            return self._looking()
        job = " ".join([short_name(running.table), *map(str, running.key.values())])
        if isinstance(running, Started):
            return job
        report = running.progress
        so_far = f" {report.done}" if report.done else ""
        return f"{job}: {report.step}" + (f" {report.done} of {report.total}" if report.total else so_far)

    def _looking(self) -> str:
        looked_s = time.monotonic() - self._ordered_at
        if not isinstance(self.ordered, Order) or looked_s < self._long_s:
            return ""
        so_long = f"has looked for jobs for {in_words(looked_s)}, as where a share hangs"
        return f"{short_name(self.ordered.table)}: {so_long}"

    def _errand(self) -> Errand | None:
        now = time.monotonic()
        for duty, due in self._due.items():
            if now >= due:
                self._due[duty] = now + duty.every_s
                return Errand(duty.function)
        return None

    def _step(self) -> Order | PassOver:
        if not self._has_begun:
            self._has_begun = True
            return next(self._passes)
        answer, self._answer = self._answer, None
        return self._passes.send(answer)
