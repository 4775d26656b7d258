"""Which processes use an embedded server: each holds a lock of its own, which ends with it in any case."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import fasteners  # type: ignore[import-untyped]


def sign_in(users: Path) -> fasteners.InterProcessLock:
    """Take a lock for this process in the folder of all users' locks, and give it."""
    mine = fasteners.InterProcessLock(users / f"{os.getpid()}-{secrets.token_hex(4)}")
    mine.acquire()
    return mine


def is_used(users: Path) -> bool:
    """Return True if a process that signed in is alive; the files of dead ones are removed."""
    # All are tried, so that no file of a killed process stays behind.
    return any([_is_held(user) for user in users.iterdir()])


def _is_held(user: Path) -> bool:
    lock = fasteners.InterProcessLock(user)
    if not lock.acquire(blocking=False):
        lock.lockfile.close()
        return True
    lock.release()
    user.unlink()
    return False
