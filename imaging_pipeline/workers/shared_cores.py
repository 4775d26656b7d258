"""How the workers of one machine share its cores: runs of Suite2p, and the threads of libraries."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from fasteners import InterProcessLock  # type: ignore[import-untyped]

from imaging_pipeline.suite2p_runner.cores import num_cores
from imaging_pipeline.workers.settings import Settings

_LOCK_NAME = "suite2p-run-{}.lock"

# They are read when a library is loaded, so that the process must have them from its start.
_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


@contextmanager
def suite2p_run_lock(scratch: Path, threads: int | None) -> Iterator[bool]:
    """Yield True if a run may begin; the lock is held while the block lasts, however its process ends.

    Two runs at a time on the same cores only slow each other. Among all workers with one scratch folder,
    there are as many locks as runs fit into the cores.

    Parameters
    ----------
    scratch
        Folder of the lock files.
    threads
        Of a run; None for all cores.
    """
    # At least one, where a run is to use more threads than there are cores.
    num_locks = max(1, num_cores() // (threads or num_cores()))
    with ExitStack() as stack:
        yield any(_acquire(scratch / _LOCK_NAME.format(number), stack) for number in range(num_locks))


def _acquire(path: Path, stack: ExitStack) -> bool:
    lock = InterProcessLock(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        is_ours = bool(lock.acquire(blocking=False))
    except OSError:
        # Another account's lock, or a disk that takes nothing: the run's own error says more about that.
        return True
    if not is_ours:
        lock.lockfile.close()  # which the library leaves open
    else:
        stack.callback(lock.release)
        if hasattr(os, "fchmod"):  # workers of other accounts take it next
            os.fchmod(lock.lockfile.fileno(), 0o666)
    return is_ours


@contextmanager
def library_threads(settings: Settings) -> Iterator[None]:
    """Let processes that are started within the block share the cores, or use as many as they were told.

    What the environment says already counts where the command line says nothing.
    """
    share = settings.threads or max(1, num_cores() // settings.processes)
    is_option = settings.threads is not None
    values = {name: str(share) for name in _VARIABLES if is_option or name not in os.environ}
    former = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in former.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
