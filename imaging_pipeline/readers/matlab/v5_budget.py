"""How much memory a MATLAB 5 file may take, and how a file is refused that would take more.

Few bytes of a file can stand for many in memory: compressed zeros, empty cells, declared sizes. What a file
may take is therefore in relation to its own size.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from imaging_pipeline.errors import FormatError, TruncatedError

# Traces compress to about a half, whole results to a tenth at most; masks and zeros compress far better, but
# are the small part of a file. Any machine that the pipeline runs on has the memory that is always allowed.
MAX_RATIO = 50
ALWAYS_ALLOWED_BYTES = 256 << 20
# Results of Suite2p have about 40 values a region, and 5,000 regions at most.
MAX_VALUES = 1_000_000
# An array of a few numbers: its object, that of its view in MATLAB's order, and the owner of its memory.
BYTES_PER_VALUE = 300
# scipy reads nested values by recursion in C. Results of Suite2p are nested six deep.
MAX_DEPTH = 64
# scipy compares each name with all others.
MAX_FIELDS = 1024
# MATLAB allows 63 characters.
MAX_NAME_BYTES = 1024
MAX_VARIABLES = 10_000


@dataclass(frozen=True)
class Place:
    """Where something was found that is refused.

    Attributes
    ----------
    path
        The file.
    variable
        Which variable, in words of our own: names in the file are not to be repeated unseen.
    """

    path: Path
    variable: str

    def damaged(self, what: str, found: object, allowed: object) -> FormatError:
        """Return the error for content that contradicts itself or the format."""
        return FormatError(
            f"{self.variable} is damaged: {what}",
            path=self.path,
            found=found,
            allowed=allowed,
            remedy="Copy the file again, or save it in MATLAB again, as version 7 or 7.3.",
        )

    def cut(self, what: str, found: object, allowed: object) -> TruncatedError:
        """Return the error for content that is not there."""
        return TruncatedError(
            f"The MATLAB file is damaged, or not all of it is there: {what}",
            path=self.path,
            found=found,
            allowed=allowed,
            remedy="Let MATLAB finish, or copy the file again.",
        )

    def too_much(self, what: str, found: object, allowed: object) -> FormatError:
        """Return the error for content that is more than is read of such a file."""
        return FormatError(
            f"{self.variable} holds too much: {what}",
            path=self.path,
            found=found,
            allowed=allowed,
            remedy="Save in MATLAB only what Suite2p made, as version 7.3.",
        )


class Budget:
    """What the values of a file may still take.

    Parameters
    ----------
    file_bytes
        The size of the file.
    """

    def __init__(self, file_bytes: int) -> None:
        self._allowed_bytes = max(ALWAYS_ALLOWED_BYTES, MAX_RATIO * file_bytes)
        self._num_bytes = 0
        self._num_values = 0

    def take_bytes(self, num_bytes: int, place: Place) -> None:
        """Count memory that is going to be taken.

        Raises
        ------
        FormatError
            It is more than such a file may take.
        """
        self._num_bytes += num_bytes
        if self._num_bytes > self._allowed_bytes:
            raise place.too_much(
                "the memory that it takes", f"{self._num_bytes} bytes", f"{self._allowed_bytes} bytes"
            )

    def take_values(self, num_values: int, place: Place) -> None:
        """Count arrays, cells and fields that are going to be made.

        Raises
        ------
        FormatError
            They are more than a file may have, or take more memory than such a file may.
        """
        self._num_values += num_values
        if self._num_values > MAX_VALUES:
            raise place.too_much("the number of its values", self._num_values, f"{MAX_VALUES} in a file")
        self.take_bytes(num_values * BYTES_PER_VALUE, place)
