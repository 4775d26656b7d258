"""When the frames of ScanImage tifs were taken, and the tifs of one session as one stack."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.typing import NDArray

from imaging_pipeline import progress
from imaging_pipeline.errors import FormatError
from imaging_pipeline.readers.scanimage.text import COPY_OR_TAKE_AWAY, NUM_AUX_TRIGGERS, parse_frame_lines
from imaging_pipeline.readers.scanimage.tif import ScanImageTif
from imaging_pipeline.readers.tiff.file import TifFile
from imaging_pipeline.readers.tiff.pages import PageTable
from imaging_pipeline.readers.tiff.recorded import mean_image, pages_of
from imaging_pipeline.readers.tiff.stack import FRAMES_IN_MEAN, TifStack, check_same_layout

# Decimal: a real file has `triggerFrameNumber = 33` beside `Frame Tag = 00000033`. Were it hexadecimal in
# others, their tenth frame would be refused, not taken for another one.
_FRAME_TAG = re.compile(rb"\s*Frame Tag\s*=\s*(\d+)(?![0-9A-Za-z])")
_TAG_BYTES = 64


@dataclass(frozen=True)
class FrameTimes:
    """When the frames of a tif were taken.

    Attributes
    ----------
    frame_numbers, acquisition_numbers
        int64 arrays (num_frames,), from 1; they go on over the files of one acquisition.
    timestamps_s
        float64 array (num_frames,), seconds since the acquisition mode was started.
    aux_triggers_s
        For each of the four auxiliary lines a float64 array of its edges, on the same clock.
    """

    frame_numbers: npt.NDArray[np.int64]
    acquisition_numbers: npt.NDArray[np.int64]
    timestamps_s: npt.NDArray[np.float64]
    aux_triggers_s: tuple[npt.NDArray[np.float64], ...]


def read_frame_times(tif: ScanImageTif) -> FrameTimes:
    """Read the frame lines of each frame's first channel.

    Versions before 5.0 write no timestamps. Theirs are computed from the frame rate and the number of the
    frame, which 4.x writes, so that a lost frame leaves its gap; in 3.x frames are counted from the file's
    first.

    Raises
    ------
    FormatError
        A page's lines are not numbers or not in order, or the file has changed.
    """
    with TifFile(tif.path) as file:
        pages = pages_of(file, tif)
        match tif.header.frame_clock:
            case "timestamps":
                return _read_times(file, pages, tif)
            case "tags":
                return _compute_times(tif, _tags(file, pages, tif))
            case "none":
                return _compute_times(tif, np.arange(1, tif.num_frames + 1))


def frames_before(tif: ScanImageTif) -> int:
    """Count the frames of a tif's acquisition in the files before: a file may begin amid a volume."""
    if not tif.header.is_volumetric or tif.header.frame_clock == "none":
        return 0
    with TifFile(tif.path) as file:
        description = file.read_span(pages_of(file, tif).description(0))
    if tif.header.frame_clock == "tags":
        return _tag(description, tif) - 1
    return (parse_frame_lines(description, tif.path).number_in_acquisition or 1) - 1


def _read_times(file: TifFile, pages: PageTable, tif: ScanImageTif) -> FrameTimes:
    count = tif.num_frames
    frame_numbers = np.empty(count, np.int64)
    acquisition_numbers = np.empty(count, np.int64)
    # Never from the header's rate, which is up to 0.07 % too high in real files: a second in 25 minutes.
    timestamps_s = np.empty(count, np.float64)
    aux_triggers_s: list[list[float]] = [[] for _ in range(NUM_AUX_TRIGGERS)]
    for frame in range(count):
        # The pages of a frame's other channels repeat its lines.
        description = file.read_span(pages.description(frame * tif.header.num_channels))
        lines = parse_frame_lines(description, tif.path)
        frame_numbers[frame] = lines.frame_number
        acquisition_numbers[frame] = lines.acquisition_number
        timestamps_s[frame] = lines.timestamp_s
        for line, times_s in enumerate(lines.aux_triggers_s):
            aux_triggers_s[line].extend(times_s)
        if frame % 1000 == 0:
            progress.report("reading frame times", frame, count)
    return FrameTimes(
        frame_numbers=frame_numbers,
        acquisition_numbers=acquisition_numbers,
        timestamps_s=timestamps_s,
        aux_triggers_s=tuple(np.array(times_s, np.float64) for times_s in aux_triggers_s),
    )


def _compute_times(tif: ScanImageTif, frame_numbers: npt.NDArray[np.int64]) -> FrameTimes:
    return FrameTimes(
        frame_numbers=frame_numbers,
        acquisition_numbers=np.ones_like(frame_numbers),
        timestamps_s=(frame_numbers - 1) / tif.header.frame_rate_hz,
        aux_triggers_s=(np.empty(0),) * NUM_AUX_TRIGGERS,
    )


def _tags(file: TifFile, pages: PageTable, tif: ScanImageTif) -> npt.NDArray[np.int64]:
    tags = np.empty(tif.num_frames, np.int64)
    for frame in range(tif.num_frames):
        span = pages.description(frame * tif.header.num_channels)
        # The tag comes first, and the header of all settings behind it on every page.
        tags[frame] = _tag(file.read_at(span.offset, min(span.num_bytes, _TAG_BYTES)), tif)
        if frame % 1000 == 0:
            progress.report("reading frame numbers", frame, tif.num_frames)
    steps = np.diff(tags)
    # Whether tags count averaged frames, or those that they were averaged of, is not known.
    is_averaged = tif.header.frames_averaged > 1
    wrong = np.flatnonzero((steps != 1) if is_averaged else (steps < 1))
    if wrong.size:
        first = int(wrong[0])
        raise FormatError(
            "The tif's frames do not follow one another",
            path=tif.path,
            found=f"Frame Tag {tags[first]} and then {tags[first + 1]}",
            allowed="numbers that go up by one" if is_averaged else "numbers that go up",
            remedy="copy the file again from the microscope's computer.",
        )
    return tags


def _tag(description: bytes, tif: ScanImageTif) -> int:
    match = _FRAME_TAG.match(description)
    if match is None or int(match[1]) < 1:
        raise FormatError(
            "A page of the tif has no frame number",
            path=tif.path,
            found=description[:40].decode("latin-1").strip(),
            allowed="Frame Tag = 00000001, as ScanImage 4 writes it",
            remedy=COPY_OR_TAKE_AWAY,
        )
    return int(match[1])


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
    check_same_layout({tif.path: tif.layout for tif in tifs})
    times = [read_frame_times(tif) for tif in tifs]
    triggers = (np.concatenate([time.aux_triggers_s[i] for time in times]) for i in range(NUM_AUX_TRIGGERS))
    return ScanImageStack(
        tifs=tuple(tifs),
        frame_numbers=np.concatenate([time.frame_numbers for time in times]),
        timestamps_s=np.concatenate([time.timestamps_s for time in times]),
        aux_triggers_s=tuple(triggers),
        mean_image=mean_image(tifs[0], max_frames=FRAMES_IN_MEAN, frames_before=frames_before(tifs[0])),
    )
