"""Elements of a MATLAB 5 file: tag, content, padding; and what begins each array.

All sizes are held against what surrounds them before anything is taken for content. The format is that of
"MAT-File Format" by MathWorks (R2024), chapter "Level 5 MAT-File Format".
"""

from __future__ import annotations

import struct
from typing import Literal, NamedTuple

from imaging_pipeline.readers.matlab.v5_memory import MAX_NAME_BYTES, Origin, Plain

TAG_BYTES = 8
# Data types.
INT8, UINT8, UINT16, INT32, UINT32, MATRIX, COMPRESSED, UTF8 = 1, 2, 4, 5, 6, 14, 15, 16
# Bytes of an element by data type. Those without a name here: 3 int16, 7 single, 9 double, 12 int64,
# 13 uint64, 17 UTF-16, 18 UTF-32.
INTEGER_BYTES = {INT8: 1, UINT8: 1, 3: 2, UINT16: 2, INT32: 4, UINT32: 4, 12: 8, 13: 8}
NUMBER_BYTES = {**INTEGER_BYTES, 7: 4, 9: 8}
CHARACTER_BYTES = {INT8: 1, UINT8: 1, UINT16: 2, UTF8: 1, 17: 2, 18: 4}
# Classes of arrays.
CELL, STRUCT, OBJECT, CHAR, SPARSE, FUNCTION, OPAQUE = 1, 2, 3, 4, 5, 16, 17
NUMBERS = range(6, 16)

# Tag and content of the array flags.
_FLAGS_BYTES = 16
# Bit 3 of the flags, which are the byte above the class.
_IS_COMPLEX = 1 << 11
_MAX_SMALL_BYTES = 4
# MATLAB's arrays have two at least; scipy has room for 32.
_MIN_DIMENSIONS, _MAX_DIMENSIONS = 2, 32

ByteOrder = Literal["<", ">"]


class Element(NamedTuple):
    """Where an element's content lies, and where the next element begins."""

    data_type: int
    start: int
    num_bytes: int
    next: int


class Header(NamedTuple):
    """What begins an array.

    Attributes
    ----------
    array_class
        Its number in the format.
    is_complex
        Whether an imaginary part follows the real one.
    dimensions
        None negative; empty for opaque objects, which have none there.
    name
        Of a variable; empty for what lies in others, and for opaque objects.
    next
        Where the content begins.
    """

    array_class: int
    is_complex: bool
    dimensions: tuple[int, ...]
    name: bytes
    next: int


class Elements:
    """The elements in the plain bytes of a variable.

    Parameters
    ----------
    plain
        The bytes.
    byte_order
        Of the file.
    origin
        Which variable it is, for errors.
    """

    def __init__(self, plain: Plain, byte_order: ByteOrder, origin: Origin) -> None:
        self.origin = origin
        self._plain = plain
        self._order = byte_order
        self._pair = struct.Struct(f"{byte_order}2I")

    def tag(self, offset: int) -> tuple[int, int]:
        """Read data type and number of bytes of an element that is known not to be a small one."""
        try:
            data_type, num_bytes = self._plain.unpack(self._pair, offset)
        except struct.error:
            left = max(len(self._plain) - offset, 0)
            raise self.origin.cut(
                "it ends within an element", f"{left} bytes", f"{TAG_BYTES} bytes"
            ) from None
        return data_type, num_bytes

    def element(self, offset: int, end: int) -> Element:
        """Read the tag of an element that ends before ``end``.

        Raises
        ------
        FormatError
            It does not.
        """
        if offset + TAG_BYTES > end:
            raise self._reaches_out(offset, TAG_BYTES, end)
        data_type, num_bytes = self.tag(offset)
        start = offset + TAG_BYTES
        padded_end = start + num_bytes + -num_bytes % 8
        if data_type >> 16:  # type, size and content share the tag
            data_type, num_bytes = data_type & 0xFFFF, data_type >> 16
            start, padded_end = offset + 4, offset + TAG_BYTES
            if num_bytes > _MAX_SMALL_BYTES:
                raise self.origin.damaged("a small element is too large", num_bytes, _MAX_SMALL_BYTES)
        elif start + num_bytes > end:
            raise self._reaches_out(offset, TAG_BYTES + num_bytes, end)
        return Element(data_type, start, num_bytes, padded_end)

    def matrix(self, offset: int, end: int) -> Element:
        """Read the tag of an array that ends before ``end``; it is never a small element."""
        element = self.element(offset, end)
        if element.data_type != MATRIX or element.start != offset + TAG_BYTES:
            raise self.origin.damaged("an array is missing", f"data type {element.data_type}", MATRIX)
        return element

    def data(self, element: Element) -> bytes:
        """Return the content of an element that is known to be short."""
        return self._plain.at(element.start, element.num_bytes)

    def header(self, offset: int, end: int) -> Header:
        """Read what begins an array whose content begins at ``offset``.

        Raises
        ------
        FormatError
            It is not as the format says.
        """
        flags = self.element(offset, end)
        if (flags.data_type, flags.num_bytes, flags.next) != (UINT32, 8, offset + _FLAGS_BYTES):
            raise self.origin.damaged(
                "an array begins with no flags",
                f"{flags.num_bytes} bytes of type {flags.data_type}",
                "8 of 6",
            )
        flags_and_class, _ = self._plain.unpack(self._pair, flags.start)
        array_class, is_complex = flags_and_class & 0xFF, bool(flags_and_class & _IS_COMPLEX)
        if array_class == OPAQUE:
            return Header(array_class, is_complex, (), b"", flags.next)
        dimensions = self.element(flags.next, end)
        name = self.text(dimensions.next, end)
        return Header(array_class, is_complex, self._dimensions(dimensions), self.data(name), name.next)

    def text(self, offset: int, end: int) -> Element:
        """Read the tag of a name."""
        name = self.element(offset, end)
        if name.data_type not in (INT8, UTF8):
            raise self.origin.damaged("a name is no text", f"data type {name.data_type}", f"{INT8} or {UTF8}")
        if name.num_bytes > MAX_NAME_BYTES:
            raise self.origin.damaged("a name is too long", f"{name.num_bytes} bytes", f"{MAX_NAME_BYTES}")
        return name

    def integers(self, element: Element) -> tuple[int, ...]:
        """Read the 32-bit integers of an element that is known to be short.

        Raises
        ------
        FormatError
            They are of another type, or one is negative.
        """
        if element.data_type not in (INT32, UINT32) or element.num_bytes % 4:
            raise self.origin.damaged(
                "a size is no integer", f"{element.num_bytes} bytes of type {element.data_type}", "type 5"
            )
        numbers: tuple[int, ...] = struct.unpack(
            f"{self._order}{element.num_bytes // 4}i", self.data(element)
        )
        if any(number < 0 for number in numbers):
            raise self.origin.damaged("a size is negative", numbers, "0 to 2147483647")
        return numbers

    def _dimensions(self, element: Element) -> tuple[int, ...]:
        num_dimensions = element.num_bytes // 4
        if not _MIN_DIMENSIONS <= num_dimensions <= _MAX_DIMENSIONS:
            raise self.origin.damaged(
                "the number of an array's dimensions",
                num_dimensions,
                f"{_MIN_DIMENSIONS} to {_MAX_DIMENSIONS}",
            )
        return self.integers(element)

    def _reaches_out(self, offset: int, num_bytes: int, end: int) -> Exception:
        return self.origin.damaged(
            "an element is larger than what holds it",
            f"{num_bytes} bytes at byte {offset}",
            f"up to {max(end - offset, 0)} bytes",
        )
