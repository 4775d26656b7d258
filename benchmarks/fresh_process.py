"""Calls in processes of their own: their time with nothing imported, and their memory."""

from __future__ import annotations

import multiprocessing
import resource
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Spawned, so that nothing is imported in them yet.
PROCESSES = multiprocessing.get_context("spawn")

_STATUS = Path("/proc/self/status")


@dataclass(frozen=True)
class FreshCall:
    """The result of a call, its time and its memory.

    Attributes
    ----------
    result
        What the call returned.
    seconds
        Of the call alone, not of starting the process or importing the function's module.
    peak_mb
        The most memory (resident, MB of 10⁶ bytes) that the process held until the call's end.
    """

    result: Any
    seconds: float
    peak_mb: float


def call_fresh(function: Callable[..., Any], *arguments: Any) -> FreshCall:
    """Call a function of a module in a fresh process; function and arguments must be picklable."""
    with ProcessPoolExecutor(1, mp_context=PROCESSES) as pool:
        return pool.submit(_call, function, arguments).result()


def _call(function: Callable[..., Any], arguments: tuple[Any, ...]) -> FreshCall:
    start = time.perf_counter()
    result = function(*arguments)
    return FreshCall(result, time.perf_counter() - start, _peak_mb())


def _peak_mb() -> float:
    # In getrusage, Linux counts the parent's peak for the child, but not here.
    if _STATUS.exists():
        line = next(line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024 / 1e6
    return (
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6
    )
