"""Which ROIs a person merged into others, in Suite2p's window.

The window appends the merged ROI, with its parts' numbers in ``imerge``, and notes in ``inmerge`` of each
part where it went. It no longer shows the parts, but 0.x leaves them marked as cells, and so do both
generations where a merged ROI is merged once more. Opening the output again sets every ``inmerge`` to 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imaging_pipeline.readers.suite2p.stated_numbers import stated_number

Stat = Mapping[str, Any]


def merged_from(stat: Stat) -> tuple[int, ...]:
    """Return the numbers of the ROIs that one was merged from, as Suite2p noted them; empty for most.

    Raises
    ------
    ValueError
        They are no numbers of ROIs.
    """
    noted = np.asarray([] if stat.get("imerge") is None else stat["imerge"]).ravel()
    # Whole numbers that an int32 holds; an empty list is one of floats.
    if noted.size and not (
        noted.dtype.kind in "iuf" and np.all((noted >= 0) & (noted < 2**31) & (noted == np.round(noted)))
    ):
        raise ValueError(f"imerge {stat['imerge']} of a ROI, which are no numbers of ROIs")
    return tuple(int(number) for number in noted)


def merged_into(stats: Sequence[Stat], is_cell: NDArray[np.bool_]) -> dict[int, int]:
    """Return number of a ROI that was merged → number of the ROI that took its place.

    Parameters
    ----------
    stats
        Dictionaries of N ROIs, as ``stat.npy`` has them.
    is_cell
        bool (N,), which of them are marked as cells: the parts of a merged ROI that is none, and that the
        window shows again, are ROIs as any other.

    Raises
    ------
    ValueError
        A ROI was merged into one that is not there.
    """
    merged = [number for number, stat in enumerate(stats) if merged_from(stat)]
    found: dict[int, int] = {}
    # The last one first, since it may hold an earlier one with its parts.
    for whole in reversed(merged):
        if is_cell[whole]:
            for part in _parts(stats, whole, merged):
                found.setdefault(part, whole)
    for number, stat in enumerate(stats):
        whole = stated_number(stat, "inmerge") or 0
        if whole >= len(stats):
            raise ValueError(f"ROI {number} was merged into ROI {whole}, of {len(stats)}")
        if whole > 0:
            found.setdefault(number, whole)
    return found


def _parts(stats: Sequence[Stat], whole: int, merged: Sequence[int]) -> list[int]:
    pixels, listed = _pixels(stats[whole]), set(merged_from(stats[whole]))

    def is_inside(number: int) -> bool:
        return bool(np.isin(_pixels(stats[number]), pixels).all())

    earlier = [number for number in merged if number < whole and set(merged_from(stats[number])) <= listed]
    parts = [number for number in listed if 0 <= number < len(stats) and number != whole]
    if len(parts) == len(listed) and all(map(is_inside, parts)):
        return [*parts, *filter(is_inside, earlier)]
    # ROIs that were drawn later come first and so shift all numbers; the pixels are still the parts'.
    return [number for number in range(len(stats)) if number != whole and is_inside(number)]


def _pixels(stat: Stat) -> NDArray[np.int64]:
    ypix, xpix = (np.asarray(stat[name]).ravel().astype(np.int64) for name in ("ypix", "xpix"))
    # A number for each pixel: no frame is that wide.
    return ypix * 2**31 + xpix
