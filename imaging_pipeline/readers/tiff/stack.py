"""The tifs of one session as one stack."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from imaging_pipeline.errors import FormatError
from imaging_pipeline.readers.tiff.recorded import Header, RecordedTif, mean_image

FRAMES_IN_MEAN = 50
# Acquisitions of one recording state slightly different rates; this is a fraction of the rate.
_RATE_TOLERANCE = 0.01


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
    check_same_layout({tif.path: tif.layout for tif in tifs})
    return TifStack(tuple(tifs), mean_image(tifs[0], max_frames=FRAMES_IN_MEAN))


def is_same_rate(tif: RecordedTif[Header], first: RecordedTif[Header]) -> bool:
    """Return True if two tifs were recorded at one rate."""
    rate_hz, expected_hz = tif.header.volume_rate_hz, first.header.volume_rate_hz
    return abs(rate_hz - expected_hz) <= _RATE_TOLERANCE * expected_hz


def check_same_rate(tifs: Sequence[RecordedTif[Header]]) -> None:
    """Refuse a tif that was recorded at another rate than the first one of its session, which has one rate.

    Raises
    ------
    FormatError
        It names both files.
    """
    for tif in tifs:
        if not is_same_rate(tif, tifs[0]):
            raise FormatError(
                "The tifs of a session were not recorded at one rate",
                path=tif.path,
                found=f"{tif.header.volume_rate_hz:g} Hz",
                allowed=f"{tifs[0].header.volume_rate_hz:g} Hz, as in {tifs[0].path.name}",
                remedy="keep recordings of different settings under different timeseries names.",
            )


def check_whole_frames(tifs: Sequence[RecordedTif[Header]], acquisitions: Sequence[int]) -> None:
    """Refuse a file that ends amid the channels of a frame, and is not the last of its acquisition.

    The pages behind it might be of another channel than their number says.

    Parameters
    ----------
    tifs
        The files in order.
    acquisitions
        The acquisition of each.

    Raises
    ------
    FormatError
        It names the file.
    """
    for (tif, acquisition), following in pairwise(zip(tifs, acquisitions, strict=True)):
        if following[1] == acquisition and tif.num_pages % tif.header.num_channels:
            raise FormatError(
                "A tif ends amid the channels of a frame, and another follows it",
                path=tif.path,
                found=f"{tif.num_pages} pages",
                allowed=f"a multiple of {tif.header.num_channels}",
                remedy="copy the file again from the microscope.",
            )


def check_same_layout(layouts: Mapping[Path, str], reference: Path | None = None) -> None:
    """Refuse a file that differs from the others of its session.

    Parameters
    ----------
    layouts
        What all files must have in common, in words, by file.
    reference
        The file that is right where they differ. Without one the layout that most files have is right, and
        that of the first file where there are as many of another.

    Raises
    ------
    FormatError
        It names the file that differs, and one of the others.
    """
    (expected, _), *others = Counter(layouts.values()).most_common()
    if not others:
        return
    if reference is not None:
        expected = layouts[reference]
    example = next(path for path, layout in layouts.items() if layout == expected)
    path, layout = next((path, layout) for path, layout in layouts.items() if layout != expected)
    raise FormatError(
        "A tif differs from the others of its session",
        path=path,
        found=layout,
        allowed=f"{expected}, as in {example.name}",
        remedy="keep recordings of different settings under different timeseries names.",
    )
