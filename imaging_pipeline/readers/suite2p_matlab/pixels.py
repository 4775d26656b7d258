"""Pixels of regions in a result of Suite2p for MATLAB, which come in two forms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from imaging_pipeline.errors import FormatError
from imaging_pipeline.readers.matlab.value import MatlabValue

_REMEDY = "Put back the file as Suite2p wrote it; one mixed from two runs cannot be imported."
_Numbers = NDArray[np.number]
_Pixels = tuple[NDArray[np.int64], NDArray[np.int64]]


@dataclass(frozen=True)
class Part:
    """The part of the frame that was always in view: its rows and columns in order, from 1."""

    rows: _Numbers
    columns: _Numbers

    @property
    def offsets(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """What is added to a row and a column from 1, within the part or the frame, to have those from 0."""
        # Both the first one of the part and one within the part count from 1: hence - 2.
        return (int(self.rows[0]) - 2, int(self.columns[0]) - 2), (-1, -1)


def whole_frame_pixels(
    stat: MatlabValue,
    part: Part,
    ypix: Sequence[_Numbers],
    xpix: Sequence[_Numbers],
    ipix: Sequence[MatlabValue],
) -> list[_Pixels]:
    """Return rows and columns of the pixels of each region, of the whole frame from 0.

    Parameters
    ----------
    stat
        What the fields are of, for errors to name.
    part
        What ``ipix`` counts in.
    ypix, xpix
        Of each region, from 1; within the part, or within the whole frame.
    ipix
        Of each region, from 1 and down the columns of the part.

    Raises
    ------
    FormatError
        Neither of both forms fits ``ipix`` for every region, or a pixel lies outside of the part.
    """
    by_index = [_rows_and_columns(pixels, part, number) for number, pixels in enumerate(ipix)]
    stated = list(zip(ypix, xpix, strict=True))
    for offsets in part.offsets:
        if all(map(partial(_are_equal, offsets), stated, by_index)):
            return by_index
    numbers = range(len(by_index))
    misfits = [
        number for number in numbers if not _are_equal(part.offsets[0], stated[number], by_index[number])
    ]
    (rows, columns), number = by_index[misfits[0]], misfits[0]
    raise FormatError(
        f"ypix and xpix of region {number + 1} are not the pixels that ipix lists",
        path=stat.path,
        found=f"ypix {_span(ypix[number])}, xpix {_span(xpix[number])}",
        allowed=" or ".join(
            f"{_span(rows - row)} and {_span(columns - column)} in {form}, in each region"
            for (row, column), form in zip(
                part.offsets, ("the part that was analysed", "the frame"), strict=True
            )
        ),
        remedy=_REMEDY,
    )


def _rows_and_columns(pixels: MatlabValue, part: Part, number: int) -> _Pixels:
    indices, num_pixels = pixels.vector(), part.rows.size * part.columns.size
    if indices.size and not (indices.min() >= 1 and indices.max() <= num_pixels):
        raise FormatError(
            f"{pixels.name} of region {number + 1} leaves the part of the frame that was analysed",
            path=pixels.path,
            found=_span(indices),
            allowed=f"1 to {num_pixels}, as MATLAB counts",
            remedy=_REMEDY,
        )
    columns, rows = np.divmod(indices.astype(np.int64) - 1, part.rows.size)
    return rows + int(part.rows[0]) - 1, columns + int(part.columns[0]) - 1


def _are_equal(offsets: tuple[int, int], stated: tuple[_Numbers, _Numbers], pixels: _Pixels) -> bool:
    return all(
        np.array_equal(file + offset, frame)
        for file, offset, frame in zip(stated, offsets, pixels, strict=True)
    )


def _span(pixels: _Numbers) -> str:
    return f"{pixels.min():g} to {pixels.max():g}" if pixels.size else "nothing"
