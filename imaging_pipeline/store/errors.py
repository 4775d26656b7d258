"""Why arrays could not be written to the store, and who can do something about it."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import datajoint as dj

from imaging_pipeline.config.stores import PIPELINE_STORE as STORE
from imaging_pipeline.errors import PipelineError, Responsible, StoreError

_FULL = frozenset(getattr(errno, name) for name in ("ENOSPC", "EDQUOT") if hasattr(errno, name))
_READ_ONLY = frozenset((errno.EROFS, errno.EACCES, errno.EPERM))


@contextmanager
def store_errors(needed_bytes: int) -> Iterator[None]:
    """Turn an error of the enclosed code, which writes to the store, into an error of ours.

    Parameters
    ----------
    needed_bytes
        How much the enclosed code writes, for the error to name.

    Raises
    ------
    StoreError
        The store is full, missing or read-only.
    """
    try:
        yield
    except PipelineError:  # some of ours are OSErrors, too
        raise
    except OSError as error:
        spec = dj.config.get_store_spec(STORE)
        # Arrays for a bucket are made in the temporary folder first.
        folder = Path(spec["location"] if spec["protocol"] == "file" else tempfile.gettempdir())
        what, remedy, responsible = _cause(error, spec)
        raise StoreError(
            what,
            path=folder,
            found=f"{error}; {_room(folder, needed_bytes)}",
            remedy=remedy,
            responsible=responsible,
        ) from error


def is_away(spec: Mapping[str, Any]) -> bool:
    """Return True if the store is a folder, but not there on this machine."""
    # Path's own `is_dir` raises where a share hangs.
    return spec["protocol"] == "file" and not os.path.isdir(spec["location"])  # noqa: PTH112


def _cause(error: OSError, spec: Mapping[str, Any]) -> tuple[str, str, Responsible]:
    """Return what is wrong, what to do, and who can do it."""
    if error.errno in _FULL:
        return (
            f"There is no room for arrays in the store {STORE!r}",
            "Make room there; imaging-pipeline store sweep removes what no row names any more.",
            Responsible.RETRY,
        )
    if error.errno in _READ_ONLY:
        return (
            f"This account may not write to the store {STORE!r}",
            "Let it write there, or mount the store with the right to write.",
            Responsible.ADMINISTRATOR,
        )
    if error.errno == errno.EFBIG:
        return (
            f"The store {STORE!r} takes no file of that size",
            "Raise the limit of this account's files (ulimit -f), or use another file system.",
            Responsible.ADMINISTRATOR,
        )
    if is_away(spec):
        # Not made here: arrays would fill the folder below the mount point of a share.
        return (
            f"The store {STORE!r} is no folder on this machine",
            f"Mount its share, or correct stores.{STORE}.location in the configuration.",
            Responsible.RETRY,
        )
    return (
        f"Arrays could not be written to the store {STORE!r}",
        "See whether this machine finds the store and may write there.",
        Responsible.ADMINISTRATOR,
    )


def _room(folder: Path, needed_bytes: int) -> str:
    """Return how much room is needed and, if the file system tells, how much is free."""
    needed = f"{needed_bytes / 1e6:.2f} MB needed"
    try:
        return f"{needed}, {shutil.disk_usage(folder).free / 1e6:.2f} MB free"
    except OSError:
        return needed
