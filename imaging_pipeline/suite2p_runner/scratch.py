"""Folders for one run on a local disk, which are removed however the run ends."""

from __future__ import annotations

import errno
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from os import getpid
from pathlib import Path

import psutil

from imaging_pipeline.errors import NoRoomError, PipelineError, Responsible, StoreError
from imaging_pipeline.processes import is_gone

_PREFIX = "suite2p-run"
_FULL = frozenset(getattr(errno, name) for name in ("ENOSPC", "EDQUOT") if hasattr(errno, name))
# ERROR_HANDLE_DISK_FULL and ERROR_DISK_FULL of Windows' system error codes.
_FULL_ON_WINDOWS = frozenset({39, 112})
# numpy writes what fits and then raises an error without a number.
_NO_ROOM_BYTES = 1_000_000

# The clock of a scratch disk may be another machine's.
_SLACK_S = 60.0

SCRATCH_REMEDY = (
    "Make room there, or name a folder on a larger local disk as custom.suite2p.scratch in the "
    "configuration, or let another machine do this run."
)


@contextmanager
def run_folder(scratch: Path) -> Iterator[Path]:
    """Make a folder for one run, and remove it afterwards.

    Folders of processes that ended without cleaning up are removed first.

    Raises
    ------
    StoreError
        The scratch folder cannot be written to, or its disk fills up.
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
    except OSError as error:
        # Some errors of ours are OSErrors as well, and say more already.
        if isinstance(error, PipelineError) or not is_full(error):
            raise
        raise scratch_full_error(folder, str(error)) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sweep(scratch: Path) -> None:
    # Of this machine only: the process numbers of others say nothing here.
    for folder in scratch.glob(f"{_PREFIX}-{socket.gethostname()}-*-*"):
        process = folder.name.rsplit("-", 2)[1]
        if process.isdecimal() and not _is_owner(int(process), folder):
            shutil.rmtree(folder, ignore_errors=True)


def _is_owner(pid: int, folder: Path) -> bool:
    """Return True if the process that made the folder lives; a younger one only has the same number."""
    if is_gone(pid):
        return False
    try:
        return psutil.Process(pid).create_time() < folder.stat().st_mtime + _SLACK_S
    except (psutil.NoSuchProcess, FileNotFoundError):
        return False
    except psutil.AccessDenied:
        return True


def is_full(error: OSError) -> bool:
    """Return True if the system refused to write because a disk or a quota is full."""
    return error.errno in _FULL or getattr(error, "winerror", None) in _FULL_ON_WINDOWS


def has_no_room(folder: Path) -> bool:
    """Return True if a disk is full, which not every error says."""
    return free_bytes(folder) < _NO_ROOM_BYTES


def scratch_full_error(folder: Path, reason: str) -> StoreError:
    """Return the error of a run whose scratch disk is full."""
    return StoreError(
        "The scratch disk filled up while Suite2p ran",
        path=folder.parent,
        found=f"{reason}; {_amount(free_bytes(folder))} free",
        remedy=SCRATCH_REMEDY,
        responsible=Responsible.RETRY,
    )


def require_space(folder: Path, needed_bytes: int, what: str, remedy: str, *, is_here: bool = False) -> None:
    """Check that a disk, which may be this machine's own, has room.

    Raises
    ------
    NoRoomError
        The disk is here: another machine may do it.
    StoreError
        The disk is on a share: it is tried again. Both have the room that is needed and that is free.
    """
    free = free_bytes(folder)
    if free < needed_bytes:
        kind, responsible = (
            (NoRoomError, Responsible.ADMINISTRATOR) if is_here else (StoreError, Responsible.RETRY)
        )
        raise kind(
            f"There is not enough room for {what}",
            path=folder,
            found=f"{_amount(free)} free",
            allowed=f"{_amount(needed_bytes)} or more",
            remedy=remedy,
            responsible=responsible,
        )


def free_bytes(folder: Path) -> int:
    """Return the free bytes on the disk of a folder, which need not exist."""
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    return shutil.disk_usage(existing).free


def _amount(num_bytes: int) -> str:
    return f"{num_bytes / 1e9:.3f} GB"
