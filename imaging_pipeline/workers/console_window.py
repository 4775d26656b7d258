"""Windows ends a program when its window is closed, its user logs off, or the machine is shut down.

It calls a handler in a thread of its own, and ends the process as soon as the handler returns, after five
seconds at the latest. No signal of Python's comes in time for that.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from imaging_pipeline.workers.stop_signals import StopRequest

# Windows' console events: CTRL_CLOSE_EVENT, CTRL_LOGOFF_EVENT, CTRL_SHUTDOWN_EVENT.
_ENDS = frozenset({2, 5, 6})
_PATIENCE_S = 30.0


def handler(request: StopRequest, patience_s: float = _PATIENCE_S) -> Callable[[int], bool]:
    """Return the function that Windows is to call: it asks to stop at once, and waits for that.

    Parameters
    ----------
    request
        Is asked twice: there is no time to let jobs finish.
    patience_s
        How long the end is held up at most.
    """

    def handle(event: int) -> bool:
        if event not in _ENDS:
            return False
        request.ask()
        request.ask()
        request.is_over.wait(patience_s)
        return True

    return handle


@contextmanager
def heeding_its_end(request: StopRequest) -> Iterator[None]:
    """Heed the end of the window within the block; on Windows only."""
    system: Any = ctypes
    called = system.WINFUNCTYPE(ctypes.c_int, ctypes.c_uint)(handler(request))
    system.windll.kernel32.SetConsoleCtrlHandler(called, True)
    try:
        yield
    finally:
        system.windll.kernel32.SetConsoleCtrlHandler(called, False)
