"""MATLAB files of the versions 5 to 7, of which scipy reads whole variables once they are checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imaging_pipeline.errors import TruncatedError
from imaging_pipeline.printable import printable
from imaging_pipeline.readers.matlab.v5_variables import Variable, checked_variables
from imaging_pipeline.readers.matlab.value import MatlabValue

# How scipy tells of content that is not what its format says.
_DAMAGED = (ArithmeticError, EOFError, OSError, TypeError, ValueError, LookupError)


def read(path: Path, variables: Sequence[str]) -> MatlabValue:
    """Read some variables of a file, as fields of one struct; those that are not there are left out.

    Raises
    ------
    TruncatedError
        The file ends too early, or is damaged.
    FormatError
        It is no MATLAB file, is not as the format says, or would take far more memory than its size.
    """
    content = {variable.name: _values(path, variable) for variable in checked_variables(path, variables)}
    return _Variables(path, {name: content[name] for name in variables if name in content})


def _values(path: Path, variable: Variable) -> Any:
    from scipy.io import loadmat

    # The stubs do not know that a file may be any that is open for reading.
    file: Any = variable.plain.reader()
    try:
        content = loadmat(file, variable_names=[variable.name], struct_as_record=True)
        return content[variable.name]
    except _DAMAGED as error:
        raise TruncatedError(
            "The MATLAB file is damaged, or not all of it is there",
            path=path,
            found=f"{path.stat().st_size} bytes; {printable(error)}",
            remedy="Let MATLAB finish, or copy the file again.",
        ) from error


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
