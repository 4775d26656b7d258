"""The tifs that ScanImage wrote of one session as one stack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imaging_pipeline.readers.alike import check_alike
from imaging_pipeline.readers.scanimage.tif import ScanImageTif, frames_before, read_frame_times
from imaging_pipeline.readers.tiff.recorded import mean_image
from imaging_pipeline.readers.tiff.stack import FRAMES_IN_MEAN, TifStack


@dataclass(frozen=True)
class ScanImageStack(TifStack):
    """What was read of a session's tifs, and what ScanImage says of their frames.

    Attributes
    ----------
    frame_numbers
        int64 (frames,), as ScanImage counts them.
    timestamps_s
        float64 (frames,), seconds since the acquisition mode was started; each acquisition of its own.
    aux_triggers_s
        Four float64 arrays (n,), seconds on the clock of the frames.
    """

    tifs: tuple[ScanImageTif, ...]
    frame_numbers: NDArray[np.int64]
    timestamps_s: NDArray[np.float64]
    aux_triggers_s: tuple[NDArray[np.float64], ...]


def scanimage_stack(tifs: Sequence[ScanImageTif]) -> ScanImageStack:
    """Read timestamps and the mean image of a session's tifs, never the whole stack.

    Raises
    ------
    FormatError
        A file has no timestamps, has changed, or differs from the others in size, type, channels or planes.
    """
    check_alike({tif.path: tif.layout for tif in tifs})
    times = [read_frame_times(tif) for tif in tifs]
    triggers = (np.concatenate([time.aux_triggers_s[i] for time in times]) for i in range(4))
    return ScanImageStack(
        tifs=tuple(tifs),
        frame_numbers=np.concatenate([time.frame_numbers for time in times]),
        timestamps_s=np.concatenate([time.timestamps_s for time in times]),
        aux_triggers_s=tuple(triggers),
        mean_image=mean_image(tifs[0], max_frames=FRAMES_IN_MEAN, frames_before=frames_before(tifs[0])),
    )
