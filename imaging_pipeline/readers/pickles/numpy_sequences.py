"""Shortcuts for the two sequences of operations that most of a list of ROIs consists of.

A ROI has some fifteen scalars of numpy and five arrays of one dimension, of nine and nineteen operations
each. Recognised as a whole they take a third of the time; what is not written exactly so goes on operation
by operation, with the same result.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from imaging_pipeline.readers.pickles import arrays
from imaging_pipeline.readers.pickles.machine import Machine
from imaging_pipeline.readers.pickles.symbols import NDARRAY, RECONSTRUCT, SCALAR, Symbol

# Each value is remembered: by its place in order, as numpy 2 writes it, or by a number.
_IN_ORDER = b"\x94"
_PUT = rb"(\x94|q.|r.{4})"
# Recall the dtype, bytes, tuple of both, call. Then the same for an array: recall its class, (0,), b"b",
# tuple, call; version 1, (size,), recall the dtype, not Fortran, bytes, tuple, fill in.
_SCALAR = re.compile(
    rb"h(.)C(?:\x08(.{8})|\x04(.{4})|\x02(.{2})|\x01(.))" + _PUT + rb"\x86" + _PUT + rb"R" + _PUT, re.DOTALL
)
_ARRAY_BEGIN = re.compile(
    rb"h(.)K\x00\x85" + _PUT + rb"h(.)\x87" + _PUT + rb"R" + _PUT
    + rb"\(K\x01(?:K(.)|M(..)|J(.{4}))\x85" + _PUT + rb"h(.)\x89(?:C(.)|B(.{4}))",
    re.DOTALL,
)  # fmt: skip
_ARRAY_END = re.compile(_PUT + rb"t" + _PUT + rb"b", re.DOTALL)


def push(machine: Machine, symbol: Symbol) -> bool:
    """Put the scalar or array on the stack that begins with this symbol, and return True if one does."""
    if symbol is SCALAR:
        return _push_scalar(machine)
    return symbol is RECONSTRUCT and _push_array(machine)


def _push_scalar(machine: Machine) -> bool:
    match = _SCALAR.match(machine.content, machine.position)
    if match is None:
        return False
    dtype = machine.recall(match[1][0])
    content = match[2] or match[3] or match[4] or match[5]
    if not isinstance(dtype, np.dtype) or dtype.hasobject or dtype.itemsize != len(content):
        return False
    scalar = np.frombuffer(content, dtype)[0]
    machine.position = match.end()
    machine.stack.append(scalar)
    machine.count(1)
    _remember(machine, match.groups()[5:], (content, (dtype, content), scalar))
    return True


def _push_array(machine: Machine) -> bool:
    begin = _ARRAY_BEGIN.match(machine.content, machine.position)
    if begin is None:
        return False
    size = int.from_bytes(begin[6] or begin[7] or begin[8], "little")
    num_bytes = int.from_bytes(begin[11] or begin[12], "little")
    end = _ARRAY_END.match(machine.content, begin.end() + num_bytes)
    dtype = machine.recall(begin[10][0])
    is_usual = machine.recall(begin[1][0]) is NDARRAY and machine.recall(begin[3][0]) == b"b"
    if end is None or not is_usual or not isinstance(dtype, np.dtype) or dtype.hasobject:
        return False
    content = machine.content[begin.end() : end.start()]
    machine.position = end.end()
    shape = (size,)
    array = arrays.numbers(machine, dtype, shape, content, "C")
    machine.stack.append(array)
    state = (1, shape, dtype, False, content)
    puts = (begin[2], begin[4], begin[5], begin[9], end[1], end[2])
    _remember(machine, puts, ((0,), (NDARRAY, (0,), b"b"), array, shape, content, state))
    return True


def _remember(machine: Machine, puts: Sequence[bytes], values: Sequence[Any]) -> None:
    if puts.count(_IN_ORDER) == len(puts):
        machine.put_next(*values)
        return
    for put, value in zip(puts, values, strict=True):
        if put == _IN_ORDER:
            machine.put_next(value)
        else:
            machine.put(int.from_bytes(put[1:], "little"), value)
