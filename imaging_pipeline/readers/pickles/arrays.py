"""numpy's dtypes, arrays and scalars in pickles, rebuilt from checked parts.

numpy pickles a dtype as ``dtype('f8', False, True)`` and a state that is filled in afterwards. The state of
a real dtype is never set from a file: it may say any size and any flags. A description is checked, and
`numpy.dtype` makes a new one of it. Whatever is in the file, an array owns its memory, which is as large as
its shape and dtype say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imaging_pipeline.printable import printable
from imaging_pipeline.readers.pickles.machine import (
    MAX_CONTAINERS,
    Draft,
    Machine,
    damaged,
    too_large,
    unsafe,
)

_TEXT = re.compile(r"[?biufcSUVOmM][0-9]{0,9}")
_BYTE_ORDERS = ("<", ">", "|", "=")
_STATE_LENGTHS = (8, 9)
_ALIGNED = 0x80
_MAX_FIELDS = 1000
_MAX_LEVELS = 8
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
    if type(text) is not str or not _TEXT.fullmatch(text):
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
    description: Mapping[str, Any] = {
        "names": list(names),
        "formats": [dtype for dtype, _, _ in columns],
        "offsets": [offset for _, offset, _ in columns],
        "titles": [title for _, _, title in columns],
        "itemsize": item_size,
    }
    dtype: DType = np.dtype(description, align=is_aligned)  # type: ignore[call-overload]
    _refuse_large(dtype, 0)
    return dtype


def _field(fields: Mapping[Any, Any], name: Any) -> tuple[DType, int, str | None]:
    """Return dtype, offset and title of a field."""
    field = fields.get(name) if type(name) is str else None
    if type(field) is not tuple or len(field) not in (2, 3) or type(field[1]) is not int:
        raise damaged("a field of a dtype")
    title = field[2] if len(field) == 3 else None
    if title is not None and type(title) is not str:
        raise damaged("the title of a field of a dtype")
    return _plain_dtype(field[0]), field[1], title


def _subarray(subarray: Any) -> DType:
    if type(subarray) is not tuple or len(subarray) != 2:
        raise damaged("a dtype of an array within an array")
    base, shape = subarray
    dtype = np.dtype((_plain_dtype(base), checked_shape(shape if type(shape) is tuple else (shape,))))
    _refuse_large(dtype, 0)
    return dtype


def _plain_dtype(dtype: Any) -> DType:
    if not isinstance(dtype, np.dtype):
        raise damaged("a field without a dtype")
    if dtype.hasobject:
        raise unsafe("objects in the fields of an array")
    return dtype


def _refuse_large(dtype: DType, num_fields: int, level: int = 0) -> int:
    """Return the number of fields at all levels: fields may overlap, and so cost no bytes."""
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
    if not all(type(size) is int and 0 <= size < 2**62 for size in shape):
        raise damaged("the shape of an array")
    return shape


Bytes = bytes | bytearray


def open_dtype(machine: Machine, arguments: tuple[Any, ...]) -> None:
    """Begin a dtype; the arguments are its text, and whether it is aligned and a copy."""
    machine.open_draft(Draft("dtype", dtype_text(arguments)))


def open_array(machine: Machine, arguments: tuple[Any, ...], array_class: object) -> None:
    """Begin an array; the arguments are its class, an empty shape and the letter of any dtype."""
    if len(arguments) != 3 or arguments[0] is not array_class:
        raise unsafe("an array of another class than numpy's own")
    machine.open_draft(Draft("array"))


def fill(machine: Machine, draft: Draft, state: Any) -> None:
    """Replace a draft by the value that it and its state in the pickle stand for."""
    if draft.kind == "dtype":
        machine.close_draft(filled_dtype(draft.content, state))
    elif draft.kind == "array":
        machine.close_draft(_array_of_state(machine, state))
    else:
        # A number's notes about how it was written are not needed.
        machine.close_draft(draft.content)


def _array_of_state(machine: Machine, state: Any) -> NDArray[Any]:
    """Return the array of (version, shape, dtype, whether in Fortran's order, content)."""
    if type(state) is not tuple or len(state) not in (4, 5):
        raise damaged("the state of an array")
    shape, dtype, is_fortran, content = state[-4:]
    if not isinstance(dtype, np.dtype):
        raise damaged("an array without a dtype")
    order = "F" if is_fortran else "C"
    if dtype == np.dtype(object):
        return _of_objects(machine, checked_shape(shape), content, order)
    if type(content) is str:  # as Python 2 wrote bytes
        content = content.encode("latin1")
    array = numbers(machine, dtype, checked_shape(shape), content, order)
    # numpy turns the bytes of other processors' numbers when it reads them, but not those in fields.
    is_turned = dtype.names is None and not dtype.isnative
    return array.astype(dtype.newbyteorder("=")) if is_turned else array


def _of_objects(machine: Machine, shape: tuple[int, ...], items: Any, order: Any) -> NDArray[Any]:
    if type(items) is not list or len(items) != prod(shape):
        raise damaged("an array of objects with another number of elements than its shape has")
    machine.count(len(items))
    array = np.empty(len(items), object)
    for number, item in enumerate(items):
        array[number] = item
    return array.reshape(shape, order=order)


def numbers(machine: Machine, dtype: DType, shape: tuple[int, ...], content: Any, order: Any) -> NDArray[Any]:
    """Return an array that holds a copy of the bytes.

    Raises
    ------
    FormatError
        The bytes are not as many as shape and dtype say.
    UnsafeContentError
        The dtype has objects, or there are more elements than bytes can tell.
    """
    if dtype.hasobject:
        raise unsafe("objects in the fields of an array")
    num_elements = prod(shape)
    if type(content) not in (bytes, bytearray) or len(content) != num_elements * dtype.itemsize:
        raise damaged(f"an array of {num_elements:,} × {dtype.itemsize:,} bytes with others")
    if dtype.itemsize == 0 and num_elements > MAX_CONTAINERS:
        raise too_large("an array of elements without a byte", f"{MAX_CONTAINERS:,} elements")
    machine.count_bytes(len(content))
    machine.count(1)
    if dtype.itemsize == 0:
        return np.zeros(shape, dtype, order)
    array = np.frombuffer(content, dtype).copy()
    return array if len(shape) == 1 else array.reshape(shape, order=order)


def push_from_buffer(machine: Machine, arguments: tuple[Any, ...]) -> None:
    """Make the array of (content, dtype, shape, order), as protocol 5 has it."""
    if (
        len(arguments) not in (4, 5)
        or not isinstance(arguments[1], np.dtype)
        or arguments[3] not in ("C", "F")
    ):
        raise damaged("an array that is not as numpy writes it")
    content, dtype, shape, order = arguments[:4]
    machine.stack.append(numbers(machine, dtype, checked_shape(shape), content, order))


def push_scalar(machine: Machine, arguments: tuple[Any, ...]) -> None:
    """Make the scalar of (dtype, its bytes)."""
    if len(arguments) != 2 or not isinstance(arguments[0], np.dtype):
        raise damaged("a number of numpy that is not as numpy writes it")
    dtype, content = arguments
    if type(content) is str:  # as Python 2 wrote bytes
        content = content.encode("latin1")
    machine.stack.append(numbers(machine, dtype, (1,), content, "C")[0])
