"""Processes that a test may kill, and that begin at once."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerContext, SpawnContext

__all__ = ["at_once", "fast_processes"]

_DEADLINE_S = 60

# Importing these takes a second of the processor, many times what most tests let a process do.
_IMPORTED = ["imaging_pipeline.database", "imaging_pipeline.workers.run", "pytest"]


def fast_processes() -> ForkServerContext | SpawnContext:
    """Return a context whose processes are forked, where that can be, from one that imported the pipeline.

    That one has no connections, and the environment of the time when the first of them began.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_IMPORTED)
    return context


def at_once(target: Callable[..., None], arguments: Sequence[tuple[Any, ...]]) -> None:
    """Run a function in several processes, which are also given the barrier at which they begin together."""
    context = fast_processes()
    start = context.Barrier(len(arguments))
    processes = [context.Process(target=target, args=(*given, start)) for given in arguments]
    for process in processes:
        process.start()
    for process in processes:
        process.join(_DEADLINE_S)
    assert [process.exitcode for process in processes] == [0] * len(processes)
