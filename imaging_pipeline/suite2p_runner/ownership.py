"""Lock files by which processes know whether an unfinished folder still has an owner.

The system ends a lock with the process that holds it. A process number says less: two containers may have
the same host name and number their processes alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fasteners import InterProcessLock  # type: ignore[import-untyped]

# A process never waits for its own lock, and closing a second handle would end it.
_held: set[Path] = set()


@contextmanager
def owned(lock_file: Path) -> Iterator[None]:
    """Hold a new lock file while the block lasts; the file stays.

    Raises
    ------
    OSError
        It cannot be made.
    """
    lock = InterProcessLock(lock_file)
    _held.add(lock_file)
    try:
        lock.acquire()
        yield
    finally:
        if lock.acquired:
            lock.release()
        _held.discard(lock_file)


def is_abandoned(lock_file: Path) -> bool:
    """Return True if a lock file is there and its owner has ended; False where nobody can tell."""
    if lock_file in _held or not lock_file.is_file():
        return False
    lock = InterProcessLock(lock_file)
    try:
        if not lock.acquire(blocking=False):
            lock.lockfile.close()  # which the library leaves open
            return False
    except OSError:  # another account's
        return False
    lock.release()
    return True
