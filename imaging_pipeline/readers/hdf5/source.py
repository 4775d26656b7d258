"""An open HDF5 file, as its errors tell of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from imaging_pipeline.errors import FormatError, PipelineError, TruncatedError, UnsafeContentError
from imaging_pipeline.printable import printable
from imaging_pipeline.readers.hdf5.limits import ALWAYS_ALLOWED_STEPS, MIN_BYTES_PER_STEP

# How h5py and HDF5 complain about content that is not what its format says.
_COMPLAINTS = (OSError, RuntimeError, KeyError, TypeError, ValueError, AttributeError, OverflowError)
_SAVE_AGAIN = "save the file again with the program that made it, or copy it again."


@dataclass(frozen=True)
class Source:
    """A file.

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
        """Turn complaints about the content into errors that name the file.

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
            # What the system refused has a number; complaints about the content have none.
            if isinstance(error, OSError) and error.errno is not None:
                raise
            raise self.truncated("The HDF5 file is truncated or damaged", printable(error)) from error

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
