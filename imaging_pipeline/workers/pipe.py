"""The job process's end of the pipe to its supervisor."""

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

from imaging_pipeline.workers.messages import Command, Errand, Note, Order, Report

STOPPED = "stopped"
"""What the interruption says that a signal asked for."""

SUPERVISOR_GONE = "the supervisor is gone"
"""What it says when there is nobody left to report to."""

# Longer than a supervisor waits before it kills.
_LAST_WORDS_S = 60.0


class Line:
    """Hears orders, even while a job computes, and sends reports.

    When the supervisor asks to stop, or is gone, the main thread is interrupted; where it does not
    end, the process is ended.
    """

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._sending = threading.Lock()
        self._orders: queue.SimpleQueue[Order | Errand | None] = queue.SimpleQueue()
        threading.Thread(target=self._listen, name="line", daemon=True).start()

    def orders(self) -> Iterator[Order | Errand]:
        """Return the orders as they come, until there will be no more."""
        return iter(self._orders.get, None)

    def send(self, report: Report) -> None:
        """Tell the supervisor.

        Raises
        ------
        SystemExit
            When there is none any more: that is no error of the job.
        """
        try:
            with self._sending:
                self._pipe.send(report)
        except OSError:
            raise SystemExit(SUPERVISOR_GONE) from None

    def _listen(self) -> None:
        while isinstance(order := self._receive(), (Order, Errand)):
            self._orders.put(order)
        self._orders.put(None)
        _interrupt_main_thread()
        time.sleep(_LAST_WORDS_S)
        os._exit(1)

    def _receive(self) -> Command | None:
        try:
            command: Command = self._pipe.recv()
        except (EOFError, OSError):
            return None
        return command


class LineHandler(logging.Handler):
    """Sends warnings of libraries to the supervisor, which alone writes on the terminal."""

    def __init__(self, line: Line) -> None:
        super().__init__(logging.WARNING)
        self._line = line

    def emit(self, record: logging.LogRecord) -> None:
        """Send the record as a note; DataJoint logs a job's exception, which is reported already."""
        if not isinstance(record.msg, BaseException):
            self._line.send(Note(self.format(record), record.levelno))


def _interrupt_main_thread() -> None:
    if sys.platform == "win32":
        _thread.interrupt_main(signal.SIGTERM)
    else:  # wakes the thread from a blocking call, too
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
