"""Where Suite2p lays the planes out that it merges, and so which plane a ROI of ``combined`` lies in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imaging_pipeline.readers.suite2p.metadata import Metadata, has_metadata, read_metadata

_PLANE = re.compile(r"plane(\d+)")


@dataclass(frozen=True)
class Place:
    """The part of the canvas that a plane is on, in pixels."""

    first_row: int
    first_column: int
    height: int
    width: int

    def holds(self, ypix: NDArray[np.int64], xpix: NDArray[np.int64]) -> bool:
        """Return True if all of some pixels, at least one, are in this part."""
        rows, columns = ypix - self.first_row, xpix - self.first_column
        is_inside = (rows >= 0) & (rows < self.height) & (columns >= 0) & (columns < self.width)
        return bool(is_inside.size and is_inside.all())


@dataclass(frozen=True)
class Canvas:
    """The canvas of merged planes; ``places`` are in the order in which ROIs number them in ``iplane``."""

    places: tuple[Place, ...]

    def plane_of(self, ypix: NDArray[np.int64], xpix: NDArray[np.int64]) -> int | None:
        """Return which plane pixels lie in; None where they lie in none, or fields overlap there."""
        found = [number for number, place in enumerate(self.places) if place.holds(ypix, xpix)]
        return found[0] if len(found) == 1 else None


def read_canvas(combined: Path) -> Canvas:
    """Return how the planes beside a ``combined`` folder are laid out on it.

    Without places of their own, planes are in rows of as many as make the canvas about square. Fields of one
    plane are placed as they lie in the specimen, and planes beside each other in rows. As ``compute_dydx``
    and ``combined`` of Suite2p 0.9 to 1.1 do; 1.x takes no plane that was left out, 0.x all.

    Returns
    -------
    Canvas
        Without places where the planes are not there, or do not fill the canvas that ``combined`` states.
    """
    planes = list(_merged_planes(combined.parent))
    # A plane that never got so far says nothing of its size.
    if not all({"Ly", "Lx"} <= plane.values.keys() for plane in planes):
        return Canvas(())
    shapes = [plane.frame_shape for plane in planes]
    corners = _corners(planes, shapes)
    places = tuple(Place(*corner, *shape) for corner, shape in zip(corners, shapes, strict=True))
    size = tuple(
        max((place[axis] + place[axis + 2] for place in map(_numbers, places)), default=0) for axis in (0, 1)
    )
    return Canvas(places if size == read_metadata(combined).frame_shape else ())


def _numbers(place: Place) -> tuple[int, int, int, int]:
    return place.first_row, place.first_column, place.height, place.width


def _merged_planes(root: Path) -> Iterator[Metadata]:
    numbers = ((_PLANE.fullmatch(path.name), path) for path in root.iterdir())
    folders = sorted((int(match[1]), path) for match, path in numbers if match and has_metadata(path))
    for number, folder in folders:
        plane = read_metadata(folder)
        if plane.generation == "0.x" or number not in plane.flyback_planes:
            yield plane


def _corners(planes: Sequence[Metadata], shapes: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return first row and column of each plane or field."""
    fields = [(_offset(plane, "dy"), _offset(plane, "dx")) for plane in planes]
    placed = [field for field in fields if None not in field]
    if not planes or len(placed) < len(planes):
        return [_tile(number, len(planes), *shapes[0]) for number in range(len(planes))]
    corners = [(int(row or 0), int(column or 0)) for row, column in placed]
    num_fields = len(set(corners))
    if num_fields == len(planes):
        return corners
    height = max(row + shape[0] for (row, _), shape in zip(corners, shapes, strict=True))
    width = max(column + shape[1] for (_, column), shape in zip(corners, shapes, strict=True))
    tiles = [
        _tile(number // num_fields, len(planes) // num_fields, height, width) for number in range(len(planes))
    ]
    return [(row + tile[0], column + tile[1]) for (row, column), tile in zip(corners, tiles, strict=True)]


def _tile(number: int, num_tiles: int, height: int, width: int) -> tuple[int, int]:
    per_row = ceil(sqrt(height * width * num_tiles) / width)
    return number // per_row * height, number % per_row * width


def _offset(plane: Metadata, key: str) -> int | None:
    value: Any = plane.values.get(key)
    # Where nothing is placed, versions leave it out, or as None or an empty text.
    if value is None or np.size(value) != 1 or value == "":
        return None
    return int(np.ravel(value)[0])
