"""Processes that a test may kill, and that begin at once."""

from __future__ import annotations

import multiprocessing
from multiprocessing.context import BaseContext

__all__ = ["fast_processes"]

# Importing these takes a second of the processor, many times what most tests let a process do.
_IMPORTED = ["imaging_pipeline.database", "imaging_pipeline.workers.run", "pytest"]


def fast_processes() -> BaseContext:
    """Give a context whose processes are forked, where that can be, from one that imported the pipeline.

    That one has no connections, and the environment of the time when the first of them began.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_IMPORTED)
    return context
