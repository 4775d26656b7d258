"""The dtypes of arrays in pickles: from numpy's description of one to a dtype, and nothing but that.

numpy pickles a dtype as ``dtype('f8', False, True)`` and a state that is filled in afterwards. The state of
a real dtype is never set from a file: it may say any size and any flags. A description is checked, and
`numpy.dtype` makes a new one of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np

from imaging_pipeline.printable import printable
from imaging_pipeline.readers.pickles.machine import damaged, too_large, unsafe

_TEXT = re.compile(r"[?biufcSUVOmM][0-9]{0,9}")
_BYTE_ORDERS = ("<", ">", "|", "=")
_STATE_LENGTHS = (8, 9)
# numpy's NPY_ALIGNED_STRUCT, among the flags of a dtype.
_ALIGNED = 0x80
_MAX_FIELDS = 1000
_MAX_LEVELS = 8
# numpy counts bytes of an item in a C int, and does not notice where it overflows.
_MAX_ITEM_BYTES = 2**31 - 1
# numpy has 64; numpy 1 had 32.
MAX_DIMENSIONS = 64

DType = np.dtype[Any]


def dtype_text(arguments: tuple[Any, ...]) -> str:
    """Return the text that a dtype is called with, such as ``f8``.

    Raises
    ------
    FormatError
        The arguments are not those that numpy writes.
    """
    text = arguments[0] if arguments else None
    # Times four: that many bytes are one character of a text in numpy.
    if type(text) is not str or not _TEXT.fullmatch(text) or 4 * int(text[1:] or 1) > _MAX_ITEM_BYTES:
        raise damaged(f"a dtype called {printable(text)}")
    return text


def filled_dtype(text: str, state: Any) -> DType:
    """Return the dtype of a text and a state as numpy writes it.

    The state is (version, byte order, (base, shape) or None, names, fields, item size, alignment, flags),
    and (metadata, (unit, count, …)) of a date.

    Raises
    ------
    FormatError
        The state is not one that numpy writes.
    UnsafeContentError
        The dtype has objects in fields, or very many fields.
    """
    if type(state) is not tuple or len(state) not in _STATE_LENGTHS or state[1] not in _BYTE_ORDERS:
        raise damaged("the state of a dtype")
    _version, byte_order, subarray, names, fields, item_size = state[:6]
    if text[0] in "mM":
        return np.dtype(f"{text[0]}8{_unit(state)}").newbyteorder(byte_order)
    if names is not None:
        return _structured(names, fields, item_size, is_aligned=_is_aligned(state[7]))
    if subarray is not None:
        return _subarray(subarray)
    dtype = np.dtype(text).newbyteorder(byte_order)
    # numpy writes -1 where the type has one size only.
    if item_size not in (-1, dtype.itemsize):
        raise damaged(f"a dtype {text} with items of another size")
    return dtype


def _is_aligned(flags: Any) -> bool:
    if type(flags) is not int:
        raise damaged("the flags of a dtype")
    return bool(flags & _ALIGNED)


def _unit(state: tuple[Any, ...]) -> str:
    """Return the unit of dates and durations in brackets, such as ``[25s]``."""
    metadata = state[8] if len(state) > 8 else None
    unit = metadata[1] if type(metadata) is tuple and len(metadata) == 2 else (b"generic", 1)
    name, count = unit[:2]
    if (
        type(name) is not bytes
        or not re.fullmatch(rb"generic|[YMWDhmsunpfa]s?", name)
        or type(count) is not int
    ):
        raise damaged("the unit of a date")
    return "" if name == b"generic" else f"[{count}{name.decode('ascii')}]"


def _structured(names: Any, fields: Any, item_size: Any, *, is_aligned: bool) -> DType:
    if type(names) is not tuple or type(fields) is not dict or type(item_size) is not int:
        raise damaged("the fields of a dtype")
    columns = [_field(fields, name) for name in names]
    if not 0 <= item_size <= _MAX_ITEM_BYTES:
        raise damaged("the size of a dtype")
    if any(offset + dtype.itemsize > item_size for dtype, offset, _ in columns):
        raise damaged("a field beyond the end of its item")
    description: Mapping[str, Any] = {
        "names": list(names),
        "formats": [dtype for dtype, _, _ in columns],
        "offsets": [offset for _, offset, _ in columns],
        "titles": [title for _, _, title in columns],
        "itemsize": item_size,
    }
    dtype: DType = np.dtype(description, align=is_aligned)  # type: ignore[call-overload]
    _refuse_large(dtype, 0)
    if dtype.itemsize != item_size:
        raise damaged("a dtype of another size than it says")
    return dtype


def _field(fields: Mapping[Any, Any], name: Any) -> tuple[DType, int, str | None]:
    """Return dtype, offset and title of a field."""
    field = fields.get(name) if type(name) is str else None
    if type(field) is not tuple or len(field) not in (2, 3) or type(field[1]) is not int or field[1] < 0:
        raise damaged("a field of a dtype")
    title = field[2] if len(field) == 3 else None
    if title is not None and type(title) is not str:
        raise damaged("the title of a field of a dtype")
    return _plain_dtype(field[0]), field[1], title


def _subarray(subarray: Any) -> DType:
    if type(subarray) is not tuple or len(subarray) != 2:
        raise damaged("a dtype of an array within an array")
    base, shape = subarray
    base_dtype = _plain_dtype(base)
    base_shape = checked_shape(shape if type(shape) is tuple else (shape,))
    if prod(base_shape) * base_dtype.itemsize > _MAX_ITEM_BYTES:
        raise damaged("the size of a dtype")
    dtype = np.dtype((base_dtype, base_shape))
    _refuse_large(dtype, 0)
    return dtype


def _plain_dtype(dtype: Any) -> DType:
    if not isinstance(dtype, np.dtype):
        raise damaged("a field without a dtype")
    if dtype.hasobject:
        raise unsafe("objects in the fields of an array")
    return dtype


def _refuse_large(dtype: DType, num_fields: int, level: int = 0) -> int:
    """Return how many fields there are at all levels: fields may share their place, and so cost no bytes."""
    num_fields += 1
    if num_fields > _MAX_FIELDS or level > _MAX_LEVELS:
        raise too_large("a dtype of many fields", f"{_MAX_FIELDS:,} fields in {_MAX_LEVELS} levels")
    parts = [dtype.fields[name][0] for name in dtype.names] if dtype.names and dtype.fields else []
    for part in [*parts, *([dtype.subdtype[0]] if dtype.subdtype else [])]:
        num_fields = _refuse_large(part, num_fields, level + 1)
    return num_fields


def checked_shape(shape: Any) -> tuple[int, ...]:
    """Return a shape, if it is one.

    Raises
    ------
    FormatError
        It is no tuple of a few numbers from 0.
    """
    if type(shape) is not tuple or len(shape) > MAX_DIMENSIONS:
        raise damaged("the shape of an array")
    # Each must be a number that numpy can hold; their product is held against the bytes elsewhere.
    if not all(type(size) is int and 0 <= size < 2**62 for size in shape):
        raise damaged("the shape of an array")
    return shape
