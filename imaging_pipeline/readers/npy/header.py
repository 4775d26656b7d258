"""The header of a ``.npy`` file: what an array is like, without its elements."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from imaging_pipeline.errors import FormatError
from imaging_pipeline.printable import printable


@dataclass(frozen=True)
class NpyHeader:
    """What a header says.

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
        Where the header is damaged or cut off.
    """
    try:
        version = np.lib.format.read_magic(file)
        first = version == (1, 0)
        read = np.lib.format.read_array_header_1_0 if first else np.lib.format.read_array_header_2_0
        shape, _fortran_order, dtype = read(file)
        if any(size < 0 for size in shape):
            raise ValueError(f"shape {shape}")
    except OSError:
        raise
    except Exception as error:  # numpy lets Python's parser read it, which fails in many ways
        raise FormatError(
            "Not a whole .npy file",
            path=path,
            found=f"{type(error).__name__}: {printable(error)}",
            remedy="Copy the file again from where it was written.",
        ) from error
    return NpyHeader(shape, dtype, file.tell())
