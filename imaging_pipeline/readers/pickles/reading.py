"""Reading a pickle that a stranger may have written.

A pickle may refer to one list many times over. A few hundred bytes then hold lists within lists that no
program comes to the end of, although they take no memory by themselves. So the size of a value is also
measured with all references written out.
"""

from __future__ import annotations

import struct
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import numpy as np

from imaging_pipeline.errors import FormatError
from imaging_pipeline.printable import printable
from imaging_pipeline.readers.pickles.machine import (
    MAX_CONTAINERS,
    MAX_OPERATIONS,
    Machine,
    damaged,
    too_large,
    unsafe,
)
from imaging_pipeline.readers.pickles.operations import OPERATIONS
from imaging_pipeline.readers.pickles.symbols import Symbol

# Options of Suite2p have 4 levels, lists of ROIs 3.
MAX_DEPTH = 50
_CONTAINERS = frozenset({list, tuple, dict, OrderedDict, set, frozenset, np.ndarray})
_TEXTS = frozenset({str, bytes, bytearray})
_LARGE = _CONTAINERS | _TEXTS | {Symbol}
_UNSEEN = (0, 0)
# A long text counts as so many elements, since it may be written out at each reference.
_CHARACTERS_PER_ELEMENT = 64


def _check_extent(value: Any) -> None:
    """Raise an error for a value that is nested too deeply, holds itself, or is too large written out.

    Raises
    ------
    FormatError
        A container holds itself.
    UnsafeContentError
        It has too many levels, or too many elements where what is shared counts at each reference.
    """
    _Walk().check(value)


class _Walk:
    def __init__(self) -> None:
        # By the identity of each container: depth and size, or None while it is being walked through.
        self._extents: dict[int, tuple[int, int] | None] = {}
        self._arrays: set[int] = set()

    def check(self, value: Any) -> None:
        waiting = [_Container(value, *self._looked_into(value))] if type(value) in _CONTAINERS else []
        while waiting:
            container = waiting[-1]
            if not container.inner:
                self._finish(waiting.pop())
                continue
            inner = container.inner.pop()
            extent = self._extents.get(id(inner), _UNSEEN)
            if extent is None:
                raise damaged("a list, dictionary or array that holds itself")
            if extent is _UNSEEN:
                waiting.append(_Container(inner, *self._looked_into(inner)))

    def _finish(self, container: _Container) -> None:
        inner = [self._extents[id(part)] or (0, 0) for part in container.all_inner]
        depth = 1 + max((depth for depth, _ in inner), default=0)
        size = container.own_size + sum(size for _, size in inner)
        if depth > MAX_DEPTH:
            raise too_large("containers within containers", f"{MAX_DEPTH} levels")
        if size > MAX_CONTAINERS:
            raise too_large("containers that are shared many times over", f"{MAX_CONTAINERS:,} elements")
        self._extents[id(container.value)] = (depth, size)

    def _looked_into(self, value: Any) -> tuple[list[Any], int]:
        """Return the containers among the parts of a container, and the number of its elements."""
        self._extents[id(value)] = None
        parts = _parts(value)
        large = [part for part in parts if type(part) in _LARGE]
        size = len(parts) + sum(self._further_elements(part) for part in large)
        return [part for part in large if type(part) in _CONTAINERS and not _is_numeric(part)], size

    def _further_elements(self, part: Any) -> int:
        if type(part) in _TEXTS:
            return len(part) // _CHARACTERS_PER_ELEMENT
        if type(part) is Symbol:
            raise unsafe(f"{part.name} as a value")
        if not _is_numeric(part):
            return 0
        # An array that is written out once is as large as it is in the file.
        was_seen = id(part) in self._arrays
        self._arrays.add(id(part))
        return int(part.size) if was_seen else 0


class _Container:
    """A container that is being walked through: its parts, and those that are still to be visited."""

    __slots__ = ("all_inner", "inner", "own_size", "value")

    def __init__(self, value: Any, inner: list[Any], own_size: int) -> None:
        self.value = value
        self.all_inner = inner
        self.inner = inner.copy()
        self.own_size = own_size


def _is_numeric(part: Any) -> bool:
    return type(part) is np.ndarray and part.dtype != object


def _parts(container: Any) -> Sequence[Any]:
    if isinstance(container, dict):
        return [*container.keys(), *container.values()]
    if isinstance(container, np.ndarray):
        return container.ravel().tolist() if container.dtype == object else ()
    return list(container)


# What operations make of a pickle that no program writes.
_DAMAGED = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, struct.error)


def loads(content: bytes) -> Any:
    """Return the value of a pickle that holds only arrays and plain values.

    Paths become text, and the numbers of ruamel.yaml floats.

    Raises
    ------
    UnsafeContentError
        The pickle names anything else, or unfolds into more than any real one; the error says what.
    FormatError
        The pickle is damaged.
    """
    machine = Machine(content)
    try:
        _run(machine)
        value = _result(machine)
        _check_extent(value)
    except FormatError:
        raise
    except _DAMAGED as error:
        raise damaged(f"{type(error).__name__}: {printable(error)}") from error
    return value


def _run(machine: Machine) -> None:
    content = machine.content
    for _ in range(MAX_OPERATIONS):
        code = content[machine.position]
        machine.position += 1
        OPERATIONS[code](machine)
        if machine.has_stopped:
            return
    raise too_large("more operations", f"{MAX_OPERATIONS:,} operations")


def _result(machine: Machine) -> Any:
    if len(machine.stack) != 1 or machine.marks or machine.num_drafts:
        raise damaged("values that belong to nothing")
    value = machine.stack[0]
    if type(value) is Symbol:
        raise unsafe(value.name)
    return value
