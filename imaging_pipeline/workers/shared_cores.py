"""Runs of Suite2p on one machine take turns: two at a time on the same cores only halve each other."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from fasteners import InterProcessLock  # type: ignore[import-untyped]

from imaging_pipeline.suite2p_runner.cores import num_cores

_NAME = "suite2p-run-{}.lock"


@contextmanager
def suite2p_turn(scratch: Path, threads: int | None) -> Iterator[bool]:
    """Return True if a run may begin; it holds its place while the block lasts, however its process ends.

    Among all workers with one scratch folder, there are as many places as runs fit into the cores.

    Parameters
    ----------
    scratch
        Where the places are kept.
    threads
        Of a run; None for all cores.
    """
    places = max(1, num_cores() // (threads or num_cores()))
    with ExitStack() as held:
        yield any(_take(scratch / _NAME.format(number), held) for number in range(places))


def _take(place: Path, held: ExitStack) -> bool:
    lock = InterProcessLock(place)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        is_ours = bool(lock.acquire(blocking=False))
    except OSError:
        # Another account's place, or a disk that takes nothing: the run itself tells that better.
        return True
    if not is_ours:
        lock.lockfile.close()  # which the library leaves open
    else:
        held.callback(lock.release)
        if hasattr(os, "fchmod"):
            os.fchmod(lock.lockfile.fileno(), 0o666)
    return is_ours
