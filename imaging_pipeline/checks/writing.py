"""Whether files can be written to a folder, and how fast."""

from __future__ import annotations

import errno
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

# Written between two looks at the clock.
_BLOCK_BYTES = 32_000_000
_PERMISSION = (errno.EROFS, errno.EACCES, errno.EPERM)
# A quota that is used up is another error than a disk that is full.
_FULL = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True)
class Written:
    """How much was written to the disk itself, and how long that took."""

    num_bytes: int
    seconds: float

    @property
    def megabytes_per_s(self) -> float:
        """The speed in MB/s (10⁶ bytes)."""
        return self.num_bytes / self.seconds / 1e6


def try_writing(folder: Path, num_bytes: int, within_s: float = 10.0) -> Written:
    """Write a file without a name to the disk itself, and read its beginning back.

    Without a name it disappears with this process, however that ends. Its content is random, since a file
    system that compresses would seem too fast.

    Parameters
    ----------
    folder
        Where to write.
    num_bytes
        How much at most; more than 0.
    within_s
        After this time no further block is written.

    Raises
    ------
    OSError
        The file cannot be written, or what is read back differs.
    """
    block = os.urandom(min(_BLOCK_BYTES, num_bytes))
    written = 0
    # Without a buffer of Python's own, so that each block goes to the system at once.
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        started = time.perf_counter()
        while written < num_bytes and time.perf_counter() - started < within_s:
            written += file.write(block[: num_bytes - written])
            # After each block: otherwise a slow disk would seem as fast as memory until the end.
            os.fsync(file.fileno())
        seconds = time.perf_counter() - started
        file.seek(0)
        if file.read(len(block)) != block[:written]:
            raise OSError(errno.EIO, "what is read back is not what was written")
    return Written(written, seconds)


def why_not(error: OSError) -> str:
    """Return in words why a file could not be written to a folder."""
    if error.errno in _PERMISSION:
        return f"it cannot be written to ({error.strerror})"
    if error.errno in _FULL:
        return f"it is full ({error.strerror})"
    return f"it does not take a file ({error.strerror or error})"


def how_to_help(error: OSError) -> str:
    """Return what to do so that files can be written to the folder again."""
    if error.errno in _PERMISSION:
        return "Let this account write there, or mount it so that it can be written to."
    if error.errno in _FULL:
        return "Make room there, or raise this account's quota."
    return "See whether the disk or share is in order."
