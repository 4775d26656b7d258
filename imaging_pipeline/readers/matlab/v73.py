"""MATLAB files of version 7.3, which are HDF5.

As MATLAB writes them: arrays are transposed; a cell array is an array of references; a struct is a group,
and the fields of a struct array are arrays of references without the attribute ``MATLAB_class`` that a
cell array has; texts are numbers of characters; an empty array has the attribute ``MATLAB_empty``, and its
shape for content.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from imaging_pipeline.printable import printable
from imaging_pipeline.readers.hdf5 import file as hdf5_file
from imaging_pipeline.readers.hdf5.file import text
from imaging_pipeline.readers.matlab.value import MatlabValue

if TYPE_CHECKING:
    from imaging_pipeline.readers.hdf5.dataset import Dataset
    from imaging_pipeline.readers.hdf5.group import Group

_NUMBERS = frozenset(
    {"double", "single", "logical", *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64))}
)
# MATLAB has no other variables and fields: a letter first, 63 characters (namelengthmax).
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}")
# Arrays of more dimensions are none of a recording; the names of its tifs are the longest texts.
_MAX_DIMENSIONS = 32
_MAX_CHARACTERS = 1_000_000


@contextmanager
def opened(path: Path) -> Iterator[MatlabValue]:
    """Open a file, and yield a struct whose fields are its variables, each read on request.

    Raises
    ------
    TruncatedError
        The file ends too early, or is damaged.
    UnsafeContentError
        A requested value lies in another file.
    FormatError
        A requested value is larger than any recording needs.
    """
    with hdf5_file.opened(path, "let MATLAB finish, or copy the file again.") as file:
        yield _Value(path, "", file)


class _Value(MatlabValue):
    def __init__(self, path: Path, name: str, content: Group | Dataset) -> None:
        super().__init__(path, name)
        self._content: Any = content
        self._attributes = content.attrs
        class_name = self._attributes.get("MATLAB_class")
        self._class = printable(text(class_name)) if isinstance(class_name, bytes) else ""
        self._is_group = content.is_group
        self._shape = (1, 1) if self._is_group else self._stated_shape()

    @property
    def kind(self) -> str:
        if self._is_group:
            # The root of the file has no class: its members are the variables.
            return "struct" if self._class == "struct" or not self.name else f"a value of class {self._class}"
        if self._class in _NUMBERS:
            is_number = self._content.dtype.kind in "biufc"
            return "numbers" if is_number else f"a {self._class} of {printable(self._content.dtype)}"
        known = {"char": "text", "cell": "cell array", "struct": "struct"}
        return known.get(self._class, f"a value of class {self._class or 'unknown'}")

    @property
    def shape(self) -> tuple[int, ...]:
        return self._shape

    @property
    def num_elements(self) -> int:
        # Any field shows it: one of a struct array lists a value for each element.
        for name in self.fields()[:1]:
            field = self._content[name]
            return 1 if field.is_group or "MATLAB_class" in field.attrs else int(field.size)
        return math.prod(self.shape)

    def fields(self) -> tuple[str, ...]:
        if self.kind != "struct" or not self._is_group:
            return ()
        # Other members, such as #refs#, are where MATLAB keeps the values that cells refer to.
        return tuple(name for name in self._content if _NAME.fullmatch(name))

    def _field(self, name: str) -> MatlabValue:
        return _Value(self.path, self._below(name), self._content[name])

    def _field_values(self, name: str) -> Sequence[MatlabValue]:
        field = self._content[name]
        if field.is_group or "MATLAB_class" in field.attrs:
            return [_Value(self.path, self._below(name), field)]
        return self._referred(field, lambda _: self._below(name))

    def _cells(self) -> Sequence[MatlabValue]:
        if 0 in self.shape:
            return []
        return self._referred(self._content, lambda number: f"{self.name}{{{number}}}")

    def _referred(self, references: Dataset, name: Callable[[int], str]) -> list[MatlabValue]:
        if references.dtype.kind != "O":
            self._refuse(f"an array of {printable(references.dtype)}", "an array of references")
        # Arrays are stored transposed, so that HDF5's order is MATLAB's column by column.
        listed = enumerate(np.ravel(references[()]), 1)
        return [_Value(self.path, name(number), references.follow(reference)) for number, reference in listed]

    def _numbers(self) -> NDArray[Any]:
        if 0 in self.shape:
            return np.zeros(self.shape)
        numbers: NDArray[Any] = self._content[()].T
        return numbers

    def _columns(self, columns: Sequence[int]) -> NDArray[Any]:
        if 0 in self.shape:
            return np.zeros(self.shape)[:, list(columns)]
        # MATLAB's columns are HDF5's rows, so that only these are read.
        rows: NDArray[Any] = self._content[list(columns)]
        return rows.T

    def _text(self) -> str:
        if 0 in self.shape:
            return ""
        if self._content.dtype.kind not in "iu" or self._content.size > _MAX_CHARACTERS:
            found = f"{self._content.size} × {printable(self._content.dtype)}"
            self._refuse(found, f"numbers of at most {_MAX_CHARACTERS} characters")
        # MATLAB's characters are units of UTF-16, two for a character beyond 65,535.
        codes = np.ravel(self._content[()]).astype(np.uint16)
        return codes.astype("<u2").tobytes().decode("utf-16-le", "replace")

    def _stated_shape(self) -> tuple[int, ...]:
        """Return MATLAB's shape of an array; that of an empty one is its content."""
        if "MATLAB_empty" not in self._attributes:
            return tuple(reversed(self._content.shape))
        is_shape = self._content.dtype.kind in "iu" and 0 < self._content.size <= _MAX_DIMENSIONS
        shape = tuple(int(size) for size in np.ravel(self._content[()])) if is_shape else ()
        if 0 not in shape or min(shape) < 0:
            found = str(shape) if is_shape else "none"
            self._refuse(f"an empty array whose shape is {found}", "a shape with a zero")
        return shape
