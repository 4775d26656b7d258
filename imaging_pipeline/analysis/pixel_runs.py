"""Regions of pixels as runs along their rows: small to send, and quick to draw, fill and hit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class PixelRuns:
    """Runs of pixels, ordered by region, row and column; all int64 (R,).

    Attributes
    ----------
    region
        Which region, from 0.
    y
        px, the row.
    first, end
        px, the first column and the one past the last.
    """

    region: NDArray[np.int64]
    y: NDArray[np.int64]
    first: NDArray[np.int64]
    end: NDArray[np.int64]


def pixel_runs(xpix: Sequence[NDArray[np.integer]], ypix: Sequence[NDArray[np.integer]]) -> PixelRuns:
    """Join the pixels of each region that lie side by side.

    Parameters
    ----------
    xpix, ypix
        Of each region, integers (npix,), px; in any order, and a pixel may be there twice.
    """
    sizes = [len(pixels) for pixels in xpix]
    region = np.repeat(np.arange(len(sizes)), sizes)
    x = np.concatenate([np.empty(0, np.int64), *xpix]).astype(np.int64)
    y = np.concatenate([np.empty(0, np.int64), *ypix]).astype(np.int64)
    if not len(x):
        return PixelRuns(region, y, x, x)
    # One number a pixel is sorted much sooner than three. The width has a column more than there is: the last
    # pixel of a row and the first one of the next are no neighbours.
    height, width = int(y.max()) + 1, int(x.max()) + 2
    positions = np.sort((region * height + y) * width + x)
    # A step of 0 is a pixel that is there twice.
    is_last = np.append(np.diff(positions) > 1, True)
    begins, ends = positions[np.append(True, is_last[:-1])], positions[is_last]
    rows, first = np.divmod(begins, width)
    region, y = np.divmod(rows, height)
    return PixelRuns(region, y, first, first + ends - begins + 1)
