"""Telling the system what will be read next, so that it fetches all of it at once."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import IO, Any


def read_ahead(file: IO[Any], stretches: Iterable[tuple[int, int]]) -> None:
    """Announce stretches of a file, each as offset and number of bytes.

    Reads that are scattered over a file then cost the wait for one, not for each. Where the system knows
    no such announcement nothing is done.
    """
    if sys.platform == "linux":
        for offset, num_bytes in stretches:
            os.posix_fadvise(file.fileno(), offset, num_bytes, os.POSIX_FADV_WILLNEED)
