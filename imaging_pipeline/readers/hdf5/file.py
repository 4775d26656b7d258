"""Open HDF5 files that strangers wrote, or that are still being copied.

A file can name other files in five ways, and h5py follows all of them: external links, external storage,
virtual datasets, links of types of their own, and filters that are loaded from a plugin. So no object of
h5py leaves this folder. The objects that it returns instead open nothing outside the file, and read only
what is in it and has a size that recordings need.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from imaging_pipeline.errors import FormatError, TruncatedError
from imaging_pipeline.printable import printable
from imaging_pipeline.readers.hdf5.source import Source
from imaging_pipeline.readers.regular_file import require_regular_file

if TYPE_CHECKING:
    from imaging_pipeline.readers.hdf5.group import Group

# The bytes that every HDF5 file begins with (HDF5 File Format Specification, III.A); a program may put a
# block of its own before them, as MATLAB does: of 512 bytes, or any doubling of that.
_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_SIGNATURE_OFFSETS = (0, 512, 1024, 2048)
SIGNATURE_READ_BYTES = _SIGNATURE_OFFSETS[-1] + len(_SIGNATURE)
"""As much of a file's start as shows whether it has the signature."""

_COPY_AGAIN = "copy the file again from the microscope's computer, then register the folder again."
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_MAX_CODE = 0x10FFFF
# Half of a pair of UTF-16: a str that holds one cannot be encoded as UTF-8.
_SURROGATES = range(0xD800, 0xE000)


@contextmanager
def opened(path: Path, remedy: str = _COPY_AGAIN) -> Iterator[Group]:
    """Open a file to read it; errors that come up while it is open name the file and what is missing.

    Parameters
    ----------
    path
        The file.
    remedy
        What to do where it is damaged or not whole.

    Yields
    ------
    Group
        The file's root. It is not locked: shares often cannot, and nothing is written.

    Raises
    ------
    NothingFoundError
        The file is not there.
    TruncatedError
        It ends before its content does, or content is missing within: it is still being copied, or never
        was copied whole.
    UnsafeContentError
        A requested object lies in another file.
    FormatError
        It is no HDF5 file, or a requested object is larger than any recording needs.
    """
    require_regular_file(path)
    _check_signature(path, remedy)
    source = Source(path, path.stat().st_size, remedy)
    # Half the time in which the package is imported would go to a library that most of its users
    # never need.
    import h5py

    from imaging_pipeline.readers.hdf5.group import Group

    _forget_plugins()
    with ExitStack() as stack:
        with source.reading():
            # Without a cache of chunks HDF5 reads no more of one than was requested. The index may state any
            # size for a chunk that is not packed, and the cache would allocate it.
            file = stack.enter_context(h5py.File(path, "r", locking=False, rdcc_nbytes=0))
            root = Group(source, file["/"].id)
        yield root


def text(value: object) -> str:
    """Return an attribute that is text: a str, bytes, or numbers of characters up to the first zero."""
    import numpy as np

    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.split(b"\0")[0].decode("utf-8", "replace")
    codes = np.ravel(np.asarray(value))
    if codes.dtype.kind in "SOU":
        first = codes[0] if codes.size else ""
        return text(first) if isinstance(first, str | bytes) else ""
    if codes.dtype.kind not in "biuf":
        return ""
    with np.errstate(invalid="ignore"):  # what is no number is no character either
        characters = codes.astype(np.int64).tolist()
    end = characters.index(0) if 0 in characters else len(characters)
    return "".join(map(_character, characters[:end]))


def _character(code: int) -> str:
    is_one = 0 <= code <= _MAX_CODE and code not in _SURROGATES
    return chr(code) if is_one else _REPLACEMENT


def _forget_plugins() -> None:
    """Remove all folders in which HDF5 would look for a filter that a file names."""
    from h5py import h5pl

    while h5pl.size():
        h5pl.remove(h5pl.size() - 1)


def has_signature(start: bytes) -> bool:
    """Return True if the first bytes of a file show that it is HDF5."""
    return any(start[offset:].startswith(_SIGNATURE) for offset in _SIGNATURE_OFFSETS)


def _check_signature(path: Path, remedy: str) -> None:
    with path.open("rb") as file:
        start = file.read(SIGNATURE_READ_BYTES)
    if has_signature(start):
        return
    first = start[: len(_SIGNATURE)]
    # A copy that has begun: no bytes, some of the signature, or the zeros that Windows puts in place of
    # content.
    if not any(first) or _SIGNATURE.startswith(first):
        raise TruncatedError(
            "The HDF5 file is truncated: it has not even its first bytes",
            path=path,
            found=first or "an empty file",
            allowed=_SIGNATURE,
            remedy=remedy,
        )
    raise FormatError(
        "This is not an HDF5 file", path=path, found=printable(first), allowed=_SIGNATURE, remedy=remedy
    )
