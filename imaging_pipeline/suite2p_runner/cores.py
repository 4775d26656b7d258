"""How many cores this process may use."""

from __future__ import annotations

import os
import sys


def num_cores() -> int:
    """Return the cores that the system, or a cluster's queue, lets this process use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
