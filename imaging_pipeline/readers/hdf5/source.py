"""An open HDF5 file as its errors name it, and how much of it is read at once.

The limits are above what any recording needs, and below what harms a worker.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from imaging_pipeline.errors import FormatError, PipelineError, TruncatedError, UnsafeContentError
from imaging_pipeline.printable import printable

KIB, MIB, GIB = 2**10, 2**20, 2**30

# Traces of 2,000 cells in 200,000 frames are 3.2 GB of double precision, and are read in one piece.
MAX_READ_BYTES = 4 * GIB
# A frame of 1024 × 1024 px is 2 MB; writers put some tens of them into a chunk at most.
MAX_CHUNK_BYTES = 128 * MIB
# Attributes are settings and comments.
MAX_ATTRIBUTE_BYTES = MIB
# Text of variable length may refer any number of times to the same bytes of the file, and nothing says how
# many these are before it is read: texts × bytes of the file is what it may take.
MAX_TEXT_BYTES = GIB
# Each becomes an object of Python: a cell array has one for each region, of which there are some thousands.
MAX_OBJECTS = 100_000
# One for each variable, field or unit; the values of a MATLAB file, which are many more, are never listed.
MAX_MEMBERS = 10_000
# A struct in a struct is one level. What goes deeper contains itself.
MAX_DEPTH = 64
# As many as HDF5 itself follows for one name.
MAX_SOFT_LINKS = 16
# An object takes a hundred bytes and more, and is opened some five times while a file is read.
ALWAYS_ALLOWED_STEPS = 2_000
MIN_BYTES_PER_STEP = 16
# Deflate cannot pack more than this into a byte (zlib's technical details: 1032:1).
MAX_RATIO = 1032
# An index of chunks takes at least an address for each.
MIN_INDEX_BYTES = 8


def max_stored_bytes(chunk_bytes: int) -> int:
    """Return the bytes that a chunk may take in the file: filters add little to what does not compress."""
    return chunk_bytes + chunk_bytes // 16 + 4 * KIB


# No disk of a laboratory holds such a file: its size was not written by the program, and no copy reaches it.
MAX_FILE_BYTES = 2**44
# The size that the file had when it was written, in HDF5's error for one that is smaller.
_STATED_SIZE = re.compile(r"stored_eof = ([0-9]+)")

# What h5py and HDF5 raise for content that is not what its format says.
_COMPLAINTS = (OSError, RuntimeError, KeyError, TypeError, ValueError, AttributeError, OverflowError)
_SAVE_AGAIN = "save the file again with the program that made it, or copy it again."


@dataclass(frozen=True)
class Source:
    """An open file: how errors name it, and how many of its objects were opened so far.

    Attributes
    ----------
    path
        Where it is.
    num_bytes
        Its size.
    remedy
        What to do where it is damaged.
    """

    path: Path
    num_bytes: int
    remedy: str
    # A list, as the dataclass is frozen: one count for all that is opened of the file.
    _steps: list[int] = field(default_factory=lambda: [0])

    def count_step(self) -> None:
        """Count an object that is opened: links multiply the work that a small file makes.

        Raises
        ------
        FormatError
            There were more steps than a file of this size has objects, each of which takes a header.
        """
        self._steps[0] += 1
        allowed = ALWAYS_ALLOWED_STEPS + self.num_bytes // MIN_BYTES_PER_STEP
        if self._steps[0] > allowed:
            raise self.too_large("/", f"more than {allowed:,} objects to open", f"{allowed:,}")

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Turn errors about the content into errors of ours that name the file.

        Raises
        ------
        TruncatedError
            The content is damaged, or not all of it is there.
        """
        try:
            yield
        except PipelineError:
            raise
        except _COMPLAINTS as error:
            # An error of the system has a number; one about the content has none.
            if isinstance(error, OSError) and error.errno is not None:
                raise
            raise self._damaged(error) from error

    def _damaged(self, error: Exception) -> FormatError:
        """Return the error for what h5py complains about, whose own words only programmers understand."""
        stated = _STATED_SIZE.search(str(error))
        if stated is None:
            return self.truncated("The HDF5 file is truncated or damaged", "its content cannot be read")
        num_bytes = int(stated[1])
        if num_bytes > MAX_FILE_BYTES:
            return self.too_large("/", f"{num_bytes} bytes, as its first bytes say", f"{MAX_FILE_BYTES}")
        return self.truncated("The HDF5 file is truncated", f"{num_bytes} bytes when it was whole")

    def truncated(self, what: str, found: str) -> TruncatedError:
        """Return the error for content that is not there, or not whole."""
        return TruncatedError(
            what,
            path=self.path,
            found=f"{self.num_bytes} bytes; {found}",
            remedy=self.remedy,
        )

    def unsafe(self, name: str, found: str) -> UnsafeContentError:
        """Return the error for an object that leads out of the file."""
        return UnsafeContentError(
            "An object of the HDF5 file leads to another file, which was not opened",
            path=self.path,
            found=f"{printable(name)}: {found}",
            allowed="only what lies in the file itself",
            remedy="ask where the file comes from; save all of its content in the file itself.",
        )

    def refused(self, what: str, name: str, found: object, allowed: object) -> FormatError:
        """Return the error for an object that is not read."""
        return FormatError(
            what, path=self.path, found=f"{printable(name)}: {found}", allowed=allowed, remedy=_SAVE_AGAIN
        )

    def too_large(self, name: str, found: str, allowed: str) -> FormatError:
        """Return the error for an object that would take more memory than any recording needs."""
        return self.refused("An object of the HDF5 file is too large to be read", name, found, allowed)
