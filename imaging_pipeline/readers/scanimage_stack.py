"""The tifs of one session as one stack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imaging_pipeline import progress
from imaging_pipeline.readers.alike import check_alike
from imaging_pipeline.readers.scanimage import ScanImageTif, mean_image, read_frame_times, read_tif

_FRAMES_IN_MEAN = 50


@dataclass(frozen=True)
class ScanImageStack:
    """What was read of a session's tifs.

    Attributes
    ----------
    tifs
        The files, in order of acquisition.
    frame_numbers
        int64 (frames,), as ScanImage counts them.
    timestamps_s
        float64 (frames,), seconds since the acquisition mode was started; each acquisition of its own.
    aux_triggers_s
        Four float64 arrays (n,), seconds on the clock of the frames.
    mean_image
        float32 (height, width), of frames spread over the first file, first plane and channel.
    """

    tifs: tuple[ScanImageTif, ...]
    frame_numbers: NDArray[np.int64]
    timestamps_s: NDArray[np.float64]
    aux_triggers_s: tuple[NDArray[np.float64], ...]
    mean_image: NDArray[np.float32]

    @property
    def num_frames(self) -> int:
        """Frames of one channel in all files together."""
        return sum(tif.num_frames for tif in self.tifs)


def read_stack(paths: Sequence[str]) -> ScanImageStack:
    """Read headers, timestamps and the mean image of a session's tifs, never the whole stack.

    Raises
    ------
    FormatError
        A file is no ScanImage tif, is truncated, or differs from the others in size, type, channels or
        planes.
    """
    tifs: list[ScanImageTif] = []
    for number, path in enumerate(paths):
        progress.report("reading headers", number, len(paths))
        tifs.append(read_tif(Path(path)))
    check_alike({tif.path: tif.layout for tif in tifs})
    times = [read_frame_times(tif) for tif in tifs]
    triggers = (np.concatenate([time.aux_triggers_s[i] for time in times]) for i in range(4))
    return ScanImageStack(
        tifs=tuple(tifs),
        frame_numbers=np.concatenate([time.frame_numbers for time in times]),
        timestamps_s=np.concatenate([time.timestamps_s for time in times]),
        aux_triggers_s=tuple(triggers),
        mean_image=mean_image(tifs[0], max_frames=_FRAMES_IN_MEAN),
    )
