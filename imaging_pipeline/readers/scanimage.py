"""ScanImage TIFF: the header and the frames' times. Versions 4.0 to 2023."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from imaging_pipeline import progress
from imaging_pipeline.readers.recorded_tif import RecordedTif, pages_of, read_recorded_tif
from imaging_pipeline.readers.scanimage_block import read_texts
from imaging_pipeline.readers.scanimage_header import ScanImageHeader, parse_header
from imaging_pipeline.readers.scanimage_text import NUM_AUX_TRIGGERS, parse_frame_lines
from imaging_pipeline.readers.tiff_file import TifFile

__all__ = [
    "FrameTimes",
    "ScanImageHeader",
    "ScanImageTif",
    "frames_before",
    "read_frame_times",
    "read_header",
    "read_tif",
]

# One tif with the header that ScanImage wrote into it.
ScanImageTif = RecordedTif[ScanImageHeader]


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


def read_header(path: Path) -> ScanImageHeader:
    """Read the settings of an acquisition from the start of one of its files.

    Raises
    ------
    NothingFoundError
        The file is not there.
    TruncatedError
        The file ends before its header or its first page does.
    FormatError
        The file is no TIFF, has no ScanImage header, or the header makes no sense.
    """
    with TifFile(path) as file:
        return _header(file)


def read_tif(path: Path) -> ScanImageTif:
    """Read the settings and count the pages that are really there.

    Raises
    ------
    NothingFoundError
        The file is not there.
    TruncatedError
        The last page is not whole; it tells the bytes expected and found.
    FormatError
        As for `read_header`; also where the pages differ in size or type.
    """
    return read_recorded_tif(path, _header)


def read_frame_times(tif: ScanImageTif) -> FrameTimes:
    """Read the frame lines of each frame's first channel.

    Raises
    ------
    FormatError
        The version writes no timestamps (4.x), a page's lines are not numbers, or the file has changed.
    """
    count = tif.num_frames
    frame_numbers = np.empty(count, np.int64)
    acquisition_numbers = np.empty(count, np.int64)
    timestamps_s = np.empty(count, np.float64)
    aux_triggers_s: list[list[float]] = [[] for _ in range(NUM_AUX_TRIGGERS)]
    with TifFile(tif.path) as file:
        pages = pages_of(file, tif)
        for frame in range(count):
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


def frames_before(tif: ScanImageTif) -> int:
    """Count the frames of a tif's acquisition in the files before: a file may begin amid a volume."""
    if not tif.header.is_volumetric:
        return 0
    with TifFile(tif.path) as file:
        lines = parse_frame_lines(file.read_span(pages_of(file, tif).description(0)), file.path)
    return (lines.number_in_acquisition or 1) - 1


def _header(file: TifFile) -> ScanImageHeader:
    texts = read_texts(file)
    return parse_header(texts.header, texts.rois, texts.first_description, file.path)
