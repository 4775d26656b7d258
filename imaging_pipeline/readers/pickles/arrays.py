"""numpy's arrays, scalars and dtypes in pickles, made anew from checked parts.

Whatever is in the file, an array owns its memory, which is as large as its shape and dtype say.
"""

from __future__ import annotations

import sys
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imaging_pipeline.readers.pickles.dtypes import DType, checked_shape, dtype_text, filled_dtype
from imaging_pipeline.readers.pickles.machine import (
    Draft,
    Machine,
    damaged,
    unsafe,
)

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
    """Make of a draft, and the state that the pickle has for it, the value that it stands for."""
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
    machine.count_bytes(len(content))
    # Elements without a byte cost nothing in the file.
    machine.count(1 if dtype.itemsize else 1 + num_elements)
    if dtype.itemsize == 0:
        return np.zeros(shape, dtype, order)
    array = np.frombuffer(content, dtype).copy()
    require_text(array)
    return array if len(shape) == 1 else array.reshape(shape, order=order)


def require_text(array: NDArray[Any]) -> None:
    """Raise FormatError if texts in an array have characters that do not exist, which numpy cannot read."""
    if array.dtype.names is not None:
        for name in array.dtype.names:
            require_text(array[name])
    elif array.dtype.kind == "U" and array.size:
        codes = np.ascontiguousarray(array).view(f"{array.dtype.byteorder}u4")
        if codes.max() > sys.maxunicode:
            raise damaged("a text of characters that do not exist")


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
