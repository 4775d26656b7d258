"""How large a value is once all that it refers to is written out.

A pickle may refer to one list many times over. A few hundred bytes then hold lists within lists that no
program comes to the end of, although they take no memory by themselves.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import numpy as np

from imaging_pipeline.readers.pickles.machine import MAX_CONTAINERS, damaged, too_large, unsafe
from imaging_pipeline.readers.pickles.symbols import Symbol

# Options of Suite2p have 4 levels, lists of ROIs 3.
MAX_DEPTH = 50
_CONTAINERS = frozenset({list, tuple, dict, OrderedDict, set, frozenset, np.ndarray})
_TEXTS = frozenset({str, bytes, bytearray})
_NUMBERS_OF_NUMPY = [np.dtype(code).type for code in "?bhilqBHILQefdgFDG"]
_SMALL = frozenset({bool, int, float, complex, type(None), *_NUMBERS_OF_NUMPY})
_UNSEEN = (0, 0)
# Text, scalars and arrays may be written out at each reference.
_BYTES_PER_ELEMENT = 8


def check(value: Any, max_elements: int = MAX_CONTAINERS) -> None:
    """Raise an error for a value that is nested too deeply, holds itself, or is endless when written out.

    Raises
    ------
    FormatError
        A container holds itself.
    UnsafeContentError
        It has too many levels, or too many elements where what is shared counts at each reference.
    """
    _Walk(max_elements).check(value)


class _Walk:
    def __init__(self, max_elements: int) -> None:
        self._max_elements = max_elements
        # By the identity of each container: depth and size, or None while it is being walked through.
        # The value that is checked keeps all of them alive, so that no identity is used twice.
        self._extents: dict[int, tuple[int, int] | None] = {}
        self._seen: set[int] = set()

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
        # None only for the type checker: what lies in a container is finished before it.
        inner = [self._extents[id(each)] or (0, 0) for each in container.all_inner]
        depth = 1 + max((depth for depth, _ in inner), default=0)
        size = container.own_size + sum(size for _, size in inner)
        if depth > MAX_DEPTH:
            raise too_large("containers within containers", f"{MAX_DEPTH} levels")
        if size > self._max_elements:
            raise too_large("values that are shared many times over", f"{self._max_elements:,} elements")
        self._extents[id(container.value)] = (depth, size)

    def _looked_into(self, value: Any) -> tuple[list[Any], int]:
        """Return the containers among the parts of a container, and the number of its elements."""
        self._extents[id(value)] = None
        parts = _parts(value)
        large = [part for part in parts if type(part) not in _SMALL]
        size = len(parts) + sum(self._further_elements(part) for part in large)
        return [part for part in large if type(part) in _CONTAINERS and not _is_numeric(part)], size

    def _further_elements(self, part: Any) -> int:
        kind = type(part)
        if kind in _TEXTS:
            return len(part) // _BYTES_PER_ELEMENT
        if kind is Symbol or isinstance(part, np.dtype):
            raise unsafe(f"{part.name if kind is Symbol else 'a dtype'} as a value")
        if not isinstance(part, np.generic) and not _is_numeric(part):
            return 0
        # What is written out once is as large as it is in the file.
        was_seen = id(part) in self._seen
        self._seen.add(id(part))
        return int(part.nbytes) // _BYTES_PER_ELEMENT if was_seen else 0


class _Container:
    """A container that is being walked through: what lies in it, and what of this is still to be seen."""

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
