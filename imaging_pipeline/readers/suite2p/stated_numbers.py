"""Whole numbers in the dictionaries of ROIs, which people's own scripts wrap in lists and arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def stated_number(stat: Mapping[str, Any], key: str) -> int | None:
    """Return a whole number of a ROI, as such or in a list or array of one; None where none is stated.

    Raises
    ------
    ValueError
        It is something else than one whole number.
    """
    values = np.asarray([] if stat.get(key) is None else stat[key])
    if values.size == 0:
        return None
    number = values.ravel()[0]
    if values.size > 1 or values.dtype.kind not in "iuf" or not np.isfinite(number) or number != int(number):
        raise ValueError(f"{key} {stat[key]} of a ROI, which is no whole number")
    return int(number)
