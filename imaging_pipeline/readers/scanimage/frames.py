"""When the frames of a ScanImage tif were taken, and what its first and its last frame say."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from imaging_pipeline import progress
from imaging_pipeline.errors import FormatError
from imaging_pipeline.readers.scanimage.frame_range import FrameRange
from imaging_pipeline.readers.scanimage.text import COPY_OR_TAKE_AWAY, NUM_AUX_TRIGGERS, parse_frame_lines
from imaging_pipeline.readers.scanimage.tif import ScanImageTif
from imaging_pipeline.readers.tiff.file import TifFile
from imaging_pipeline.readers.tiff.pages import PageTable
from imaging_pipeline.readers.tiff.recorded import pages_of

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
    first_in_acquisition
        The first frame's number in its acquisition, from 1; None where the version does not say.
    """

    frame_numbers: npt.NDArray[np.int64]
    acquisition_numbers: npt.NDArray[np.int64]
    timestamps_s: npt.NDArray[np.float64]
    aux_triggers_s: tuple[npt.NDArray[np.float64], ...]
    first_in_acquisition: int | None = None

    @property
    def num_frames(self) -> int:
        """Frames of one channel."""
        return len(self.frame_numbers)


def read_frame_times(tif: ScanImageTif) -> FrameTimes:
    """Read the frame lines of every page.

    Versions before 5.0 write no timestamps. Theirs are computed from the frame rate and the number of the
    frame, which 4.x writes, so that a lost frame leaves its gap; in 3.x frames are counted from the file's
    first.

    Raises
    ------
    FormatError
        A page's lines are not numbers, frames do not come in their order, pages of a frame are missing, or
        the file has changed.
    """
    times = _read(tif, range(_num_frames(tif)))
    _check_order(tif, times)
    _check_rest(tif, int(times.frame_numbers[-1]))
    return times


def read_frame_range(tif: ScanImageTif) -> FrameRange:
    """Read the first and the last frame of a file.

    Raises
    ------
    FormatError
        As for `read_frame_times`, of these two.
    """
    return frame_range(tif, _read(tif, sorted({0, _num_frames(tif) - 1})))


def frame_range(tif: ScanImageTif, times: FrameTimes) -> FrameRange:
    """Return the first and the last frame of a file, by the times of these two or of all."""
    header = tif.header
    first, last = int(times.frame_numbers[0]), int(times.frame_numbers[-1])
    # Whether averaged frames are numbered, or those that they were averaged of, differs between versions.
    is_numbered_before = tif.num_frames > 1 and last - first >= (tif.num_frames - 1) * header.frames_averaged
    step = header.frames_averaged if is_numbered_before else 1
    if last - first < (tif.num_frames - 1) * step:
        raise _out_of_order(
            tif, f"{tif.num_frames} frames, of which the first is {first} and the last {last}"
        )
    in_acquisition = times.first_in_acquisition
    is_numbered = header.frame_clock != "none"
    return FrameRange(
        path=tif.path,
        clock_start=header.clock_start,
        acquisition_number=int(times.acquisition_numbers[0]),
        frames_before=None if in_acquisition is None else (in_acquisition - 1) // step,
        first_number=first if is_numbered else None,
        last_number=last if is_numbered else None,
        step=step,
        first_s=float(times.timestamps_s[0]),
        last_s=float(times.timestamps_s[-1]),
        num_frames=tif.num_frames,
        frames_per_volume=header.frames_per_volume,
    )


def frames_before(tif: ScanImageTif) -> int:
    """Count the frames of a tif's acquisition in the files before: a file may begin amid a volume."""
    if not tif.header.is_volumetric or tif.header.frame_clock == "none":
        return 0
    with TifFile(tif.path) as file:
        description = file.read_span(pages_of(file, tif).description(0))
    if tif.header.frame_clock == "tags":
        return _tag(description, tif) - 1
    return (parse_frame_lines(description, tif.path).number_in_acquisition or 1) - 1


def _num_frames(tif: ScanImageTif) -> int:
    if not tif.num_frames:
        raise FormatError(
            "The tif holds no whole frame",
            path=tif.path,
            found=f"{tif.num_pages} pages",
            allowed=f"{tif.header.num_channels} pages a frame, one a channel",
            remedy="Copy the file again, or move it out of the folder if it is as short at the microscope.",
        )
    return tif.num_frames


def _read(tif: ScanImageTif, frames: Sequence[int]) -> FrameTimes:
    with TifFile(tif.path) as file:
        pages = pages_of(file, tif)
        match tif.header.frame_clock:
            case "timestamps":
                return _read_times(file, pages, tif, frames)
            case "tags":
                return _compute_times(tif, _tags(file, pages, tif, frames))
            case "none":
                return _compute_times(tif, np.array(frames, np.int64) + 1)


def _read_times(file: TifFile, pages: PageTable, tif: ScanImageTif, frames: Sequence[int]) -> FrameTimes:
    count = len(frames)
    frame_numbers = np.empty(count, np.int64)
    acquisition_numbers = np.empty(count, np.int64)
    # Never from the header's rate, which is up to 0.07 % too high in real files: a second in 25 minutes.
    timestamps_s = np.empty(count, np.float64)
    aux_triggers_s: list[list[float]] = [[] for _ in range(NUM_AUX_TRIGGERS)]
    first_in_acquisition = None
    for position, frame in enumerate(frames):
        # The pages of a frame's other channels repeat its lines.
        description, *others = (
            file.read_span(pages.description(page)) for page in _pages_of_frame(tif, frame)
        )
        lines = parse_frame_lines(description, tif.path)
        for other in others:
            if other != description:
                _check_same_frame(
                    tif, frame, lines.frame_number, parse_frame_lines(other, tif.path).frame_number
                )
        frame_numbers[position] = lines.frame_number
        acquisition_numbers[position] = lines.acquisition_number
        timestamps_s[position] = lines.timestamp_s
        for line, times_s in enumerate(lines.aux_triggers_s):
            aux_triggers_s[line].extend(times_s)
        if position == 0:
            first_in_acquisition = lines.number_in_acquisition
        if position % 1000 == 0:
            progress.report("reading frame times", position, count)
    return FrameTimes(
        frame_numbers=frame_numbers,
        acquisition_numbers=acquisition_numbers,
        timestamps_s=timestamps_s,
        aux_triggers_s=tuple(np.array(times_s, np.float64) for times_s in aux_triggers_s),
        first_in_acquisition=first_in_acquisition,
    )


def _compute_times(tif: ScanImageTif, frame_numbers: npt.NDArray[np.int64]) -> FrameTimes:
    return FrameTimes(
        frame_numbers=frame_numbers,
        acquisition_numbers=np.ones_like(frame_numbers),
        timestamps_s=(frame_numbers - 1) / tif.header.frame_rate_hz,
        aux_triggers_s=(np.empty(0),) * NUM_AUX_TRIGGERS,
    )


def _tags(file: TifFile, pages: PageTable, tif: ScanImageTif, frames: Sequence[int]) -> npt.NDArray[np.int64]:
    tags = np.empty(len(frames), np.int64)
    for position, frame in enumerate(frames):
        spans = [pages.description(page) for page in _pages_of_frame(tif, frame)]
        # The tag comes first, and the header of all settings behind it on every page.
        first, *others = (
            _tag(file.read_at(span.offset, min(span.num_bytes, _TAG_BYTES)), tif) for span in spans
        )
        for other in others:
            _check_same_frame(tif, frame, first, other)
        tags[position] = first
        if position % 1000 == 0:
            progress.report("reading frame numbers", position, len(frames))
    return tags


def _pages_of_frame(tif: ScanImageTif, frame: int) -> range:
    return range(frame * tif.header.num_channels, (frame + 1) * tif.header.num_channels)


def _check_same_frame(tif: ScanImageTif, frame: int, number: int, other: int) -> None:
    if other != number:
        raise FormatError(
            "A page is missing in the tif, so that later ones would count as other channels",
            path=tif.path,
            found=f"frames {number} and {other} on the pages from {frame * tif.header.num_channels + 1} on",
            allowed=f"{tif.header.num_channels} pages of each frame, one a channel",
            remedy=COPY_OR_TAKE_AWAY,
        )


def _check_rest(tif: ScanImageTif, last_number: int) -> None:
    """Check that pages after the last whole frame begin another one, and that none is there twice."""
    rest = range(tif.num_frames * tif.header.num_channels, tif.num_pages)
    if tif.header.frame_clock == "none" or not rest:
        return
    with TifFile(tif.path) as file:
        description = file.read_span(pages_of(file, tif).description(rest[0]))
    is_of_4 = tif.header.frame_clock == "tags"
    number = _tag(description, tif) if is_of_4 else parse_frame_lines(description, tif.path).frame_number
    if number <= last_number:
        raise _out_of_order(
            tif, f"frame {number} on page {rest[0] + 1}, behind the pages of frame {last_number}"
        )


def _check_order(tif: ScanImageTif, times: FrameTimes) -> None:
    numbers, steps = times.frame_numbers, np.diff(times.frame_numbers)
    is_of_4 = tif.header.frame_clock == "tags"
    # Times of 4.x follow from its tags. Whether these count averaged frames, or those that they were
    # averaged of, is not known.
    must_be_next = is_of_4 and tif.header.frames_averaged > 1
    wrong = np.flatnonzero((steps != 1) if must_be_next else (steps < 1))
    if wrong.size:
        first, second = numbers[wrong[0] : wrong[0] + 2]
        allowed = "numbers that go up by one" if must_be_next else "numbers that go up"
        raise _out_of_order(tif, f"{'Frame Tag' if is_of_4 else 'frame'} {first} and then {second}", allowed)
    back = np.flatnonzero(np.diff(times.timestamps_s) <= 0)
    if back.size:
        first_s, second_s = times.timestamps_s[back[0] : back[0] + 2]
        raise _out_of_order(
            tif, f"frame {numbers[back[0]]} at {first_s:.6f} s and the next at {second_s:.6f} s"
        )


def _out_of_order(
    tif: ScanImageTif, found: str, allowed: str = "numbers and times that go up"
) -> FormatError:
    return FormatError(
        "The tif's frames do not follow one another",
        path=tif.path,
        found=found,
        allowed=allowed,
        remedy="copy the file again from the microscope's computer.",
    )


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
