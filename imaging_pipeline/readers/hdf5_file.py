"""Opening HDF5 files whose copy may not have arrived yet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from imaging_pipeline.errors import FormatError, NothingFoundError, PipelineError, TruncatedError

# The bytes that every HDF5 file begins with (HDF5 File Format Specification, III.A).
SIGNATURE = b"\x89HDF\r\n\x1a\n"

_COPY_AGAIN = "copy the file again from the microscope's computer, then register the folder again."


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """Open a file to read it, and tell what is not there of it while it is read.

    Yields
    ------
    h5py.File
        The file. It is not locked: shares often cannot, and nothing is written.

    Raises
    ------
    NothingFoundError
        The file is not there.
    TruncatedError
        It ends before its content does, or content is missing within: it is still being copied, or never
        was copied whole.
    FormatError
        It is no HDF5 file.
    """
    # Half the time in which the package is imported would go to a library that most of its users
    # never need.
    import h5py

    _check_signature(path)
    try:
        with h5py.File(path, "r", locking=False) as file:
            yield file
    except PipelineError:
        raise
    except (OSError, RuntimeError, KeyError) as error:
        # What the system refused has a number; HDF5's own complaints about the content have none.
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise TruncatedError(
            "The HDF5 file is truncated or damaged",
            path=path,
            found=f"{path.stat().st_size} bytes; {error}",
            remedy=_COPY_AGAIN,
        ) from error


def text(value: object) -> str:
    """Give an attribute that is text: a str, bytes, or numbers of characters up to the first zero."""
    import numpy as np

    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.split(b"\0")[0].decode("utf-8", "replace")
    codes = np.ravel(np.asarray(value))
    if codes.dtype.kind in "SOU":
        return text(codes[0]) if codes.size else ""
    characters = codes.astype(np.int64).tolist()
    end = characters.index(0) if 0 in characters else len(characters)
    return "".join(map(chr, characters[:end]))


def _check_signature(path: Path) -> None:
    try:
        with path.open("rb") as file:
            start = file.read(len(SIGNATURE))
    except FileNotFoundError as missing:
        raise NothingFoundError(
            "The HDF5 file is not there", path=path, remedy="Copy it back into the folder."
        ) from missing
    if start == SIGNATURE:
        return
    if not any(start) or SIGNATURE.startswith(start):
        raise TruncatedError(
            "The HDF5 file is truncated: it has not even its first bytes",
            path=path,
            found=start or "an empty file",
            allowed=SIGNATURE,
            remedy=_COPY_AGAIN,
        )
    raise FormatError(
        "This is not an HDF5 file", path=path, found=start, allowed=SIGNATURE, remedy=_COPY_AGAIN
    )
