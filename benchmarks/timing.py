"""Measuring times that can be compared although the machine has other work."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence


def interleaved_s(
    *actions: Callable[[], object], repeats: int, before: Callable[[], object] | None = None
) -> list[float]:
    """Return the shortest time of each action, of several rounds in which they take turns.

    Other work only makes an action slower, and when actions take turns it disturbs all of them alike.

    Parameters
    ----------
    actions
        What to time, each called ``repeats`` times.
    before
        Called before each action, outside its time, for example to drop files from memory.

    Returns
    -------
    list of float
        Seconds, in the order of the actions.
    """
    rounds = [[_seconds(action, before) for action in actions] for _ in range(repeats)]
    return shortest(rounds)


def shortest(rounds: Sequence[Sequence[float]]) -> list[float]:
    """Return the least of each column of several rounds."""
    return [min(column) for column in zip(*rounds, strict=True)]


def _seconds(action: Callable[[], object], before: Callable[[], object] | None) -> float:
    if before is not None:
        before()
    start = time.perf_counter()
    action()
    return time.perf_counter() - start
