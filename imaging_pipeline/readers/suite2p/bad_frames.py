"""``bad_frames.npy``, in which a person lists frames that Suite2p is to leave out when it looks for cells."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from imaging_pipeline.errors import FormatError
from imaging_pipeline.readers.npy.file import load_npy
from imaging_pipeline.readers.regular_file import require_regular_file

FILE_NAME = "bad_frames.npy"


def read_bad_frames(path: Path) -> tuple[int, ...]:
    """Return the numbers of the frames, from 0, in rising order.

    Suite2p itself takes a mask, of true and false or of ones and zeros, for the frames 1 and 0, and both
    ends of an interval for frames; it counts negative numbers from the end.

    Raises
    ------
    FormatError
        The file is damaged, or holds anything but a list of whole numbers from 0 on.
    """
    require_regular_file(path)
    values = np.asarray(load_npy(path))
    # Whole numbers of which none is lost as int64.
    if values.dtype.kind == "f" and np.all((np.abs(values) < 2**53) & (values == np.round(values))):
        values = values.astype(np.int64)
    if values.dtype.kind not in "iu":
        raise _unfit(path, f"values of type {values.dtype}")
    if values.size and values.min() < 0:
        raise _unfit(path, int(values.min()))
    # Programs that know no other shape write a list as one row or column; two columns are starts and ends.
    if values.size > max(values.shape, default=1) or values.shape[1:] == (2,):
        raise _unfit(path, f"numbers in shape {values.shape}, which may be intervals")
    # Frames 0 and 1 are two numbers at most.
    if values.size > 2 and values.max() <= 1:
        raise _unfit(path, f"{values.size} numbers, all 0 or 1: a mask")
    return tuple(sorted(set(values.ravel().tolist())))


def _unfit(path: Path, found: object) -> FormatError:
    return FormatError(
        "The list of frames that Suite2p is to leave out cannot be read",
        path=path,
        found=found,
        allowed="a list of whole numbers of frames, from 0; of a mask, np.flatnonzero(mask)",
        remedy="Save it anew, or take it away.",
    )
