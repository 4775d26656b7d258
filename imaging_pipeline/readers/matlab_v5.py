"""MATLAB files of the versions 5 to 7, which scipy reads whole."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imaging_pipeline.errors import FormatError, TruncatedError
from imaging_pipeline.readers.matlab_value import MatlabValue

# How scipy tells of content that is not what its format says.
_DAMAGED = (EOFError, OSError, TypeError, ValueError, IndexError, KeyError, zlib.error)


def read(path: Path, variables: Sequence[str]) -> MatlabValue:
    """Read some variables of a file, as fields of one struct; those that are not there are left out.

    Raises
    ------
    TruncatedError
        The file ends too early, or is damaged.
    FormatError
        It is no MATLAB file.
    """
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        content = loadmat(path, variable_names=list(variables), struct_as_record=True)
    except (*_DAMAGED, MatReadError) as error:
        # What the system refused has a number; scipy's own complaints about the content have none.
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise TruncatedError(
            "The MATLAB file is damaged, or not all of it is there",
            path=path,
            found=f"{path.stat().st_size} bytes; {error}",
            remedy="Let MATLAB finish, or copy the file again.",
        ) from error
    except NotImplementedError as error:
        raise FormatError(
            "This is no file that MATLAB writes",
            path=path,
            found=str(error),
            remedy="Save it in MATLAB with save, as version 7 or 7.3.",
        ) from error
    return _Variables(path, {name: content[name] for name in variables if name in content})


class _Value(MatlabValue):
    def __init__(self, path: Path, name: str, content: Any) -> None:
        super().__init__(path, name)
        self._content = content

    @property
    def kind(self) -> str:
        # Objects and functions are arrays for scipy as well, but of classes of their own.
        if type(self._content) is not np.ndarray:
            return f"a {type(self._content).__name__} of MATLAB"
        if self._content.dtype.names is not None:
            return "struct"
        known = {"O": "cell array", "U": "text", **dict.fromkeys("buif", "numbers")}
        return known.get(self._content.dtype.kind, f"an array of {self._content.dtype}")

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(getattr(self._content, "shape", ()))

    @property
    def num_elements(self) -> int:
        return int(self._content.size)

    def fields(self) -> tuple[str, ...]:
        return tuple(self._content.dtype.names or ()) if self.kind == "struct" else ()

    def _field(self, name: str) -> MatlabValue:
        if self._content.size != 1:
            self._refuse(f"a struct array of shape {self.shape}", "a single struct")
        return _Value(self.path, self._below(name), self._content[name].flat[0])

    def _each(self, name: str) -> Sequence[MatlabValue]:
        below = self._below(name)
        return [_Value(self.path, below, item) for item in self._content[name].ravel(order="F")]

    def _cells(self) -> Sequence[MatlabValue]:
        items = self._content.ravel(order="F")
        return [_Value(self.path, f"{self.name}{{{number}}}", item) for number, item in enumerate(items, 1)]

    def _numbers(self) -> NDArray[Any]:
        numbers: NDArray[Any] = self._content
        return numbers

    def _columns(self, columns: Sequence[int]) -> NDArray[Any]:
        return self._numbers()[:, list(columns)]

    def _text(self) -> str:
        return str(self._content.flat[0]) if self._content.size else ""


class _Variables(_Value):
    """The variables of a file as fields of one struct."""

    def __init__(self, path: Path, variables: Mapping[str, Any]) -> None:
        super().__init__(path, "", variables)

    @property
    def kind(self) -> str:
        return "struct"

    @property
    def shape(self) -> tuple[int, ...]:
        return (1, 1)

    @property
    def num_elements(self) -> int:
        return 1

    def fields(self) -> tuple[str, ...]:
        return tuple(self._content)

    def _field(self, name: str) -> MatlabValue:
        return _Value(self.path, name, self._content[name])

    def _each(self, name: str) -> Sequence[MatlabValue]:
        return [self._field(name)]
