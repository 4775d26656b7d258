"""A tif of a recording, whatever program wrote it: its pages, and how they were taken.

Pages go channel fastest, then the frames of a slice, then slices, then flyback frames, then the next
volume.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from imaging_pipeline.errors import DamagedError, FormatError, InputError
from imaging_pipeline.readers.tiff.file import TifFile
from imaging_pipeline.readers.tiff.pages import PageTable, find_pages, first_pages, read_image
from imaging_pipeline.readers.tiff.stated_order import check_stated_order
from imaging_pipeline.readers.tiff.whole import find_whole_pages


class Header(Protocol):
    """How the pages of a recording follow each other, and when they were taken.

    Attributes
    ----------
    start
        Local wall time at which the recording was started.
    frame_rate_hz, volume_rate_hz
        Single frames a second, and volumes; the same where there is one plane.
    num_channels, num_planes
        Channels that were saved, and slices of a volume.
    frames_per_slice
        Frames taken of a slice before the next one.
    num_flyback_frames
        Frames at the end of each volume that are of no plane, but are in the file.
    frames_per_volume, pages_per_volume
        From one volume's start to the next one's, flyback frames included.
    """

    @property
    def start(self) -> datetime: ...  # noqa: D102
    @property
    def frame_rate_hz(self) -> float: ...  # noqa: D102
    @property
    def volume_rate_hz(self) -> float: ...  # noqa: D102
    @property
    def num_channels(self) -> int: ...  # noqa: D102
    @property
    def num_planes(self) -> int: ...  # noqa: D102
    @property
    def frames_per_slice(self) -> int: ...  # noqa: D102
    @property
    def num_flyback_frames(self) -> int: ...  # noqa: D102
    @property
    def frames_per_volume(self) -> int: ...  # noqa: D102
    @property
    def pages_per_volume(self) -> int: ...  # noqa: D102


HeaderT = TypeVar("HeaderT", bound=Header, covariant=True)


@dataclass(frozen=True)
class RecordedTif(Generic[HeaderT]):
    """One tif as it lies on the disk.

    Attributes
    ----------
    dtype
        Type of a pixel as numpy names it, ``int16``.
    num_pages
        Pages that are read of the file, of all channels: of a damaged one those that are taken, else all.
    header
        How the pages were taken, from the file itself or from beside it.
    is_cut
        Whether the file is damaged, and only its first pages are read.
    """

    path: Path
    size_bytes: int
    is_bigtiff: bool
    height: int
    width: int
    dtype: str
    num_pages: int
    header: HeaderT
    is_cut: bool = False

    @property
    def num_frames(self) -> int:
        """Pages of one channel."""
        # A frame that was cut off before its last channel does not count.
        return self.num_pages // self.header.num_channels

    @property
    def layout(self) -> str:
        """What all files of a recording have in common, in words."""
        channels, planes = self.header.num_channels, self.header.num_planes
        return f"{self.width} × {self.height} px, {self.dtype}, channels: {channels}, planes: {planes}"


def read_recorded_tif(
    path: Path, header: Callable[[TifFile], HeaderT], pages_taken: int | None = None
) -> RecordedTif[HeaderT]:
    """Count the pages that are really there, and find out how they were taken.

    Parameters
    ----------
    path
        The file.
    header
        Returns for the open file how its pages were taken.
    pages_taken
        How many pages are taken of a damaged file, as `whole.count_whole_pages` counted them; of these, a
        frame without its last channels is left out. None for a file of which all must be there.

    Raises
    ------
    NothingFoundError
        The file is not there.
    TruncatedError
        The last page is not whole; the error has the bytes expected and found.
    FormatError
        The file is no TIFF, its pages differ in size or type or state another order, or ``header`` raises it.
    """
    with TifFile(path) as file:
        # Before the pages: a tif of another program is refused without a look at all of them.
        recorded = header(file)
        pages = find_whole_pages(file, pages_taken)
        is_cut = pages_taken is not None
        check_stated_order(file, recorded, None if is_cut else pages.num_pages)
        left_over = pages.num_pages % recorded.num_channels if is_cut else 0
        if left_over == pages.num_pages:
            raise DamagedError(
                "The tif is damaged, and not even its first frame has all channels",
                path=path,
                found=f"{pages.num_pages} pages",
                allowed=f"{recorded.num_channels} or more",
                remedy="move it out of the folder, then register the folder again.",
            )
        return RecordedTif(
            path=path,
            size_bytes=file.size_bytes,
            is_bigtiff=file.is_bigtiff,
            height=pages.first.height,
            width=pages.first.width,
            dtype=pages.first.dtype,
            num_pages=pages.num_pages - left_over,
            header=recorded,
            is_cut=is_cut,
        )


def read_plain_tif(path: Path, header: Header, pages_taken: int | None = None) -> RecordedTif[Header]:
    """Count the pages of a tif whose header comes from another file.

    Raises
    ------
    NothingFoundError, TruncatedError, FormatError
        As for `read_recorded_tif`.
    """
    return read_recorded_tif(path, lambda _file: header, pages_taken)


def pages_of(file: TifFile, tif: RecordedTif[Header]) -> PageTable:
    """Find the pages of an open file again.

    Raises
    ------
    FormatError
        There are more or fewer than there were.
    """
    pages = first_pages(file, tif.num_pages) if tif.is_cut else find_pages(file)
    if pages.num_pages != tif.num_pages:
        raise FormatError(
            "The tif has changed while it was read",
            path=tif.path,
            found=f"{pages.num_pages} pages",
            allowed=f"{tif.num_pages} pages",
            remedy="Let the copying end, and register the folder again.",
        )
    return pages


def mean_image(
    tif: RecordedTif[Header], max_frames: int = 50, channel: int = 0, frames_before: int = 0
) -> npt.NDArray[np.float32]:
    """Average frames spread evenly over a tif, of the first plane where there are several.

    Parameters
    ----------
    tif
        The file.
    max_frames
        Frames to read at most.
    channel
        Which of the saved channels, from 0.
    frames_before
        Frames of its acquisition in the files before: a file may begin amid a volume.

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
            remedy="Give one of the saved channels.",
        )
    frames = np.arange(tif.num_frames)
    frames = frames[(frames + frames_before) % header.frames_per_volume < header.frames_per_slice]
    if len(frames) == 0:
        raise FormatError(
            "The tif holds no frame of the first plane",
            path=tif.path,
            found=tif.num_pages,
            remedy="Copy the file again, or move it out of the folder if it is as short at the microscope.",
        )
    chosen = np.unique(np.linspace(0, len(frames) - 1, min(max_frames, len(frames))).astype(np.int64))
    total = np.zeros((tif.height, tif.width), np.float64)
    with TifFile(tif.path) as file:
        pages = pages_of(file, tif)
        for frame in frames[chosen]:
            total += read_image(file, pages, int(frame) * header.num_channels + channel)
    return (total / len(chosen)).astype(np.float32)


def iter_pages(tif: RecordedTif[Header], pages: range) -> Iterator[npt.NDArray[Any]]:
    """Yield the images of some pages, each (height, width) and of the tif's own type.

    Raises
    ------
    InputError
        The range leaves the file.
    """
    if pages and (min(pages) < 0 or max(pages) >= tif.num_pages):
        raise InputError(
            "The tif has no such pages",
            path=tif.path,
            found=pages,
            allowed=range(tif.num_pages),
            remedy="Give pages that the tif has.",
        )
    with TifFile(tif.path) as file:
        table = pages_of(file, tif)
        for index in pages:
            yield read_image(file, table, index)
