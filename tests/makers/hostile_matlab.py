"""MATLAB 5 files that no program writes: each asks its reader for something that it must not do.

Each function writes one file whose only variable is ``ops``, which is what a result of Suite2p is asked for.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

ByteOrder = Literal["<", ">"]

VARIABLE = b"ops"
# Numbers of the format: data types, and classes of arrays.
INT8, UINT8, INT32, UINT32, DOUBLE, MATRIX, COMPRESSED = 1, 2, 5, 6, 9, 14, 15
CELL, STRUCT, CHAR, SPARSE, DOUBLES, UINT8S = 1, 2, 4, 5, 6, 9
LOWEST, HIGHEST = -(2**31), 2**31 - 1

_VERSIONS: dict[ByteOrder, bytes] = {"<": b"\x00\x01IM", ">": b"\x01\x00MI"}
_PIECE_BYTES = 1 << 20


def element(data_type: int, data: bytes, order: ByteOrder = "<", num_bytes: int | None = None) -> bytes:
    """Return an element, padded; it may say another size than it has."""
    said = len(data) if num_bytes is None else num_bytes
    return struct.pack(f"{order}2I", data_type, said) + data + bytes(-len(data) % 8)


def matrix(
    array_class: int,
    dimensions: tuple[int, ...],
    content: bytes,
    name: bytes = b"",
    order: ByteOrder = "<",
    flags: int = 0,
) -> bytes:
    """Return an array."""
    sizes = struct.pack(f"{order}{len(dimensions)}i", *dimensions)
    return element(
        MATRIX,
        element(UINT32, struct.pack(f"{order}2I", array_class | flags, 0), order)
        + element(INT32, sizes, order)
        + element(INT8, name, order)
        + content,
        order,
    )


def fields(*names: bytes, num_bytes: int = 32, order: ByteOrder = "<") -> bytes:
    """Return the names of a struct's fields."""
    padded = b"".join(name.ljust(num_bytes, b"\0") for name in names)
    return element(INT32, struct.pack(f"{order}i", num_bytes), order) + element(INT8, padded, order)


def write_file(path: Path, content: bytes, order: ByteOrder = "<") -> Path:
    """Write a file of these variables."""
    path.parent.mkdir(parents=True, exist_ok=True)
    header = b"MATLAB 5.0 MAT-file, Platform: GLNXA64".ljust(116) + bytes(8) + _VERSIONS[order]
    path.write_bytes(header + content)
    return path


def write_compressed(path: Path, content: bytes) -> Path:
    """Write a file of one variable as MATLAB does without being told otherwise."""
    packed = zlib.compress(content)
    return write_file(path, struct.pack("<2I", COMPRESSED, len(packed)) + packed)


def write_nested_cells(path: Path, depth: int = 20_000) -> Path:
    """Write cells in cells."""
    return write_file(path, _nested(depth, CELL, b""))


def write_nested_cells_compressed(path: Path, depth: int = 20_000) -> Path:
    """Write cells in cells, in a few kilobytes."""
    return write_compressed(path, _nested(depth, CELL, b""))


def write_nested_structs(path: Path, depth: int = 20_000) -> Path:
    """Write structs in structs."""
    return write_file(path, _nested(depth, STRUCT, fields(b"a")))


def _nested(depth: int, array_class: int, before: bytes) -> bytes:
    """Return values in each other, made from the outermost inwards: the other way copies them too often."""
    own_bytes = len(matrix(array_class, (1, 1), before))
    beginnings = []
    for level in range(depth, 0, -1):
        beginning = matrix(array_class, (1, 1), before)
        # What it holds adds to the size that it says.
        said = level * own_bytes + len(element(MATRIX, b"")) - 8
        beginnings.append(struct.pack("<2I", MATRIX, said) + beginning[8:])
    inner = b"".join([*beginnings, element(MATRIX, b"")])
    return matrix(array_class, (1, 1), before + inner, VARIABLE)


def write_zip_bomb(path: Path, num_megabytes: int = 1500) -> Path:
    """Write zeros that take a thousandth of their size in the file, and are whole and correct."""
    num_bytes = num_megabytes * _PIECE_BYTES
    said = len(matrix(UINT8S, (1, num_bytes), b"", VARIABLE)) + num_bytes
    beginning = struct.pack("<2I", MATRIX, said) + matrix(UINT8S, (1, num_bytes), b"", VARIABLE)[8:]
    beginning += struct.pack("<2I", UINT8, num_bytes)
    packer = zlib.compressobj(9)
    packed = packer.compress(beginning) + packer.flush(zlib.Z_FULL_FLUSH)
    # After a full flush a piece stands for itself, and so may be written again and again.
    piece = packer.compress(bytes(_PIECE_BYTES)) + packer.flush(zlib.Z_FULL_FLUSH)
    end = zlib.compressobj(9, wbits=-15).flush()
    packed += piece * num_megabytes + end + _checksum(beginning, num_bytes)
    return write_file(path, struct.pack("<2I", COMPRESSED, len(packed)) + packed)


def _checksum(beginning: bytes, num_zeros: int) -> bytes:
    """Return the Adler-32 of bytes and zeros after them: each zero adds the low half to the high one."""
    low, high = zlib.adler32(beginning) & 0xFFFF, zlib.adler32(beginning) >> 16
    return struct.pack(">I", (high + num_zeros * low) % 65521 << 16 | low)


def write_too_few_bytes(path: Path) -> Path:
    """Write an array of fewer bytes than its dimensions say."""
    return write_file(path, matrix(DOUBLES, (1000, 1000), element(DOUBLE, bytes(800)), VARIABLE))


def write_dimensions_that_overflow(path: Path) -> Path:
    """Write dimensions whose product is 0 in 64 bits."""
    return write_file(path, matrix(CELL, (2**30, 2**30, 16), element(MATRIX, b""), VARIABLE))


def write_negative_dimensions(path: Path) -> Path:
    """Write dimensions whose product is positive."""
    return write_file(path, matrix(CELL, (-1, -1), element(MATRIX, b""), VARIABLE))


def write_element_larger_than_its_array(path: Path) -> Path:
    """Write numbers that say to reach out of the array that holds them, and out of the file."""
    numbers = element(DOUBLE, bytes(80), num_bytes=2**31)
    return write_file(path, matrix(DOUBLES, (2**28, 1), numbers, VARIABLE))


def write_empty_cells(path: Path, num_cells: int = 1_000_000) -> Path:
    """Write cells of eight bytes each, which compress to nearly nothing and are an array each in memory."""
    return write_compressed(path, matrix(CELL, (1, num_cells), element(MATRIX, b"") * num_cells, VARIABLE))


def write_declared_cells(path: Path) -> Path:
    """Write a cell array that says to have cells for 16 GB of references."""
    return write_file(path, matrix(CELL, (HIGHEST, 1), element(MATRIX, b""), VARIABLE))


def write_declared_structs_without_fields(path: Path) -> Path:
    """Write a struct array that needs no bytes for its elements, and says to have many."""
    return write_file(path, matrix(STRUCT, (HIGHEST, 1), fields(), VARIABLE))


def write_declared_field_names(path: Path) -> Path:
    """Write a struct that says to have ten million fields."""
    names = element(INT32, struct.pack("<i", 32)) + element(INT8, bytes(64), num_bytes=320_000_000)
    return write_file(path, matrix(STRUCT, (1, 1), names, VARIABLE))


def write_many_field_names(path: Path, num_fields: int = 1_000_000) -> Path:
    """Write a struct of so many fields that comparing each with all others takes hours."""
    names = fields(*(b"f%d" % number for number in range(num_fields)), num_bytes=8)
    return write_compressed(path, matrix(STRUCT, (0, 0), names, VARIABLE))


def write_field_names_of_length_0(path: Path) -> Path:
    """Write a length of names by which nothing can be divided."""
    names = element(INT32, struct.pack("<i", 0)) + element(INT8, bytes(64))
    return write_file(path, matrix(STRUCT, (1, 1), names, VARIABLE))


def write_unknown_data_type(path: Path) -> Path:
    """Write numbers of a type that no table of types has."""
    return write_file(path, matrix(DOUBLES, (1, 10), element(4000, bytes(80)), VARIABLE))


def write_type_without_numbers(path: Path) -> Path:
    """Write numbers of a type that tables of types leave out."""
    return write_file(path, matrix(DOUBLES, (1, 10), element(8, bytes(80)), VARIABLE))


def write_unknown_class(path: Path) -> Path:
    """Write an array of a class that there is not."""
    return write_file(path, matrix(200, (1, 10), element(DOUBLE, bytes(80)), VARIABLE))


def write_lines_without_characters(path: Path) -> Path:
    """Write a text of two billion lines, of which none has a character."""
    return write_file(path, matrix(CHAR, (HIGHEST, 0), element(INT8, b""), VARIABLE))


def write_spaces_without_bytes(path: Path) -> Path:
    """Write a text of two billion characters, of which none is in the file."""
    return write_file(path, matrix(CHAR, (1, HIGHEST), element(INT8, b""), VARIABLE))


def write_sparse_columns(path: Path) -> Path:
    """Write a sparse array of more columns than it tells of."""
    content = element(INT32, bytes(8)) + element(INT32, struct.pack("<2i", 0, -1)) + element(DOUBLE, bytes(8))
    return write_file(path, matrix(SPARSE, (5, 1000), content, VARIABLE))


def write_cut_stream(path: Path) -> Path:
    """Write compressed content that ends before its array does, in a file of which nothing is missing."""
    whole = matrix(UINT8S, (1, 1000), element(UINT8, bytes(range(250)) * 4), VARIABLE)
    return write_compressed(path, whole[:-400])


def write_stream_that_goes_on(path: Path) -> Path:
    """Write compressed content that goes on after its array."""
    whole = matrix(UINT8S, (1, 8), element(UINT8, bytes(8)), VARIABLE)
    return write_compressed(path, whole + bytes(300_000))


def write_bytes_after_a_stream(path: Path) -> Path:
    """Write bytes of no meaning after compressed content."""
    packed = zlib.compress(matrix(UINT8S, (1, 8), element(UINT8, bytes(8)), VARIABLE)) + b"\xff" * 100
    return write_file(path, struct.pack("<2I", COMPRESSED, len(packed)) + packed)


def write_hostile_names(path: Path) -> Path:
    """Write a struct whose names of fields clear a terminal, and are long."""
    names = fields(b"\x1b[2J\x1b[31mowned", b"x" * 900, num_bytes=1000)
    return write_file(path, matrix(STRUCT, (1, 1), names + element(MATRIX, b"") * 2, VARIABLE))


REFUSED: Mapping[str, Callable[[Path], Path]] = {
    write.__name__.removeprefix("write_"): write
    for write in (
        write_nested_cells,
        write_nested_cells_compressed,
        write_nested_structs,
        write_zip_bomb,
        write_too_few_bytes,
        write_dimensions_that_overflow,
        write_negative_dimensions,
        write_element_larger_than_its_array,
        write_empty_cells,
        write_declared_cells,
        write_declared_structs_without_fields,
        write_declared_field_names,
        write_many_field_names,
        write_field_names_of_length_0,
        write_unknown_data_type,
        write_type_without_numbers,
        write_unknown_class,
        write_lines_without_characters,
        write_spaces_without_bytes,
        write_sparse_columns,
        write_cut_stream,
        write_stream_that_goes_on,
        write_bytes_after_a_stream,
    )
}


def small_file(path: Path, order: ByteOrder = "<") -> Path:
    """Write an uncompressed file that is in order and has a value of each kind, in either byte order."""

    def doubles(*numbers: float, name: bytes = b"") -> bytes:
        content = element(DOUBLE, struct.pack(f"{order}{len(numbers)}d", *numbers), order)
        return matrix(DOUBLES, (1, len(numbers)), content, name, order)

    def text(characters: bytes) -> bytes:
        return matrix(CHAR, (1, len(characters)), element(UINT8, characters, order), b"", order)

    names = fields(b"rate", b"label", num_bytes=8, order=order)
    single = struct.pack(f"{order}I", 1 << 16 | UINT8) + b"\x07\0\0\0"
    sparse = (
        element(INT32, struct.pack(f"{order}i", 1), order)
        + element(INT32, struct.pack(f"{order}3i", 0, 0, 1), order)
        + element(DOUBLE, struct.pack(f"{order}d", 3.0), order)
    )
    complex_parts = element(DOUBLE, bytes(16), order) * 2
    held = [
        text(b"plane 1"),
        matrix(UINT8S, (1, 1), single, b"", order),
        matrix(SPARSE, (2, 2), sparse, b"", order),
        matrix(DOUBLES, (1, 2), complex_parts, b"", order, flags=1 << 11),
        element(MATRIX, b"", order),
    ]
    content = (
        doubles(1.5, 2.5, name=b"Fcell")
        + matrix(STRUCT, (1, 1), names + doubles(10.0) + text(b"abc"), VARIABLE, order)
        + matrix(CELL, (1, len(held)), b"".join(held), b"sp", order)
    )
    return write_file(path, content, order)
