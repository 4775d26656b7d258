"""Whether a process that is written down somewhere still is there."""

from __future__ import annotations

import psutil


def is_gone(pid: int) -> bool:
    """Return True if no process of this machine has this number.

    A zombie is dead: it only waits for its parent to ask. Another process may have the number of a dead one
    by now; that one is then found by its silence.
    """
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
    except psutil.AccessDenied:
        return False
