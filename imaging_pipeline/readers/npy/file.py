"""``.npy`` files, also those whose elements are pickled objects, read without trusting them.

Suite2p keeps its options and ROIs as pickled dictionaries inside ``.npy`` files, DeepLabCut its metadata in
``.pickle`` files. A pickle can name any function of the machine that reads it; see `readers.pickles`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from imaging_pipeline.errors import FormatError, PipelineError, UnsafeContentError
from imaging_pipeline.printable import printable
from imaging_pipeline.readers.pickles.arrays import require_text
from imaging_pipeline.readers.pickles.machine import COPY_AGAIN, MAX_CONTAINERS
from imaging_pipeline.readers.pickles.reading import loads
from imaging_pipeline.readers.regular_file import require_regular_file

__all__ = ["NpyHeader", "load_dictionary", "load_npy", "loads", "read_header"]


@dataclass(frozen=True)
class NpyHeader:
    """The header of an array.

    Attributes
    ----------
    shape, dtype
        Of the array; dtype object where its elements are pickled.
    size_bytes
        Length of the header itself.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    size_bytes: int

    @property
    def num_elements(self) -> int:
        """Elements of the array."""
        return prod(self.shape)

    @property
    def content_bytes(self) -> int:
        """Bytes of the elements, where they are not pickled."""
        return self.num_elements * self.dtype.itemsize


def read_header(file: BinaryIO, path: Path) -> NpyHeader:
    """Read a header, up to the first element (https://numpy.org/neps/nep-0001-npy-format.html).

    Raises
    ------
    FormatError
        The header is damaged or cut off.
    """
    try:
        version = np.lib.format.read_magic(file)
        first = version == (1, 0)
        # Version 3 is version 2 with names of fields in UTF-8; numpy has no public function for it.
        read = np.lib.format.read_array_header_1_0 if first else np.lib.format.read_array_header_2_0
        shape, _fortran_order, dtype = read(file)
        # numpy takes any whole numbers for a shape here.
        if any(size < 0 for size in shape):
            raise ValueError(f"shape {shape}")
    except OSError:
        raise
    except Exception as error:  # numpy lets Python's parser read it, which fails in many ways
        raise FormatError(
            "Not a whole .npy file",
            path=path,
            found="a header that is not as numpy writes it, or not all of one",
            remedy="Copy the file again from where it was written.",
        ) from error
    return NpyHeader(shape, dtype, file.tell())


# 40,000 ROIs take 320 MB.
_MAX_PICKLE_BYTES = 2**30
# Elements without a byte (texts of length 0) cost nothing in the file.
_MAX_EMPTY_ELEMENTS = 1_000_000
# Many times what a description of 1,000 planes has: it lists the files and frames of each.
_MAX_ELEMENTS = 500_000


def load_npy(path: Path) -> Any:
    """Return the content of a ``.npy`` file, also where its elements are pickled objects.

    A pickled dictionary that numpy stored as an array of no dimensions is returned as the dictionary.

    Returns
    -------
    value
        An array of the shape and dtype that the file states (dtype object for pickled elements),
        or the one object of an array of shape ``()``.

    Raises
    ------
    UnsafeContentError
        A pickled element is more than arrays and plain values.
    FormatError
        The file is no whole ``.npy`` file.
    """
    require_regular_file(path)
    with path.open("rb") as file:
        header = read_header(file, path)
        if header.dtype.hasobject:
            return _load_objects(file, path, header, MAX_CONTAINERS)
    return _load_numbers(path, header)


def load_dictionary(path: Path, max_elements: int = _MAX_ELEMENTS) -> dict[str, Any]:
    """Return the dictionary that a ``.npy`` file holds.

    Parameters
    ----------
    path
        The file.
    max_elements
        How many elements its lists and dictionaries may have in all; numbers in arrays do not count.

    Raises
    ------
    UnsafeContentError
        It holds more than arrays and plain values, or more of them.
    FormatError
        The file is no whole ``.npy`` file, or holds something else than a dictionary.
    """
    require_regular_file(path)
    with path.open("rb") as file:
        header = read_header(file, path)
        # An array of numbers may be gigabytes.
        is_one = header.dtype.hasobject and header.shape == ()
        content = _load_objects(file, path, header, max_elements) if is_one else None
    if not isinstance(content, dict):
        raise FormatError(
            "A file holds no dictionary",
            path=path,
            found=type(content).__name__ if is_one else f"an array of {header.dtype}, shape {header.shape}",
            allowed="a dictionary, as Suite2p saves it",
            remedy=COPY_AGAIN,
        )
    return content


def _load_objects(file: BinaryIO, path: Path, header: NpyHeader, max_elements: int) -> Any:
    num_bytes = path.stat().st_size
    if num_bytes > _MAX_PICKLE_BYTES:
        raise UnsafeContentError(
            "A pickle is too large",
            path=path,
            found=f"{num_bytes:,} bytes",
            allowed=f"{_MAX_PICKLE_BYTES:,} bytes",
            remedy="Ask where the file comes from.",
        )
    try:
        # Python allocates as many bytes as are requested, even if the file has fewer.
        array = loads(file.read(num_bytes), max_elements)
    except PipelineError as error:
        raise error.of(path, error.responsible) from error
    is_whole = isinstance(array, np.ndarray) and array.dtype == object and array.shape == header.shape
    if not is_whole or header.dtype != object:
        raise FormatError(
            "Not a whole .npy file: its header and its content differ",
            path=path,
            found=f"a {type(array).__name__} of shape {np.shape(array)}",
            allowed=f"an array of objects of shape {header.shape}",
            remedy=COPY_AGAIN,
        )
    return array.item() if array.shape == () else array


def _load_numbers(path: Path, header: NpyHeader) -> Any:
    # Compared before the array is read: numpy reserves the memory that the header states.
    num_bytes = path.stat().st_size - header.size_bytes
    is_empty = header.dtype.itemsize == 0
    if header.content_bytes > num_bytes or (is_empty and header.num_elements > _MAX_EMPTY_ELEMENTS):
        raise FormatError(
            "Not a whole .npy file",
            path=path,
            found=f"{num_bytes:,} bytes after the header",
            allowed=f"{header.num_elements:,} elements of {header.dtype.itemsize} bytes",
            remedy=COPY_AGAIN,
        )
    try:
        array = np.load(path, allow_pickle=False)
        require_text(array)
    except (ValueError, EOFError, MemoryError, OverflowError) as error:  # the last two: a damaged shape
        raise FormatError(
            "Not a whole .npy file", path=path, found=printable(error), remedy=COPY_AGAIN
        ) from error
    return array
