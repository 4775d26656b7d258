"""Folders for one run on a local disk, which are removed however the run ends."""

from __future__ import annotations

import errno
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from imaging_pipeline.errors import NoRoomError, PipelineError, Responsible, StoreError
from imaging_pipeline.suite2p_runner.ownership import is_abandoned, owned

_PREFIX = "suite2p-run"
_FULL = frozenset(getattr(errno, name) for name in ("ENOSPC", "EDQUOT") if hasattr(errno, name))
# ERROR_HANDLE_DISK_FULL and ERROR_DISK_FULL of Windows' system error codes.
_FULL_ON_WINDOWS = frozenset({39, 112})
# numpy writes what fits and then raises an error without a number.
_NO_ROOM_BYTES = 1_000_000

_LOCK_NAME = "owner.lock"
# A folder without it has just been made, or was made by a version that knew none; no run takes so long.
_DAYS_WITHOUT_LOCK = 7

SCRATCH_REMEDY = (
    "Make room there, or name a folder on a larger local disk as custom.suite2p.scratch in the "
    "configuration, or let another machine do this run."
)


@contextmanager
def run_folder(scratch: Path) -> Iterator[Path]:
    """Make a folder for one run, and remove it afterwards.

    Folders of processes that ended without cleaning up are removed first. Several containers may share the
    scratch folder of one machine.

    Raises
    ------
    StoreError
        The scratch folder cannot be written to, or its disk fills up.
    """
    try:
        scratch.mkdir(parents=True, exist_ok=True)
        _sweep(scratch)
        folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}-", dir=scratch))
    except OSError as error:
        raise StoreError(
            "The scratch folder cannot be written to",
            path=scratch,
            found=str(error),
            remedy="Correct custom.suite2p.scratch in the configuration.",
        ) from error
    try:
        with owned(folder / _LOCK_NAME):
            yield folder
    except OSError as error:
        # Some errors of ours are OSErrors as well, and say more already.
        if isinstance(error, PipelineError) or not is_full(error):
            raise
        raise scratch_full_error(folder, str(error)) from error
    finally:
        _remove(folder)


def _remove(folder: Path) -> None:
    with suppress(OSError):  # what cannot be removed now is removed before a later run
        for path in folder.iterdir():
            # The lock comes last: by it a later run sees that the rest is abandoned.
            if path.name != _LOCK_NAME:
                remove = shutil.rmtree if path.is_dir() else Path.unlink
                remove(path)
        shutil.rmtree(folder)


def _sweep(scratch: Path) -> None:
    for folder in scratch.glob(f"{_PREFIX}-*"):
        if folder.is_dir() and (is_abandoned(folder / _LOCK_NAME) or _is_old_without_lock(folder)):
            _remove(folder)


def _is_old_without_lock(folder: Path) -> bool:
    try:
        age_s = time.time() - folder.stat().st_mtime
    except FileNotFoundError:  # another process was faster
        return False
    return not (folder / _LOCK_NAME).exists() and age_s > _DAYS_WITHOUT_LOCK * 86400


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
