"""Copy a finished output from the scratch disk to its target: whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from imaging_pipeline import progress
from imaging_pipeline.errors import Responsible, StoreError
from imaging_pipeline.share_away import is_share_away
from imaging_pipeline.suite2p_runner.ownership import is_abandoned, owned
from imaging_pipeline.suite2p_runner.scratch import is_full, require_space

MOVIE_SUFFIX = ".bin"
_LOCK_PREFIX = "suite2p-copy-"

TARGET_REMEDY = "Make room on the share, and let the job run again."

# Windows refuses to rename a folder of which somebody has a file open; a virus scanner soon lets go.
_REFUSALS = frozenset({errno.EACCES, errno.EPERM, errno.EBUSY})
_PAUSES_S = (1.0, 2.0, 4.0, 8.0)

# A copy writes all the time; one that has not for so long, by the share's own clock, was abandoned.
_DEAD_S = 86400.0


def require_recording_folder(target: Path) -> None:
    """Check that the recording's folder exists, two above the output.

    It is never created: below the empty mount point of a share it would be on this machine's own disk.

    Raises
    ------
    StoreError
        It does not exist.
    """
    recording = target.parent.parent
    if not _is_there(recording):
        raise StoreError(
            "The recording's folder, in which Suite2p's output belongs, is not there",
            path=recording,
            remedy="Mount the share again, or register the folder anew where it was moved to.",
            responsible=Responsible.RETRY,
        )


def copy_locks(scratch: Path) -> Iterator[Path]:
    """Yield the lock files of copies that were not removed."""
    yield from scratch.glob(f"{_LOCK_PREFIX}*.lock")


def publish(source: Path, target: Path) -> None:
    """Copy an output beside its target, check it, and move it there with one rename.

    The registered movie (``*.bin``) is left out. An earlier output at the target is renamed to
    ``<name>.superseded-<time>``. Unfinished copies of processes that ended are removed.

    Raises
    ------
    StoreError
        There is no room, the share is away or refuses, the copy is not as large as the original, or
        somebody has the earlier output open.
    """
    files = list(_files(source))
    num_bytes = sum((source / file).stat().st_size for file in files)
    token = uuid.uuid4().hex
    # Beside the target, so that the last step is a rename within one folder.
    partial = target.with_name(f".{target.name}.partial-{token}")
    with _errors_of_share(source, target):
        require_recording_folder(target)
        require_space(target.parent, num_bytes, "the output of Suite2p", TARGET_REMEDY)
        target.parent.mkdir(exist_ok=True)
        partial.mkdir()
        lock_file = _lock_of(source, token)
        with owned(lock_file):
            try:
                _remove_abandoned(target, partial, source)
                _copy(source, partial, files, num_bytes)
                _exchange(partial, target)
            except BaseException:  # also when the worker is stopped
                # Where the share is away, the lock file remains, so that a later copy removes this one.
                with suppress(OSError):
                    shutil.rmtree(partial)
                    lock_file.unlink()
                raise
            lock_file.unlink()
    with suppress(OSError):  # a cancelled process may have ended meanwhile; the output is at its target
        _remove_abandoned(target, target, source)


@contextmanager
def _errors_of_share(source: Path, target: Path) -> Iterator[None]:
    """Turn errors of the system while an output is copied into a StoreError with a remedy."""
    try:
        yield
    except StoreError:
        raise
    except OSError as error:
        if _concerns(error, source):
            raise StoreError(
                "The finished run of Suite2p cannot be read from this machine's scratch disk",
                path=error.filename,
                found=str(error),
                remedy="See whether the scratch disk is in order, and let the job run again.",
            ) from None  # as its cause, EIO would make the job wait for the share
        if is_full(error):
            what, remedy, responsible = "The share filled up", TARGET_REMEDY, Responsible.RETRY
        elif is_share_away(error) or isinstance(error, (FileNotFoundError, NotADirectoryError)):
            what, remedy, responsible = "The share went away", "Mount the share again.", Responsible.RETRY
        else:
            what, remedy, responsible = (
                "The share refused",
                "Let this account write there, and let the job run again.",
                Responsible.ADMINISTRATOR,
            )
        raise StoreError(
            f"{what} while the output of Suite2p was copied; the finished run is kept on this machine",
            path=target,
            found=str(error),
            remedy=remedy,
            responsible=responsible,
        ) from error


def _concerns(error: OSError, folder: Path) -> bool:
    """Return True if an error names a file below a folder and no other, as that of a broken copy does."""
    named = error.filename is not None and error.filename2 is None
    return named and Path(error.filename).is_relative_to(folder)


def _is_there(folder: Path) -> bool:
    try:
        return folder.is_dir()
    except OSError:
        return False


def _files(source: Path) -> Iterator[Path]:
    for folder, _folders, names in os.walk(source):
        for name in names:
            if not name.endswith(MOVIE_SUFFIX):
                yield Path(folder, name).relative_to(source)


def _lock_of(source: Path, token: str) -> Path:
    """Return the lock file of a copy; on the local disk, since not every share has locks."""
    return source.parent / f"{_LOCK_PREFIX}{token}.lock"


def _remove_abandoned(target: Path, own: Path, source: Path) -> None:
    """Remove copies whose process on this machine has ended, or that were not written to for long."""
    # Written just now, so that this is the time by the share's clock.
    now_s = own.stat().st_mtime
    for partial in target.parent.glob(f".{target.name}.partial-*"):
        if partial == own:
            continue
        lock_file = _lock_of(source, partial.name.rpartition("-")[2])
        written_s = max(path.stat().st_mtime for path in (partial, *partial.rglob("*")))
        if is_abandoned(lock_file) or now_s - written_s > _DEAD_S:
            shutil.rmtree(partial, ignore_errors=True)
            lock_file.unlink(missing_ok=True)


def _copy(source: Path, partial: Path, files: list[Path], num_bytes: int) -> None:
    # One by one: with its parents, a folder would be made anew where the share is gone.
    for folder, _folders, _names in os.walk(source):
        (partial / Path(folder).relative_to(source)).mkdir(exist_ok=True)
    copied_bytes = 0
    for file in files:
        copy = partial / file
        shutil.copyfile(source / file, copy)
        size_bytes = (source / file).stat().st_size
        if copy.stat().st_size != size_bytes:
            raise StoreError(
                "A file was not copied whole",
                path=copy,
                found=f"{copy.stat().st_size} bytes",
                allowed=f"{size_bytes} bytes",
                remedy="Look at the file server.",
            )
        copied_bytes += size_bytes
        progress.report("copying the output", copied_bytes, num_bytes)


def _exchange(partial: Path, target: Path) -> None:
    """Rename an earlier output, move the new one to the target, and undo the first if that fails.

    No file of the lab is ever deleted.
    """
    if not target.exists():
        rename_with_retries(partial, target)
        return
    aside = target.with_name(f"{target.name}.superseded-{datetime.now():%Y%m%dT%H%M%S%f}")
    rename_with_retries(target, aside)
    try:
        rename_with_retries(partial, target)
    except BaseException:
        rename_with_retries(aside, target)
        raise


def rename_with_retries(path: Path, to: Path) -> None:
    """Rename a folder, and retry for some seconds while somebody has one of its files open.

    Raises
    ------
    StoreError
        Somebody still has.
    """
    for pause_s in (*_PAUSES_S, None):
        try:
            path.rename(to)
            return
        except OSError as error:
            if error.errno not in _REFUSALS:
                raise
            if pause_s is None:
                raise StoreError(
                    "A folder of Suite2p's output cannot be renamed",
                    path=path,
                    found=str(error),
                    remedy="Close the programs that have one of its files open.",
                    responsible=Responsible.RETRY,
                ) from error
        time.sleep(pause_s)
