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
        Of each region, integers (npix,), px; in any order, and also when a pixel is given twice.
    """
    sizes = [len(pixels) for pixels in xpix]
    region = np.repeat(np.arange(len(sizes)), sizes)
    x = np.concatenate([np.empty(0, np.int64), *xpix]).astype(np.int64)
    y = np.concatenate([np.empty(0, np.int64), *ypix]).astype(np.int64)
    order = np.lexsort((x, y, region))
    region, y, x = region[order], y[order], x[order]
    is_next = (np.diff(region) == 0) & (np.diff(y) == 0) & (np.diff(x) <= 1)
    begins = np.flatnonzero(np.concatenate([[True], ~is_next])) if len(x) else np.empty(0, np.int64)
    ends = np.append(begins[1:], len(x))[: len(begins)]
    return PixelRuns(region[begins], y[begins], x[begins], x[ends - 1] + 1)
