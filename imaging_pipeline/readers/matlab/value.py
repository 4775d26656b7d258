"""Values of MATLAB files, with one interface for both containers.

Arrays have MATLAB's shape: a row vector is (1, n). Nothing is evaluated: objects of classes and functions
are values without content.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, NoReturn

import numpy as np
from numpy.typing import NDArray

from imaging_pipeline.errors import FormatError
from imaging_pipeline.printable import printable

_SHOWN_FIELDS = 12


class MatlabValue(ABC):
    """One value of a file: numbers, a text, a cell array, or a struct (array).

    Parameters
    ----------
    path
        The file.
    name
        Where in the file, as MATLAB would write it: ``dat.stat.iscell``.
    """

    kinds: ClassVar = ("numbers", "text", "cell array", "struct")

    def __init__(self, path: Path, name: str) -> None:
        self.path = path
        self.name = name

    @property
    @abstractmethod
    def kind(self) -> str:
        """One of `kinds`, or a description of what else it is."""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """MATLAB's shape."""

    @property
    @abstractmethod
    def num_elements(self) -> int:
        """Number of structs, numbers or cells."""

    @abstractmethod
    def fields(self) -> tuple[str, ...]:
        """Return the names of a struct's fields; none for what is no struct."""

    @abstractmethod
    def _field(self, name: str) -> MatlabValue:
        """Return a field, known to exist, of a single struct."""

    @abstractmethod
    def _field_values(self, name: str) -> Sequence[MatlabValue]:
        """Return a field, known to exist, of every element of a struct array."""

    @abstractmethod
    def _cells(self) -> Sequence[MatlabValue]:
        """Return the elements of a cell array."""

    @abstractmethod
    def _numbers(self) -> NDArray[Any]:
        """Return an array of numbers."""

    @abstractmethod
    def _columns(self, columns: Sequence[int]) -> NDArray[Any]:
        """Return some columns of a matrix of numbers."""

    @abstractmethod
    def _text(self) -> str:
        """Return a text."""

    def field(self, name: str) -> MatlabValue:
        """Return a field of a struct.

        Raises
        ------
        FormatError
            It is no struct, or has no such field.
        """
        self._require_field(name)
        return self._field(name)

    def optional(self, name: str) -> MatlabValue | None:
        """Return a field of a struct, or None where it is not there or is an empty array."""
        if self.kind != "struct" or name not in self.fields():
            return None
        value = self._field(name)
        return None if 0 in value.shape else value

    def field_values(self, name: str) -> Sequence[MatlabValue]:
        """Return a field of every element of a struct array.

        Raises
        ------
        FormatError
            It is no struct, or has no such field.
        """
        self._require_field(name)
        return self._field_values(name)

    def cells(self) -> Sequence[MatlabValue]:
        """Return the elements of a cell array, in MATLAB's order.

        Raises
        ------
        FormatError
            It is no cell array.
        """
        self._require("cell array")
        return self._cells()

    def numbers(self) -> NDArray[Any]:
        """Return an array of numbers in MATLAB's shape.

        Raises
        ------
        FormatError
            It is no array of numbers.
        """
        self._require("numbers")
        return self._numbers()

    def columns(self, columns: Sequence[int]) -> NDArray[Any]:
        """Return some columns of a matrix of numbers, ascending, from 0."""
        self._require("numbers")
        return self._columns(columns)

    def vector(self) -> NDArray[Any]:
        """Return an array of numbers as one row, in MATLAB's order of elements."""
        return self.numbers().ravel(order="F")

    def number(self) -> float:
        """Return a single number.

        Raises
        ------
        FormatError
            It is none, or several.
        """
        vector = self.vector()
        if vector.size != 1:
            self._refuse(f"numbers of shape {self.shape}", "a single number")
        return float(vector[0])

    def text(self) -> str:
        """Return a text.

        Raises
        ------
        FormatError
            It is none.
        """
        self._require("text")
        return self._text()

    def _below(self, name: str) -> str:
        return f"{self.name}.{name}" if self.name else name

    def _require_field(self, name: str) -> None:
        self._require("struct")
        if name not in self.fields():
            present = ", ".join(map(printable, sorted(self.fields())[:_SHOWN_FIELDS]))
            raise FormatError(
                f"The field {self._below(name)} is missing",
                path=self.path,
                found=f"{self.name or 'the file'} with {present or 'no field'}",
                allowed=f"a field {name}",
                remedy="Let the program that made the file write it again.",
            )

    def _require(self, kind: str) -> None:
        if self.kind != kind:
            self._refuse(self.kind, kind)

    def _refuse(self, found: str, allowed: str) -> NoReturn:
        raise FormatError(
            f"{self.name or 'The content'} is not what it should be",
            path=self.path,
            found=found,
            allowed=allowed,
            remedy="Let the program that made the file write it again.",
        )


def single_numbers(values: Sequence[MatlabValue]) -> NDArray[np.float64]:
    """Return float64 (N,), the single number that each of N values is."""
    return np.array([value.number() for value in values], np.float64)
