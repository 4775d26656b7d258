"""Announce to the operating system what will be read next, so that it fetches all of it at once."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

# Offset and number of bytes.
Stretch = tuple[int, int]


def read_ahead(file: IO[Any], stretches: Iterable[Stretch]) -> None:
    """Announce stretches of an open file.

    Reads that are scattered over a file then cost one wait instead of many. Other systems than Linux have
    no such announcement, and nothing is done.
    """
    if sys.platform == "linux":
        for offset, num_bytes in stretches:
            os.posix_fadvise(file.fileno(), offset, num_bytes, os.POSIX_FADV_WILLNEED)


def announce(path: Path, stretches: Iterable[Stretch]) -> None:
    """Announce stretches of a file that is opened later.

    Several files are fetched at once in this way, although no more than one is open at a time.
    """
    if sys.platform == "linux":
        # The error of a file that cannot be opened is raised when it is read.
        # What was announced stays in the system's cache when the file is closed.
        with suppress(OSError), path.open("rb", buffering=0) as file:
            read_ahead(file, stretches)
