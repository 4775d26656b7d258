"""Ctrl-C, a closed window or terminal and what a service manager sends, as a request that the loop reads."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import Any

# Windows' console events: CTRL_CLOSE_EVENT, CTRL_LOGOFF_EVENT, CTRL_SHUTDOWN_EVENT.
_WINDOW_ENDS = frozenset({2, 5, 6})
# Longer than Windows lets the process live, which is five seconds.
_WINDOW_WAITS_S = 30.0


class StopRequest:
    """Whether, how often and since when the worker has been asked to stop."""

    def __init__(self) -> None:
        self.count = 0
        self.is_over = threading.Event()
        self._since = 0.0
        self._num_handled = 0

    def ask(self, signum: int = 0, frame: FrameType | None = None) -> None:
        """Ask to stop; asking twice means now."""
        self.count += 1
        self._since = self._since or time.monotonic()

    def is_new(self) -> bool:
        """Return True if there was a request since this was called the last time."""
        is_new, self._num_handled = self.count > self._num_handled, self.count
        return is_new

    def waited_s(self) -> float:
        """Return how long ago the first request was."""
        return time.monotonic() - self._since


@contextmanager
def stop_signals() -> Iterator[StopRequest]:
    """Turn what ends a program into a request, within the block; main thread only."""
    request = StopRequest()
    handlers: dict[int, Any] = {signal.SIGINT: request.ask, signal.SIGTERM: request.ask}
    if sys.platform == "win32":  # Ctrl-Break, by which a console process is ended from outside
        handlers[signal.SIGBREAK] = request.ask
    elif signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup ignores it, to outlive the terminal
        handlers[signal.SIGHUP] = _hang_up_handler(request)
    former = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    with ExitStack() as stack:
        if sys.platform == "win32":
            stack.enter_context(_console_window(request))
        try:
            yield request
        finally:
            request.is_over.set()
            for number, handler in former.items():
                signal.signal(number, handler)


def _hang_up_handler(request: StopRequest) -> Callable[[int, FrameType | None], None]:
    """Return the handler of a closed terminal, to which writing would raise from then on."""
    # Found now: a terminal that has been closed no longer says that it is one.
    screens = [number for number in (1, 2) if os.isatty(number)]

    def handle(signum: int, frame: FrameType | None) -> None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for number in screens:
            os.dup2(nowhere, number)
        os.close(nowhere)
        request.ask()

    return handle


@contextmanager
def _console_window(request: StopRequest) -> Iterator[None]:
    """Handle the end of Windows' console window within the block."""
    system: Any = ctypes
    # Kept in a variable for as long as Windows may call it: ctypes frees it with its last reference.
    handler = system.WINFUNCTYPE(ctypes.c_int, ctypes.c_uint)(console_handler(request))
    system.windll.kernel32.SetConsoleCtrlHandler(handler, True)
    try:
        yield
    finally:
        system.windll.kernel32.SetConsoleCtrlHandler(handler, False)


def console_handler(request: StopRequest, timeout_s: float = _WINDOW_WAITS_S) -> Callable[[int], bool]:
    """Return the function that Windows calls when a window is closed, a user logs off, or it shuts down.

    It runs in a thread of its own. Windows ends the process as soon as it returns, after five seconds at the
    latest; no signal of Python's comes in time for that. So it requests the end and waits for it.

    Parameters
    ----------
    request
        Is made twice: there is no time to let jobs finish.
    timeout_s
        How long the end is delayed at most.
    """

    def handle(event: int) -> bool:
        if event not in _WINDOW_ENDS:
            return False
        request.ask()
        request.ask()
        request.is_over.wait(timeout_s)
        return True

    return handle
