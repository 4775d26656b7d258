"""How many threads the libraries of a job process calculate with."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from imaging_pipeline.suite2p_runner.cores import num_cores
from imaging_pipeline.workers.settings import Settings

# They are read when a library is loaded, so that the process must have them from its start.
_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


@contextmanager
def library_threads(settings: Settings) -> Iterator[None]:
    """Let processes that are started within the block share the cores, unless they were told how many to use.

    What the environment says already counts where the command line says nothing.
    """
    share = settings.threads or max(1, num_cores() // settings.processes)
    given = settings.threads is not None
    wanted = {name: str(share) for name in _VARIABLES if given or name not in os.environ}
    former = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in former.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
