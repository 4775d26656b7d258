"""The tifs of one session as one stack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imaging_pipeline.readers.alike import check_alike
from imaging_pipeline.readers.tiff.recorded import Header, RecordedTif, mean_image

FRAMES_IN_MEAN = 50


@dataclass(frozen=True)
class TifStack:
    """What was read of a session's tifs.

    Attributes
    ----------
    tifs
        The files, in order of acquisition.
    mean_image
        float32 (height, width), of frames spread over the first file, first plane and channel.
    """

    tifs: tuple[RecordedTif[Header], ...]
    mean_image: NDArray[np.float32]

    @property
    def num_frames(self) -> int:
        """Frames of one channel in all files together."""
        return sum(tif.num_frames for tif in self.tifs)


def plain_stack(tifs: Sequence[RecordedTif[Header]]) -> TifStack:
    """Make a stack of tifs that say nothing of their frames; the first begins with a volume.

    Raises
    ------
    FormatError
        A file differs from the others in size, type, channels or planes, or has changed.
    """
    check_alike({tif.path: tif.layout for tif in tifs})
    return TifStack(tuple(tifs), mean_image(tifs[0], max_frames=FRAMES_IN_MEAN))
