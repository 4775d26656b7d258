"""Whether a process that is written down somewhere still is what it was."""

from __future__ import annotations

import time

import psutil

# Two clocks measured the two ages.
_SLACK_S = 60.0


def is_gone(pid: int, age_s: float) -> bool:
    """Say whether the process that had this number ``age_s`` seconds ago is no more.

    A process younger than that has the number of a dead one. A zombie is dead: it only waits for
    its parent to ask.
    """
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return True
        return time.time() - process.create_time() < age_s - _SLACK_S
    except psutil.NoSuchProcess:
        return True
    except psutil.AccessDenied:
        return False
