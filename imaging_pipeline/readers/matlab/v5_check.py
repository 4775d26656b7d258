"""Check a variable of a MATLAB 5 file before scipy reads it.

scipy takes for granted that sizes, types and counts are what the format says: it reads nested values by
recursion in C, reserves memory for the declared number of cells, and looks data types up in tables without
asking whether they are there. Here a variable is walked through without recursion, and only as far as its
structure: the numbers themselves are skipped. The format is that of "MAT-File Format" by MathWorks (R2024);
that of functions and opaque objects, on which it is silent, is as scipy reads it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from imaging_pipeline.readers.matlab.v5_elements import (
    CELL,
    CHAR,
    CHARACTER_BYTES,
    FUNCTION,
    INT8,
    INTEGER_BYTES,
    NUMBER_BYTES,
    NUMBERS,
    OBJECT,
    OPAQUE,
    SPARSE,
    STRUCT,
    TAG_BYTES,
    UTF8,
    Element,
    Elements,
    Header,
)
from imaging_pipeline.readers.matlab.v5_memory import MAX_DEPTH, MAX_FIELDS, MAX_NAME_BYTES, Budget

# In memory a character takes four bytes, and as many in each of two copies while it is read.
_BYTES_PER_CHARACTER = 12
# Real and imaginary part are widened, whatever the numbers are in the file.
_BYTES_PER_COMPLEX = 16
_BYTES_PER_REFERENCE = 8
# numpy refuses larger shapes, even where one of their dimensions is 0.
_MAX_BYTES = (1 << 63) - 1


@dataclass(slots=True)
class _Open:
    """A value that holds others, of which some are still to be read."""

    num_left: int
    end: int


def check_variable(elements: Elements, offset: int, end: int, budget: Budget) -> None:
    """Walk through a variable and all that it holds.

    Parameters
    ----------
    elements
        The elements of the variable's plain bytes.
    offset, end
        Where its tag begins, and where its bytes end.
    budget
        What the file may take; what this variable takes is counted.

    Raises
    ------
    FormatError
        Something in it is not as the format says, or it takes more than such a file may.
    """
    _Walk(elements, budget).through(offset, end)


class _Walk:
    """A walk through one variable; what checks a part returns the offset of what follows it."""

    def __init__(self, elements: Elements, budget: Budget) -> None:
        self._elements = elements
        self._origin = elements.origin
        self._budget = budget
        self._opened: list[_Open] = []
        self._readers: Mapping[int, Callable[[Header, int], int]] = {
            **dict.fromkeys(NUMBERS, self._numbers),
            CHAR: self._characters,
            SPARSE: self._sparse,
            CELL: self._cells,
            STRUCT: self._structs,
            OBJECT: self._objects,
            FUNCTION: self._function,
            OPAQUE: self._opaque,
        }

    def through(self, offset: int, end: int) -> None:
        self._budget.take_values(1, self._origin)
        offset = self._value(offset, end)
        # A stack of our own: a hostile file would nest values more deeply than Python or C can recurse.
        while self._opened:
            innermost = self._opened[-1]
            if innermost.num_left:
                innermost.num_left -= 1
                offset = self._value(offset, innermost.end)
            else:
                self._require_end(offset, self._opened.pop().end)

    def _value(self, offset: int, end: int) -> int:
        """Check one value, and return where what it holds begins, or what follows it."""
        matrix = self._elements.matrix(offset, end)
        # A tag alone is an empty array, as scipy reads it.
        if matrix.num_bytes == 0:
            return matrix.next
        own_end = matrix.start + matrix.num_bytes
        header = self._elements.header(matrix.start, own_end)
        reader = self._readers.get(header.array_class)
        if reader is None:
            known = f"{min(self._readers)} to {max(self._readers)}"
            raise self._origin.damaged("the class of an array", header.array_class, known)
        num_opened = len(self._opened)
        offset = reader(header, own_end)
        if len(self._opened) == num_opened:
            self._require_end(offset, own_end)
        return offset

    def _require_end(self, offset: int, end: int) -> None:
        # Some programs do not count the last padding.
        if offset not in (end, end + -end % 8):
            raise self._origin.damaged(
                "an array is not as large as it says", f"content up to byte {offset}", f"up to byte {end}"
            )

    def _open(self, num_held: int, offset: int, end: int) -> None:
        if num_held * TAG_BYTES > end - offset:
            raise self._origin.damaged(
                "the number of values that one holds", num_held, f"{(end - offset) // TAG_BYTES} in its bytes"
            )
        if len(self._opened) >= MAX_DEPTH:
            raise self._origin.too_much("values in values", f"more than {MAX_DEPTH} deep", MAX_DEPTH)
        self._budget.take_values(num_held, self._origin)
        self._opened.append(_Open(num_held, end))

    def _numbers(self, header: Header, end: int) -> int:
        count = self._count(header)
        real = self._number_data(header.next, end, count)
        if not header.is_complex:
            return real.next
        self._budget.take_bytes(count * _BYTES_PER_COMPLEX, self._origin)
        return self._number_data(real.next, end, count).next

    def _number_data(self, offset: int, end: int, count: int) -> Element:
        data = self._typed(offset, end, NUMBER_BYTES)
        expected = count * NUMBER_BYTES[data.data_type]
        if data.num_bytes != expected:
            raise self._origin.damaged(
                "its dimensions contradict its bytes", f"{data.num_bytes} bytes", f"{expected} bytes"
            )
        return data

    def _characters(self, header: Header, end: int) -> int:
        count = self._count(header)
        data = self._typed(header.next, end, CHARACTER_BYTES)
        # Texts without any bytes are read as spaces, and lines without characters are values all the same.
        num_stored = data.num_bytes // CHARACTER_BYTES[data.data_type]
        if num_stored < count and data.num_bytes:
            raise self._origin.damaged("a text is shorter than it says", num_stored, count)
        in_memory = math.prod(max(size, 1) for size in header.dimensions)
        self._budget.take_bytes(max(in_memory, num_stored) * _BYTES_PER_CHARACTER, self._origin)
        return data.next

    def _sparse(self, header: Header, end: int) -> int:
        self._count(header)
        rows = self._typed(header.next, end, INTEGER_BYTES)
        columns = self._typed(rows.next, end, INTEGER_BYTES)
        num_columns = columns.num_bytes // INTEGER_BYTES[columns.data_type]
        # Where each column begins is listed, and where the last one ends: one number more than columns.
        if num_columns <= header.dimensions[1]:
            raise self._origin.damaged("the columns of a sparse array", num_columns, header.dimensions[1] + 1)
        data = self._typed(columns.next, end, NUMBER_BYTES)
        if not header.is_complex:
            return data.next
        self._budget.take_bytes(data.num_bytes * _BYTES_PER_COMPLEX, self._origin)
        return self._typed(data.next, end, NUMBER_BYTES).next

    def _cells(self, header: Header, end: int) -> int:
        self._open(self._count(header), header.next, end)
        return header.next

    def _structs(self, header: Header, end: int) -> int:
        return self._fields(header, header.next, end)

    def _objects(self, header: Header, end: int) -> int:
        return self._fields(header, self._elements.text(header.next, end).next, end)

    def _function(self, header: Header, end: int) -> int:
        self._open(1, header.next, end)
        return header.next

    def _opaque(self, header: Header, end: int) -> int:
        offset = header.next
        for _name in ("variable", "type system", "class"):
            offset = self._elements.text(offset, end).next
        self._open(1, offset, end)
        return offset

    def _fields(self, header: Header, offset: int, end: int) -> int:
        count = self._count(header)
        length = self._elements.element(offset, end)
        name_bytes = self._elements.integers(length) if length.num_bytes == 4 else ()
        if not name_bytes or not 0 < name_bytes[0] <= MAX_NAME_BYTES:
            raise self._origin.damaged("the length of field names", name_bytes, f"1 to {MAX_NAME_BYTES}")
        names = self._elements.element(length.next, end)
        num_fields = self._check_names(names, name_bytes[0])
        self._budget.take_values(num_fields, self._origin)
        # Also for structs without fields, whose number no bytes in the file limit.
        self._budget.take_bytes(count * _BYTES_PER_REFERENCE, self._origin)
        self._open(count * num_fields, names.next, end)
        return names.next

    def _check_names(self, names: Element, name_bytes: int) -> int:
        num_fields, left_over = divmod(names.num_bytes, name_bytes)
        if num_fields > MAX_FIELDS:
            raise self._origin.too_much("the fields of a struct", num_fields, MAX_FIELDS)
        if left_over or names.data_type not in (INT8, UTF8):
            raise self._origin.damaged(
                "names of fields",
                f"{names.num_bytes} bytes of type {names.data_type}",
                f"a multiple of {name_bytes} bytes of type 1",
            )
        text = self._elements.data(names)
        for start in range(0, len(text), name_bytes):
            name, ends, _ = text[start : start + name_bytes].partition(b"\0")
            if not name or not ends or not _is_text(name):
                raise self._origin.damaged("the name of a field", ascii(name[:32]), "a text that ends")
        return num_fields

    def _typed(self, offset: int, end: int, allowed: Mapping[int, int]) -> Element:
        element = self._elements.element(offset, end)
        if element.data_type not in allowed:
            raise self._origin.damaged("data of an unknown type", element.data_type, sorted(allowed))
        return element

    def _count(self, header: Header) -> int:
        """Return the number of elements that the dimensions say."""
        sizes = header.dimensions
        if math.prod(max(size, 1) for size in sizes) * _BYTES_PER_COMPLEX > _MAX_BYTES:
            raise self._origin.damaged("its dimensions are too large", sizes, f"{_MAX_BYTES} bytes")
        return math.prod(sizes)


def _is_text(name: bytes) -> bool:
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True
