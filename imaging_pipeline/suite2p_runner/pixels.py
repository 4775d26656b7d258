"""Pixels as Suite2p has them: its movie is int16, whatever the tifs hold."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

# What becomes of other pixels in `read_tiff` of `suite2p.io.tiff`, of 0.x and 1.x alike.
_HALVED = ("uint16", "int32")
_EXACT = ("int16", "int8", "uint8")

# Those of which nothing is lost but the last bit. Others may not fit into int16, and would begin anew at the
# other end of its range.
TAKEN = (*_EXACT, "uint16")


def conversion(dtype: str) -> str:
    """Return in words what Suite2p does to pixels of a type; empty where they stay as they are.

    Parameters
    ----------
    dtype
        As numpy names it.
    """
    if dtype in _EXACT:
        return ""
    return f"{dtype} // 2" if dtype in _HALVED else f"{dtype}, cut to int16"


def to_int16(pages: NDArray[Any]) -> NDArray[np.int16]:
    """Return pixels as Suite2p itself converts them.

    Parameters
    ----------
    pages
        Of any shape, and of a type in `TAKEN`.
    """
    halved = pages // 2 if pages.dtype.name in _HALVED else pages
    return halved.astype(np.int16, copy=False)
