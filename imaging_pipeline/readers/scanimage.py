"""ScanImage TIFF: the header, the frames' times, and single pages.

Versions 4.0 to 2023. Pages go channel fastest, then the frames of a slice, then slices, then flyback
frames, then the next volume.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from imaging_pipeline import progress
from imaging_pipeline.errors import FormatError, InputError
from imaging_pipeline.readers.scanimage_block import read_texts
from imaging_pipeline.readers.scanimage_header import ScanImageHeader, parse_header
from imaging_pipeline.readers.scanimage_text import NUM_AUX_TRIGGERS, parse_frame_lines
from imaging_pipeline.readers.tiff_file import TifFile
from imaging_pipeline.readers.tiff_pages import PageTable, check_end, find_pages, read_image

__all__ = [
    "FrameTimes",
    "ScanImageHeader",
    "ScanImageTif",
    "copy_pages",
    "iter_pages",
    "mean_image",
    "read_frame_times",
    "read_header",
    "read_tif",
]

_COPY_BYTES = 8 << 20


@dataclass(frozen=True)
class ScanImageTif:
    """One tif as it lies on the disk.

    Attributes
    ----------
    dtype
        Type of a pixel as numpy names it, ``int16``.
    num_pages
        Pages in the file, of all channels.
    """

    path: Path
    size_bytes: int
    is_bigtiff: bool
    height: int
    width: int
    dtype: str
    num_pages: int
    header: ScanImageHeader

    @property
    def num_frames(self) -> int:
        """Pages of one channel."""
        return self.num_pages // self.header.num_channels

    @property
    def layout(self) -> str:
        """What all files of a recording have in common, in words."""
        channels, planes = self.header.num_channels, self.header.num_planes
        return f"{self.width} × {self.height} px, {self.dtype}, channels: {channels}, planes: {planes}"


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
    with TifFile(path) as file:
        header = _header(file)
        pages = find_pages(file)
        check_end(file, pages)
        return ScanImageTif(
            path=path,
            size_bytes=file.size_bytes,
            is_bigtiff=file.is_bigtiff,
            height=pages.first.height,
            width=pages.first.width,
            dtype=pages.first.dtype,
            num_pages=pages.num_pages,
            header=header,
        )


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
        pages = _pages(file, tif)
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


def mean_image(tif: ScanImageTif, max_frames: int = 50, channel: int = 0) -> npt.NDArray[np.float32]:
    """Average frames spread evenly over a tif, of the first plane where there are several.

    Parameters
    ----------
    tif
        The file.
    max_frames
        Frames to read at most.
    channel
        Which of the saved channels, from 0.

    Returns
    -------
    numpy.ndarray
        float32 (height, width), in the units of the pixels.

    Raises
    ------
    InputError
        There is no such channel.
    FormatError
        The file holds no whole frame of the first plane, or has changed.
    """
    header = tif.header
    if not 0 <= channel < header.num_channels:
        raise InputError(
            "The tif has no such channel",
            path=tif.path,
            found=channel,
            allowed=f"0 to {header.num_channels - 1}",
        )
    with TifFile(tif.path) as file:
        pages = _pages(file, tif)
        frames = np.arange(tif.num_frames)
        if header.is_volumetric:
            in_volume = (frames + _frames_before(file, pages)) % header.frames_per_volume
            frames = frames[in_volume < header.frames_per_slice]
        if len(frames) == 0:
            raise FormatError("The tif holds no frame of the first plane", path=tif.path, found=tif.num_pages)
        chosen = np.unique(np.linspace(0, len(frames) - 1, min(max_frames, len(frames))).astype(np.int64))
        total = np.zeros((tif.height, tif.width), np.float64)
        for frame in frames[chosen]:
            total += read_image(file, pages, int(frame) * header.num_channels + channel)
    return (total / len(chosen)).astype(np.float32)


def iter_pages(tif: ScanImageTif, pages: range) -> Iterator[npt.NDArray[Any]]:
    """Give the images of some pages, each (height, width) and of the tif's own type.

    Raises
    ------
    InputError
        The range leaves the file.
    """
    if pages and (min(pages) < 0 or max(pages) >= tif.num_pages):
        raise InputError(
            "The tif has no such pages", path=tif.path, found=pages, allowed=range(tif.num_pages)
        )
    with TifFile(tif.path) as file:
        table = _pages(file, tif)
        for index in pages:
            yield read_image(file, table, index)


def copy_pages(tif: ScanImageTif, num_pages: int, target: Path) -> None:
    """Write a copy that holds only the first pages, with their header and frame lines.

    The copy is the file up to the last byte that those pages need; the last directory's pointer is
    set to none.

    Raises
    ------
    InputError
        There are not so many pages.
    FileExistsError
        The target is there already.
    """
    if not 1 <= num_pages <= tif.num_pages:
        raise InputError(
            "The tif has not so many pages", path=tif.path, found=num_pages, allowed=f"1 to {tif.num_pages}"
        )
    with TifFile(tif.path) as file, target.open("xb") as copy:
        pages = _pages(file, tif)
        num_bytes = int(pages.ends[:num_pages].max())
        for offset in range(0, num_bytes, _COPY_BYTES):
            copy.write(file.read_at(offset, min(_COPY_BYTES, num_bytes - offset)))
            progress.report("copying the tif's whole volumes", offset, num_bytes)
        copy.seek(int(pages.directory_ends[num_pages - 1]) - file.pointer.size)
        copy.write(file.pointer.pack(0))


def _header(file: TifFile) -> ScanImageHeader:
    texts = read_texts(file)
    return parse_header(texts.header, texts.rois, texts.first_description, file.path)


def _pages(file: TifFile, tif: ScanImageTif) -> PageTable:
    pages = find_pages(file)
    if pages.num_pages != tif.num_pages:
        raise FormatError(
            "The tif has changed while it was read",
            path=tif.path,
            found=f"{pages.num_pages} pages",
            allowed=f"{tif.num_pages} pages",
        )
    return pages


def _frames_before(file: TifFile, pages: PageTable) -> int:
    """Count the frames of the acquisition in the files before: a file may begin amid a volume."""
    lines = parse_frame_lines(file.read_span(pages.description(0)), file.path)
    return (lines.number_in_acquisition or 1) - 1
