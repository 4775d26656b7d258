"""Which elements of an array are selected, and in which of its chunks they lie."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any

import numpy as np

Part = slice | list[int]


@dataclass(frozen=True)
class Axis:
    """The selection along one axis: ascending positions, and whether the axis stays in the result."""

    positions: range | Sequence[int]
    stays: bool = True

    def by_chunk(self, chunk_length: int) -> Iterator[tuple[int, Part, Part]]:
        """Yield the number of each chunk, the selected positions in it, and those in the result."""
        if isinstance(self.positions, range):
            yield from _stretches(self.positions, chunk_length)
            return
        # groupby joins neighbours: positions ascend, so that all those of a chunk are.
        groups = groupby(enumerate(self.positions), lambda item: item[1] // chunk_length)
        for number, items in groups:
            listed = list(items)
            first = number * chunk_length
            yield number, [position - first for _, position in listed], [index for index, _ in listed]

    def num_chunks(self, chunk_length: int) -> int:
        """Return the largest number of chunks in which the positions can lie."""
        if isinstance(self.positions, range) and self.positions:
            return self.positions[-1] // chunk_length - self.positions[0] // chunk_length + 1
        return len(self.positions)


def axes_of(selection: Any, shape: tuple[int, ...]) -> tuple[Axis, ...]:
    """Return the selection along each axis of an array.

    Parameters
    ----------
    selection
        A number, a slice of step 1 or a list of ascending numbers, or a tuple of these with one list at most.
    shape
        Of the array.

    Raises
    ------
    IndexError
        The array has no such axis or position.
    """
    selected = selection if isinstance(selection, tuple) else (selection,)
    if len(selected) > len(shape):
        raise IndexError(f"{len(selected)} positions for {len(shape)} axes")
    rest = shape[len(selected) :]
    selected_axes = (_axis(item, length) for item, length in zip(selected, shape, strict=False))
    return (*selected_axes, *(Axis(range(length)) for length in rest))


def _axis(item: Any, length: int) -> Axis:
    if isinstance(item, slice):
        stretch = range(*item.indices(length))
        if stretch.step != 1:
            raise IndexError(f"a step of {stretch.step}")
        return Axis(stretch)
    is_single = isinstance(item, (int, np.integer))
    positions = [int(item)] if is_single else [int(position) for position in item]
    if any(later <= earlier for earlier, later in pairwise(positions)):
        raise IndexError("positions that do not ascend")
    if positions and not 0 <= positions[0] <= positions[-1] < length:
        raise IndexError(f"positions {positions[0]} to {positions[-1]} of {length}")
    return Axis(range(positions[0], positions[0] + 1), stays=False) if is_single else Axis(positions)


def _stretches(positions: range, chunk_length: int) -> Iterator[tuple[int, slice, slice]]:
    if not positions:
        return
    for number in range(positions[0] // chunk_length, positions[-1] // chunk_length + 1):
        first = number * chunk_length
        start, stop = max(positions[0], first), min(positions[-1] + 1, first + chunk_length)
        yield (
            number,
            slice(start - first, stop - first),
            slice(start - positions[0], stop - positions[0]),
        )
