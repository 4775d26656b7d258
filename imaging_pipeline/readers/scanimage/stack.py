"""The tifs of one session that ScanImage wrote, as one stack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo

from imaging_pipeline.readers.scanimage.frames import frames_before
from imaging_pipeline.readers.scanimage.session_times import SessionTimes, read_session_times
from imaging_pipeline.readers.scanimage.tif import ScanImageTif
from imaging_pipeline.readers.tiff.recorded import mean_image
from imaging_pipeline.readers.tiff.stack import FRAMES_IN_MEAN, TifStack, check_same_layout


@dataclass(frozen=True)
class ScanImageStack(TifStack):
    """What was read of a session's tifs, and what ScanImage says of their frames.

    Attributes
    ----------
    times
        When the frames were taken.
    """

    tifs: tuple[ScanImageTif, ...]
    times: SessionTimes


def scanimage_stack(
    tifs: Sequence[ScanImageTif], acquisitions: Sequence[int], zone: tzinfo
) -> ScanImageStack:
    """Read timestamps and the mean image of a session's tifs, never the whole stack.

    Parameters
    ----------
    tifs, acquisitions, zone
        As for `read_session_times`.

    Raises
    ------
    FormatError
        A file differs from the others in size, type, channels or planes, or as for `read_session_times`.
    """
    check_same_layout({tif.path: tif.layout for tif in tifs})
    return ScanImageStack(
        tifs=tuple(tifs),
        times=read_session_times(tifs, acquisitions, zone),
        mean_image=mean_image(tifs[0], max_frames=FRAMES_IN_MEAN, frames_before=frames_before(tifs[0])),
    )
