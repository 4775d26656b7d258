"""The supervisor's end of the pipe to a job process."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from imaging_pipeline.workers import job_process
from imaging_pipeline.workers.job_context import JobContext
from imaging_pipeline.workers.messages import Command, Interrupt, Order, ProcessEnded, Report, TaskOrder
from imaging_pipeline.workers.slot import Process


@dataclass
class _Running:
    process: BaseProcess
    pipe: Connection
    interrupted: float | None = None


class JobHandle:
    """Starts the job process when there is an order for it, and ends it.

    Parameters
    ----------
    context
        What the process is passed.
    """

    def __init__(self, context: JobContext) -> None:
        self._context = context
        self._running: _Running | None = None
        self._unstarted: ProcessEnded | None = None

    @property
    def pid(self) -> int | None:
        """Number of the process; None where none runs."""
        return None if self._running is None else self._running.process.pid

    @property
    def waitables(self) -> list[Any]:
        """What to wait for: that the process sends something, or ends."""
        return [] if self._running is None else [self._running.pipe, self._running.process.sentinel]

    def order(self, order: Order | TaskOrder) -> None:
        """Send an order, to a new process where there is none; `receive` reports that none can be started."""
        if self._running is None:
            try:
                self._running = self._start()
            except OSError as error:  # the system has no memory, process or file left for it
                self._unstarted = ProcessEnded(0, 1, f"No job process could be started: {error}.")
                return
        _send(self._running, order)

    def receive(self) -> Report | ProcessEnded | None:
        """Return the next report, or that the process has ended; None where there is no report."""
        running = self._running
        if running is None:
            unstarted, self._unstarted = self._unstarted, None
            return unstarted
        # A process that has ended, or dies while it sends, leaves a pipe that raises.
        with suppress(EOFError, OSError):
            if running.pipe.poll():
                report: Report = running.pipe.recv()
                return report
            if running.process.is_alive():
                return None
            if running.pipe.poll():  # its last report, if it ended in between
                last: Report = running.pipe.recv()
                return last
        return self._reap(running)

    def interrupt(self) -> None:
        """Ask the process to give its job back and to end; asking again does nothing."""
        if self._running is not None and self._running.interrupted is None:
            self._running.interrupted = time.monotonic()
            _send(self._running, Interrupt())

    def interrupted_for_s(self) -> float:
        """Return how long ago the process was asked to end, 0 where it was not."""
        if self._running is None or self._running.interrupted is None:
            return 0.0
        return time.monotonic() - self._running.interrupted

    def kill(self) -> None:
        """End the process, whatever it does; `receive` then returns its end."""
        if self._running is not None:
            self._running.process.kill()

    def close(self, timeout_s: float) -> None:
        """Let the process end by itself, and kill it when it takes too long."""
        if self._running is not None:
            self._running.pipe.close()
            # The process takes the closed pipe for the end, and gives back what it has reserved.
            self._running.process.join(timeout_s)
            self._reap(self._running)

    def _start(self) -> _Running:
        processes: Any = multiprocessing.get_context(self._context.tables.start_method)
        ours, theirs = processes.Pipe()
        process = processes.Process(target=job_process.main, args=(theirs, self._context), name="job process")
        try:
            process.start()
        except OSError:
            ours.close()
            raise
        finally:
            # While we held their end too, neither side would see the other die.
            theirs.close()
        return _Running(process, ours)

    def _reap(self, running: _Running) -> ProcessEnded:
        running.pipe.close()
        # A process that closed its pipe, or did not end in time, may still run.
        running.process.kill()
        running.process.join()
        ended = ProcessEnded(running.process.pid or 0, running.process.exitcode or 0)
        running.process.close()
        self._running = None
        return ended


def wait_for(processes: Sequence[Process], timeout_s: float) -> None:
    """Wait until a process sends something or ends, but no longer than a time."""
    waitables = [each for process in processes for each in process.waitables]
    if waitables:
        wait(waitables, timeout_s)
    else:  # for which `wait` would return at once
        time.sleep(timeout_s)


def _send(running: _Running, command: Command) -> None:
    # That a process has ended is noticed by `receive`.
    with suppress(OSError):
        running.pipe.send(command)
