"""Why the store did not take what was written to it, and whose move that is."""

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
    """Say in our own words when the store does not take what the enclosed code writes to it.

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
    except PipelineError:
        raise
    except OSError as error:
        spec = dj.config.get_store_spec(STORE)
        # Arrays for a bucket are made in the temporary folder first.
        place = Path(spec["location"] if spec["protocol"] == "file" else tempfile.gettempdir())
        what, remedy, responsible = _refusal(error, spec)
        raise StoreError(
            what,
            path=place,
            found=f"{error}; {_room(place, needed_bytes)}",
            remedy=remedy,
            responsible=responsible,
        ) from error


def is_away(spec: Mapping[str, Any]) -> bool:
    """Return True if a store that is to be a folder is none on this machine."""
    # Path's own `is_dir` raises where a share hangs.
    return spec["protocol"] == "file" and not os.path.isdir(spec["location"])  # noqa: PTH112


def _refusal(error: OSError, spec: Mapping[str, Any]) -> tuple[str, str, Responsible]:
    """Return what is wrong, what to do, and whose move it is."""
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
        # Never made by us: it would fill the folder that a share is to be mounted on.
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


def _room(place: Path, needed_bytes: int) -> str:
    """Return how much room is needed and free, as far as the file system tells."""
    needed = f"{needed_bytes / 1e6:.2f} MB needed"
    try:
        return f"{needed}, {shutil.disk_usage(place).free / 1e6:.2f} MB free"
    except OSError:
        return needed
