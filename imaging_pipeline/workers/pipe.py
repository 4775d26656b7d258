"""The job process's end of the pipe to its supervisor, and what it reports through it."""

from __future__ import annotations

import _thread
import logging
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection

from imaging_pipeline.progress import Progress
from imaging_pipeline.workers.messages import Advanced, Command, Key, Note, Order, Report, Started, TaskOrder

STOPPED = "stopped"
"""Exit code of an interruption that a signal asked for."""

SUPERVISOR_GONE = "the supervisor is gone"
"""Exit code of an interruption because the supervisor has ended."""

# Longer than a supervisor waits before it kills.
_EXIT_AFTER_S = 60.0

# Progress is sent not more often than a person can read.
_PROGRESS_EVERY_S = 0.2


class SupervisorPipe:
    """Receives orders, even while a job computes, and sends reports.

    When the supervisor asks to stop, or has ended, the main thread is interrupted; where it does not end, the
    process is ended.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        # Libraries log from threads of their own.
        self._sending = threading.Lock()
        self._orders: queue.SimpleQueue[Order | TaskOrder | None] = queue.SimpleQueue()
        threading.Thread(target=self._listen, name="supervisor pipe", daemon=True).start()

    def orders(self) -> Iterator[Order | TaskOrder]:
        """Return the orders as they come, until there will be no more."""
        return iter(self._orders.get, None)

    def send(self, report: Report) -> None:
        """Send a report to the supervisor.

        Raises
        ------
        SystemExit
            The supervisor has ended: that is no error of the job.
        """
        try:
            with self._sending:
                self._connection.send(report)
        except OSError:
            raise SystemExit(SUPERVISOR_GONE) from None

    def _listen(self) -> None:
        while isinstance(order := self._receive(), (Order, TaskOrder)):
            self._orders.put(order)
        # A main thread that waits for an order ends by this, and one that computes by the signal.
        self._orders.put(None)
        _interrupt_main_thread()
        # Compiled code sees no signal, and a supervisor that was killed kills nobody.
        time.sleep(_EXIT_AFTER_S)
        os._exit(1)

    def _receive(self) -> Command | None:
        try:
            command: Command = self._connection.recv()
        except (EOFError, OSError):
            return None
        return command


class PipeHandler(logging.Handler):
    """Sends warnings of libraries to the supervisor, which alone writes on the terminal."""

    def __init__(self, pipe: SupervisorPipe) -> None:
        super().__init__(logging.WARNING)
        self._pipe = pipe

    def emit(self, record: logging.LogRecord) -> None:
        """Send the record as a note; DataJoint logs a job's exception, which is reported already."""
        if not isinstance(record.msg, BaseException):
            self._pipe.send(Note(self.format(record), record.levelno))


class Reporter:
    """Sends the beginning and the progress of the jobs of one table.

    Attributes
    ----------
    result
        What the running job reported as its result, for the line of the finished job.
    """

    def __init__(self, pipe: SupervisorPipe, table: str) -> None:
        self._pipe = pipe
        self._table = table
        self._key: Key = {}
        self._last = Progress("")
        self._sent = 0.0
        self.result = ""

    def begin(self, key: Key) -> None:
        """Report that a job begins."""
        self._key, self._last, self.result = key, Progress(""), ""
        self._pipe.send(Started(self._table, key, os.getpid()))

    def advance(self, progress: Progress) -> None:
        """Report every new step and message, and mere counts five times a second."""
        if progress.outcome:
            self.result = progress.outcome
            return
        now = time.monotonic()
        is_new = progress.message or progress.step != self._last.step or progress.done == progress.total
        if is_new or now - self._sent >= _PROGRESS_EVERY_S:
            self._last, self._sent = progress, now
            self._pipe.send(Advanced(self._table, self._key, progress))


def _interrupt_main_thread() -> None:
    if sys.platform == "win32":
        _thread.interrupt_main(signal.SIGTERM)
    else:  # wakes the thread from a blocking call, too
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
