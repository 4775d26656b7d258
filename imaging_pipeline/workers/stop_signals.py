"""Ctrl-C, a closed window and what a service manager sends, as a request that the loop reads."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import Any

from imaging_pipeline.workers.console_window import heeding_its_end


class StopRequest:
    """Whether, how often and since when the worker has been asked to stop."""

    def __init__(self) -> None:
        self.count = 0
        self.is_over = threading.Event()
        self._since = 0.0
        self._num_heeded = 0

    def ask(self, signum: int = 0, frame: FrameType | None = None) -> None:
        """Ask to stop; asking twice means now."""
        self.count += 1
        self._since = self._since or time.monotonic()

    def is_new(self) -> bool:
        """Return True if it was asked for since this was called the last time."""
        is_new, self._num_heeded = self.count > self._num_heeded, self.count
        return is_new

    def waited_s(self) -> float:
        """Return how long ago it was asked for."""
        return time.monotonic() - self._since


@contextmanager
def stop_signals() -> Iterator[StopRequest]:
    """Turn what ends a program into a request, within the block; main thread only."""
    request = StopRequest()
    handlers: dict[int, Any] = {signal.SIGINT: request.ask, signal.SIGTERM: request.ask}
    if sys.platform == "win32":  # Ctrl-Break, by which a console process is ended from outside
        handlers[signal.SIGBREAK] = request.ask
    elif signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup has it
        handlers[signal.SIGHUP] = _hung_up(request)
    former = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    with ExitStack() as held:
        if sys.platform == "win32":
            held.enter_context(heeding_its_end(request))
        try:
            yield request
        finally:
            request.is_over.set()
            for number, handler in former.items():
                signal.signal(number, handler)


def _hung_up(request: StopRequest) -> Callable[[int, FrameType | None], None]:
    """Return the handler of a closed terminal: whoever writes there from then on would get an error."""
    screens = [number for number in (1, 2) if os.isatty(number)]

    def handle(signum: int, frame: FrameType | None) -> None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for number in screens:
            os.dup2(nowhere, number)
        os.close(nowhere)
        request.ask()

    return handle
