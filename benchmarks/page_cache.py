"""Dropping files from memory, as if nobody had read them for a while."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path


def is_droppable() -> bool:
    """Return True if this system drops files on request; else all figures are of files in memory."""
    return hasattr(os, "posix_fadvise")


def drop(paths: Iterable[Path]) -> None:
    """Drop the contents of files from memory, after writing them to the disk."""
    for path in paths:
        file = os.open(path, os.O_RDONLY)
        try:
            os.fdatasync(file)
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(file)
