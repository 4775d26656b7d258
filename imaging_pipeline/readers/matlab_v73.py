"""MATLAB files of version 7.3, which are HDF5.

As MATLAB writes them: arrays are transposed; a cell array is an array of references; a struct is a group,
and the fields of a struct array are arrays of references without the attribute ``MATLAB_class`` that a
cell array has; texts are numbers of characters; an empty array has the attribute ``MATLAB_empty``, and its
shape for content.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imaging_pipeline.errors import PipelineError, TruncatedError
from imaging_pipeline.readers.matlab_value import MatlabValue

_NUMBERS = frozenset(
    {"double", "single", "logical", *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64))}
)


@contextmanager
def opened(path: Path) -> Iterator[MatlabValue]:
    """Open a file, whose variables are the fields of the struct that is given; read when asked for.

    Raises
    ------
    TruncatedError
        The file ends too early, or is damaged.
    """
    import h5py

    with _telling(path):
        file = h5py.File(path, "r", locking=False)
    with file:
        yield _Value(path, "", file)


@contextmanager
def _telling(path: Path) -> Iterator[None]:
    try:
        yield
    except PipelineError:
        raise
    except (OSError, RuntimeError, KeyError, TypeError, ValueError, AttributeError) as error:
        # What the system refused has a number; complaints of h5py and HDF5 about the content have none.
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise TruncatedError(
            "The MATLAB file is damaged, or not all of it is there",
            path=path,
            found=f"{path.stat().st_size} bytes; {error}",
            remedy="Let MATLAB finish, or copy the file again.",
        ) from error


class _Value(MatlabValue):
    def __init__(self, path: Path, name: str, content: Any) -> None:
        super().__init__(path, name)
        self._content = content
        with _telling(path):
            written = content.attrs.get("MATLAB_class")
            self._class = written.decode("ascii", "replace") if isinstance(written, bytes) else ""
            self._is_group = hasattr(content, "keys")
            self._shape = (1, 1) if self._is_group else _shape(content)

    @property
    def kind(self) -> str:
        if self._is_group:
            return "struct" if self._class == "struct" or not self.name else f"a value of class {self._class}"
        if self._class in _NUMBERS:
            return "numbers"
        known = {"char": "text", "cell": "cell array", "struct": "struct"}
        return known.get(self._class, f"a value of class {self._class or 'unknown'}")

    @property
    def shape(self) -> tuple[int, ...]:
        return self._shape

    @property
    def num_elements(self) -> int:
        for name in self.fields()[:1]:
            with _telling(self.path):
                field = self._content[name]
                return 1 if "MATLAB_class" in field.attrs else int(field.size)
        return math.prod(self.shape)

    def fields(self) -> tuple[str, ...]:
        if self.kind != "struct" or not self._is_group:
            return ()
        with _telling(self.path):
            return tuple(name for name in self._content if not name.startswith("#"))

    def _field(self, name: str) -> MatlabValue:
        with _telling(self.path):
            return _Value(self.path, self._below(name), self._content[name])

    def _each(self, name: str) -> Sequence[MatlabValue]:
        with _telling(self.path):
            field = self._content[name]
            if "MATLAB_class" in field.attrs:
                return [_Value(self.path, self._below(name), field)]
            return self._referred(field, [self._below(name)] * field.size)

    def _cells(self) -> Sequence[MatlabValue]:
        if 0 in self.shape:
            return []
        numbers = range(1, self._content.size + 1)
        with _telling(self.path):
            return self._referred(self._content, [f"{self.name}{{{number}}}" for number in numbers])

    def _referred(self, references: Any, names: Sequence[str]) -> list[MatlabValue]:
        file = references.file
        listed = zip(names, references[()].ravel(), strict=True)
        return [_Value(self.path, name, file[reference]) for name, reference in listed]

    def _numbers(self) -> NDArray[Any]:
        if 0 in self.shape:
            return np.zeros(self.shape)
        with _telling(self.path):
            numbers: NDArray[Any] = self._content[()].T
            return numbers

    def _columns(self, columns: Sequence[int]) -> NDArray[Any]:
        if 0 in self.shape:
            return np.zeros(self.shape)[:, list(columns)]
        with _telling(self.path):
            rows: NDArray[Any] = self._content[list(columns)]
            return rows.T

    def _text(self) -> str:
        if 0 in self.shape:
            return ""
        with _telling(self.path):
            return "".join(map(chr, self._content[()].ravel().tolist()))


def _shape(dataset: Any) -> tuple[int, ...]:
    if "MATLAB_empty" in dataset.attrs:
        return tuple(int(size) for size in dataset[()].ravel())
    return tuple(reversed(dataset.shape))
