"""Pickles that a stranger may write: small, valid to Python's own unpickler, and none of them data.

Each is put together of the operations that ``pickletools`` names. ``write_option_set`` puts one into an
``ops.npy``, where Suite2p keeps a pickled dictionary.
"""

from __future__ import annotations

import struct
from pathlib import Path

from numpy.lib import format as npy_format

_DTYPE, _NDARRAY, _SCALAR = b"cnumpy\ndtype\n", b"cnumpy\nndarray\n", b"cnumpy.core.multiarray\nscalar\n"
_RECONSTRUCT = b"cnumpy.core.multiarray\n_reconstruct\n" + b"(" + _NDARRAY + b"(K\x00tC\x01btR"
_FROM_BUFFER = b"cnumpy._core.numeric\n_frombuffer\n"
_ENCODE = b"c_codecs\nencode\n"
_COPIED_TEXT = _ENCODE + b"(h\x00X\x06\x00\x00\x00latin1tR"
_EIGHT = b"C\x08AAAAAAAA"
_POP = b"0"
_RANGE = b"cbuiltins\nrange\n(\x8a\x05\x00\xe4\x0b\x54\x02tR"


def _text(text: str) -> bytes:
    return b"X" + struct.pack("<I", len(text)) + text.encode()


def _integer(number: int) -> bytes:
    return b"J" + struct.pack("<i", number)


def _tuple(*items: bytes) -> bytes:
    return b"(" + b"".join(items) + b"t"


def _state(item_size: int, flags: int, fields: bytes = b"NN") -> bytes:
    return _tuple(b"K\x03", _text("|"), b"N", fields, _integer(item_size), _integer(1), _integer(flags))


def _dtype(
    text: str, item_size: int = -1, *, flags: int = 0, fields: bytes = b"NN", put: bytes = b"q\x00"
) -> bytes:
    """Return a dtype, remembered under a number, whose state says size and flags."""
    called = _DTYPE + _tuple(_text(text), b"\x89", b"\x88") + b"R"
    return called + put + _state(item_size, flags, fields) + b"b"


def _object_dtype(put: bytes = b"") -> bytes:
    return _dtype("O8", flags=63, put=put)


def _array(dtype: bytes, shape: bytes, content: bytes) -> bytes:
    return _RECONSTRUCT + _tuple(b"K\x01", shape, dtype, b"\x89", content) + b"b"


def _changed_later(text: str, content: bytes, item_size: int, flags: int) -> bytes:
    """Return an array, whose dtype then gets another size or other flags."""
    dtype = _dtype(text, len(content) - 2)
    change = b"h\x00" + _state(item_size, flags) + b"b" + _POP
    return dtype + _POP + _array(b"h\x00", _tuple(b"K\x01"), content) + change


def _doubled(begin: bytes, first: bytes, end: bytes, levels: int = 60) -> bytes:
    """Return a container that holds another one twice, which holds another one twice, and so on."""
    parts = [first + b"q\x00"]
    for level in range(1, levels):
        inner = b"h" + bytes([level - 1])
        parts.append(_POP + begin + inner + inner + end + b"q" + bytes([level]))
    return b"".join(parts)


def _equal_hashes(count: int) -> bytes:
    numbers = (number * (2**61 - 1) for number in range(1, count))
    return b"".join(b"\x8a\x0a" + number.to_bytes(10, "little") + b"N" for number in numbers)


_FIELD_BEYOND = b"}" + _text("a") + _tuple(_dtype("V2147483640", 2147483640, put=b""), _integer(100)) + b"s"
_LONG_SCALAR = (
    _SCALAR + _tuple(_dtype("U1000", 4000), b"B" + struct.pack("<I", 4000) + b"a\0\0\0" * 1000) + b"R"
)
_OBJECTS_IN_FIELDS = b"}" + _text("a") + _tuple(_object_dtype(), b"K\x00") + b"s"

HOSTILE = {
    "a dtype whose items grow when an array has them": _changed_later("S1", b"C\x01a", 400_000, 0),
    "a dtype that turns bytes into objects later": _changed_later("V8", _EIGHT, 8, 63),
    "a dtype with items of another size than its name": (
        _SCALAR + _tuple(_dtype("f8", 400_000), _EIGHT) + b"R"
    ),
    "objects in the fields of an array": _array(
        _dtype("V8", 8, flags=63, fields=_tuple(_text("a")) + _OBJECTS_IN_FIELDS), _tuple(b"K\x01"), _EIGHT
    ),
    "a field beyond the end of its item": _array(
        _dtype("V8", 8, fields=_tuple(_text("a")) + _FIELD_BEYOND), _tuple(b"K\x01"), _EIGHT
    ),
    "a text of characters that do not exist": _array(
        _dtype("U1", 4), _tuple(b"K\x01"), b"C\x04\x00\x00\x11\x00"
    ),
    "a dtype as a value": _dtype("f8"),
    "a scalar that is the address of an object": _SCALAR + _tuple(_object_dtype(), _EIGHT) + b"R",
    "an array of objects that are addresses": (
        _FROM_BUFFER + _tuple(_EIGHT, _object_dtype(), _tuple(b"K\x01"), _text("C")) + b"R"
    ),
    "an array that is larger than its bytes": _array(
        _dtype("S1", 1), _tuple(_integer(400_000)), b"C\x01a"
    ),
    "an array of endless elements without a byte": _array(
        _dtype("V0", 0), _tuple(b"\x8a\x07\x00\x00\x00\x00\x00\x00\x10"), b"C\x00"
    ),
    "a change of a class of numpy's": _NDARRAY + b"}" + _text("shape") + b"K\x03sb",
    "a change of a function": _ENCODE + b"N}" + _text("__defaults__") + _tuple(_text("x")) + b"s\x86b",
    "a class instead of a value": _NDARRAY,
    "a class in a list": b"]" + _NDARRAY + b"a",
    "lists that hold each other many times over": _doubled(b"](", b"]", b"e"),
    "a key that holds itself many times over": b"}" + _doubled(b"(", b")", b"t") + b"Ns",
    "a list that holds itself": b"]q\x00h\x00a",
    "an array that holds itself": (
        _RECONSTRUCT + b"q\x00" + _tuple(b"K\x01", b"K\x01\x85", _object_dtype(), b"\x89", b"]h\x00a") + b"b"
    ),
    "a set of ten thousand million numbers": b"cbuiltins\nset\n" + _tuple(_RANGE) + b"R",
    "a frozen set of ten thousand million numbers": b"cbuiltins\nfrozenset\n" + _tuple(_RANGE) + b"R",
    "ten thousand million zero bytes": b"cbuiltins\nbytes\n(\x8a\x05\x00\xe4\x0b\x54\x02tR",
    "ten thousand million zero bytes that change": b"cbuiltins\nbytearray\n(\x8a\x05\x00\xe4\x0b\x54\x02tR",
    "a number of very many digits": b"I" + b"9" * 200_000 + b"\n",
    "a number of very many bytes": b"\x8b" + struct.pack("<i", 200_000) + b"\x7f" * 200_000,
    "a value that is remembered under a huge number": b"Nr\xff\xff\xff\x7f",
    "lists nested very deeply": b"]" * 50_000 + b"a" * 49_999,
    "tuples nested very deeply": b")" + b"\x85" * 50_000,
    "very many empty sets": b"(" + b"\x8f" * 1_500_000 + b"t",
    "one text copied many times over": b"(" + _text("x" * 100_000) + b"q\x000" + _COPIED_TEXT * 2000 + b"t",
    "very many keys of one hash": b"}(" + _equal_hashes(100_000) + b"u",
    "very many keys of one hash, one by one": b"}" + _equal_hashes(2000).replace(b"N\x8a", b"Ns\x8a") + b"s",
    "one scalar of numpy many times over": b"](" + _LONG_SCALAR + b"q\x01" + b"h\x01" * 200_000 + b"e",
    "very many elements without a byte": (
        b"](" + _array(_dtype("U0", 0), _tuple(b"\x8a\x03\x00\x09\x3d"), b"C\x00") * 2 + b"e"
    ),
    "an object of any class": b"cbuiltins\nobject\n)\x81",
    "a value of another process": b"Ptoken\n",
    "a value that was registered elsewhere": b"\x82\x01",
    "a name with characters that control a terminal": b"cos\x1b[2J" + b"x" * 5000 + b"\nsystem\n",
}  # fmt: skip


def write_option_set(path: Path, body: bytes) -> Path:
    """Write an ``ops.npy`` with the value of a pickle under the name ``tau``."""
    options = b"}" + _text("tau") + body + b"s"
    array = _array(_object_dtype(), b")", b"](" + options + b"e")
    with path.open("wb") as file:
        npy_format.write_array_header_1_0(file, {"descr": "|O", "fortran_order": False, "shape": ()})
        file.write(b"\x80\x04" + array + b".")
    return path
