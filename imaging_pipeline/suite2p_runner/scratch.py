"""Folders for one run, on a local disk, that are gone when the run ends however it ends."""

from __future__ import annotations

import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from os import getpid
from pathlib import Path

import psutil

from imaging_pipeline.errors import StoreError

_PREFIX = "suite2p-run"

# The clock of a scratch disk may be another machine's.
_SLACK_S = 60.0


@contextmanager
def run_folder(scratch: Path) -> Iterator[Path]:
    """Make a folder for one run, and remove it afterwards.

    What runs of processes that ended without a chance to clean up left there is removed first.

    Raises
    ------
    StoreError
        Where the scratch folder cannot be written to.
    """
    try:
        scratch.mkdir(parents=True, exist_ok=True)
        _sweep(scratch)
        folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}-{socket.gethostname()}-{getpid()}-", dir=scratch))
    except OSError as error:
        raise StoreError(
            "The scratch folder cannot be written to",
            path=scratch,
            found=str(error),
            remedy="Correct custom.suite2p.scratch in the configuration.",
        ) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sweep(scratch: Path) -> None:
    for folder in scratch.glob(f"{_PREFIX}-{socket.gethostname()}-*-*"):
        process = folder.name.rsplit("-", 2)[1]
        if process.isdecimal() and not _is_owner(int(process), folder):
            shutil.rmtree(folder, ignore_errors=True)


def _is_owner(pid: int, folder: Path) -> bool:
    """Say whether the process lives that made the folder; a younger one has its number only."""
    try:
        return psutil.Process(pid).create_time() < folder.stat().st_mtime + _SLACK_S
    except (psutil.NoSuchProcess, FileNotFoundError):
        return False
    except psutil.AccessDenied:
        return True


def require_space(folder: Path, needed_bytes: int, what: str) -> None:
    """Check that a disk has room.

    Raises
    ------
    StoreError
        With the room that is needed and that there is.
    """
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    free_bytes = shutil.disk_usage(existing).free
    if free_bytes < needed_bytes:
        raise StoreError(
            f"There is not enough room for {what}",
            path=folder,
            found=f"{free_bytes / 1e9:.1f} GB free",
            allowed=f"{needed_bytes / 1e9:.1f} GB or more",
            remedy="Make room, or choose another place.",
        )
