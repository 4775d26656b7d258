"""MATLAB files of the versions 5 to 7: variables are inflated and checked before scipy reads them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from imaging_pipeline.errors import FormatError, TruncatedError
from imaging_pipeline.printable import printable
from imaging_pipeline.readers.matlab.v5_check import check_variable
from imaging_pipeline.readers.matlab.v5_elements import (
    COMPRESSED,
    MATRIX,
    TAG_BYTES,
    ByteOrder,
    Element,
    Elements,
    Header,
)
from imaging_pipeline.readers.matlab.v5_memory import (
    MAX_NAME_BYTES,
    MAX_VARIABLES,
    Budget,
    Origin,
    Plain,
    inflated,
    plain_of,
)
from imaging_pipeline.readers.matlab.value import MatlabValue

FILE_HEADER_BYTES = 128
# Version 0x0100 and the letters MI, as processors of either byte order write these two numbers.
_BYTE_ORDERS: dict[bytes, ByteOrder] = {b"\x00\x01IM": "<", b"\x01\x00MI": ">"}
# Tag, flags, dimensions and name; compressed they take little more, were they not compressible at all.
_MAX_HEAD_BYTES = MAX_NAME_BYTES + 256
# As much of a variable is copied or inflated at once.
_INFLATED_BYTES = 1 << 20


@dataclass(frozen=True)
class Variable:
    """A variable that was checked.

    Attributes
    ----------
    name
        Its name.
    plain
        A whole file of this variable alone, not compressed.
    """

    name: str
    plain: Plain


@dataclass(frozen=True)
class _Head:
    """How a variable begins; ``num_bytes`` are those of its array, tag included, once it is inflated."""

    element: Element
    header: Header
    num_bytes: int


def checked_variables(path: Path, names: Collection[str]) -> Iterator[Variable]:
    """Read the variables of these names; of several with one name, the first.

    Of all others only the beginning is read, and nothing once all are read that were requested.

    Raises
    ------
    TruncatedError
        Not all of the file is there.
    FormatError
        It is not as the format says, or would take more memory than such a file may.
    """
    missing = set(names)
    with path.open("rb") as file:
        walk = _File(path, file)
        for head in walk.heads():
            name = head.header.name.decode("latin1")
            if name in missing:
                missing.remove(name)
                yield Variable(name, walk.checked(name, head))
            if not missing:
                return


class _File:
    """An open file, of which the variables are found one after the other."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path = path
        self._file = file
        self._origin = Origin(path, "The MATLAB file")
        self._num_bytes = path.stat().st_size
        self._budget = Budget(self._num_bytes)
        self._file_header = file.read(FILE_HEADER_BYTES)
        if len(self._file_header) < FILE_HEADER_BYTES:
            raise self._origin.cut("its header", f"{self._num_bytes} bytes", f"{FILE_HEADER_BYTES} bytes")
        version = self._file_header[-4:]
        if version not in _BYTE_ORDERS:
            raise FormatError(
                "This is no file that MATLAB writes",
                path=path,
                found=f"version {version.hex()}",
                allowed=" or ".join(known.hex() for known in _BYTE_ORDERS),
                remedy="Save it in MATLAB with save, as version 7 or 7.3.",
            )
        self._byte_order = _BYTE_ORDERS[version]

    def heads(self) -> Iterator[_Head]:
        """Read how each variable begins."""
        offset, count = FILE_HEADER_BYTES, 0
        while offset < self._num_bytes:
            count += 1
            if count > MAX_VARIABLES:
                raise self._origin.too_much("its variables", f"more than {MAX_VARIABLES}", MAX_VARIABLES)
            head = self._head(offset)
            yield head
            offset = head.element.next

    def checked(self, name: str, head: _Head) -> Plain:
        """Read a variable as a file of its own, and check it."""
        origin = Origin(self._path, f"The variable {name}")
        # Before anything is inflated: the size is known from the first bytes.
        self._budget.take_bytes(head.num_bytes, origin)
        plain = plain_of(self._file_header)
        end = FILE_HEADER_BYTES + head.num_bytes
        if head.element.data_type == COMPRESSED:
            self._file.seek(head.element.start)
            self._inflate(head.element.num_bytes, plain, end, origin)
        else:
            # With its own tag, which a compressed variable has inside.
            self._file.seek(head.element.start - TAG_BYTES)
            self._copy(head.num_bytes, plain)
        if len(plain) < end:
            found, allowed = len(plain) - FILE_HEADER_BYTES, head.num_bytes
            raise origin.cut(f"{name} ends too early", f"{found} bytes", f"{allowed} bytes")
        elements = Elements(plain, self._byte_order, origin)
        check_variable(elements, FILE_HEADER_BYTES, end, self._budget)
        return plain

    def _head(self, offset: int) -> _Head:
        origin = Origin(self._path, f"The variable at byte {offset}")
        element = self._tag(offset, origin)
        if element.data_type == COMPRESSED:
            # The name is among the first bytes, and of most variables nothing else is needed.
            num_read = min(element.num_bytes, _MAX_HEAD_BYTES)
            beginning = next(inflated(self._file, num_read, _MAX_HEAD_BYTES, origin), b"")
        else:
            self._file.seek(offset)
            beginning = self._file.read(min(TAG_BYTES + element.num_bytes, _MAX_HEAD_BYTES))
        elements = Elements(plain_of(beginning), self._byte_order, origin)
        data_type, num_bytes = elements.tag(0)
        if data_type != MATRIX:
            raise origin.damaged("it is no array", f"data type {data_type}", MATRIX)
        header = elements.header(TAG_BYTES, min(TAG_BYTES + num_bytes, len(beginning)))
        return _Head(element, header, TAG_BYTES + num_bytes)

    def _tag(self, offset: int, origin: Origin) -> Element:
        """Read the tag of a variable, all of which must be in the file."""
        self._file.seek(offset)
        data_type, num_bytes = Elements(plain_of(self._file.read(TAG_BYTES)), self._byte_order, origin).tag(0)
        if data_type not in (COMPRESSED, MATRIX):
            raise origin.damaged("it is no array", f"data type {data_type}", f"{MATRIX} or {COMPRESSED}")
        start = offset + TAG_BYTES
        if start + num_bytes > self._num_bytes:
            found, allowed = self._num_bytes - start, num_bytes
            raise origin.cut(f"the variable at byte {offset}", f"{found} bytes", f"{allowed} bytes")
        return Element(data_type, start, num_bytes, start + num_bytes)

    def _copy(self, num_bytes: int, plain: Plain) -> None:
        while num_bytes:
            data = self._file.read(min(num_bytes, _INFLATED_BYTES))
            if not data:
                return
            plain.append(data)
            num_bytes -= len(data)

    def _inflate(self, num_bytes: int, plain: Plain, end: int, origin: Origin) -> None:
        # Padding up to a multiple of 8 bytes may follow, which the size of an array does not count.
        end += -end % 8
        for piece in inflated(self._file, num_bytes, _INFLATED_BYTES, origin):
            plain.append(piece)
            if len(plain) > end:
                raise origin.damaged(
                    "compressed content goes on", "more bytes than its array has", "its array"
                )


# What scipy raises for content that is not what its format says.
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
            found=f"{path.stat().st_size} bytes; the variable {printable(variable.name)} cannot be read",
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
        # scipy reads an object that it does not know as None.
        return int(getattr(self._content, "size", 0))

    def fields(self) -> tuple[str, ...]:
        return tuple(self._content.dtype.names or ()) if self.kind == "struct" else ()

    def _field(self, name: str) -> MatlabValue:
        if self._content.size != 1:
            self._refuse(f"a struct array of shape {self.shape}", "a single struct")
        return _Value(self.path, self._below(name), self._content[name].flat[0])

    def _field_values(self, name: str) -> Sequence[MatlabValue]:
        below = self._below(name)
        return [_Value(self.path, below, item) for item in self._content[name].ravel(order="F")]

    def _cells(self) -> Sequence[MatlabValue]:
        # MATLAB counts cells column by column.
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

    def _field_values(self, name: str) -> Sequence[MatlabValue]:
        return [self._field(name)]
