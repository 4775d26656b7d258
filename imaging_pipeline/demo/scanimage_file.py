"""Writes ScanImage files: BigTIFF of format version 4, as ScanImage 2022 does.

For the demo and for tests. A file is laid out as real ones are: the block with header and ROI groups
first, then for each page its directory, its frame lines and its image.
"""

from __future__ import annotations

import itertools
import struct
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import numpy as np
import numpy.typing as npt

from imaging_pipeline.demo.scanimage_settings import ScanImageSettings, header_text, roi_text
from imaging_pipeline.errors import InputError

__all__ = ["ScanImageSettings", "ScanImageWriter", "write_acquisition", "write_stack"]

# The block of ScanImage behind BigTIFF's 16 bytes: magic number, version and two lengths, uint32 each.
_BLOCK_MAGIC = 117637889
_FORMAT_VERSION = 4
_START_BYTES = 32
# Types of the values of tags, as TIFF 6.0 and BigTIFF (LONG8) number them.
_ASCII, _SHORT, _LONG, _RATIONAL, _LONG8 = 2, 3, 4, 5, 16
# A rational number lies in the tag itself: numerator and denominator, four bytes each.
_ONE_TO_ONE = 1 | 1 << 32
# Values of the tag SampleFormat: 1 unsigned, 2 signed.
_SAMPLE_FORMATS = {"int16": 2, "uint16": 1}
# ScanImage pads the frame lines of all pages to one length: room for them, and for each trigger time.
_FRAME_LINES_BYTES = 1000
_TRIGGER_BYTES = 24

Image = npt.NDArray[Any]


class ScanImageWriter:
    """A ScanImage file that is written page by page.

    Parameters
    ----------
    path
        The file; one that is there is replaced.
    settings
        What the recording is set to, and where its first frame stands.
    header, rois
        Texts to write instead of those that the settings make.
    format_version
        4, or 3 as until about 2018.
    """

    def __init__(
        self,
        path: Path,
        settings: ScanImageSettings,
        *,
        header: str | None = None,
        rois: str | None = None,
        format_version: int = _FORMAT_VERSION,
    ) -> None:
        self._path = path
        self._settings = settings
        self._header = header
        self._rois = rois
        self._format_version = format_version
        self._triggers = _triggers_by_frame(settings)
        most_triggers = max((sum(map(len, lines)) for lines in self._triggers.values()), default=0)
        self._description_bytes = _FRAME_LINES_BYTES + _TRIGGER_BYTES * most_triggers
        self._shape: tuple[int, int] | None = None
        self._dtype = "int16"
        self._last_pointer = 0
        self.num_pages = 0

    def __enter__(self) -> Self:
        self._file: BinaryIO = self._path.open("wb")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Each page was written as if another one followed: the last one must point to none.
        with self._file:
            if self.num_pages:
                self._file.seek(self._last_pointer)
                self._file.write(struct.pack("<Q", 0))
        if not self.num_pages and error is None:
            raise InputError(
                "A ScanImage file without pages cannot be written",
                path=self._path,
                remedy="Write at least one page.",
            )

    def write_page(self, image: Image) -> None:
        """Append an int16 (or uint16) image: channel fastest, then as volumes are scanned.

        Raises
        ------
        InputError
            The image is of another type or size than the first.
        """
        if self._shape is None:
            self._write_block(image)
        if (image.shape, image.dtype.name) != (self._shape, self._dtype):
            raise InputError(
                "A page differs from the file's first",
                path=self._path,
                found=f"{image.shape} {image.dtype}",
                allowed=f"{self._shape} {self._dtype}",
                remedy="Write images of one size and type.",
            )
        frame = self.num_pages // len(self._settings.channels)
        description = self._frame_lines(frame).encode().ljust(self._description_bytes - 1) + b"\0"
        directory = self._directory(self._file.tell(), image.nbytes)
        self._file.write(directory + description)
        self._file.write(image.astype(image.dtype.newbyteorder("<"), copy=False).tobytes())
        self.num_pages += 1

    def _write_block(self, image: Image) -> None:
        if image.ndim != 2 or image.dtype.name not in _SAMPLE_FORMATS:
            raise InputError(
                "This is no page of a ScanImage file",
                path=self._path,
                found=f"{image.shape} {image.dtype}",
                allowed=f"two dimensions, {' or '.join(_SAMPLE_FORMATS)}",
                remedy="Write images of two dimensions and one of these types.",
            )
        height, width = image.shape
        self._shape, self._dtype = (height, width), image.dtype.name
        header = (self._header or header_text(self._settings, height, width)).encode() + b"\0"
        rois = (self._rois or roi_text(height, width)).encode() + b"\0"
        # Lengths and offsets, as the tags Software and Artist of every page name them.
        self._header_place = (len(header), _START_BYTES)
        self._rois_place = (len(rois), _START_BYTES + len(header))
        first_directory = _START_BYTES + len(header) + len(rois)
        self._file.write(struct.pack("<2sHHHQ", b"II", 43, 8, 0, first_directory))
        self._file.write(struct.pack("<IIII", _BLOCK_MAGIC, self._format_version, len(header), len(rois)))
        self._file.write(header + rois)

    def _directory(self, offset: int, image_bytes: int) -> bytes:
        assert self._shape is not None
        height, width = self._shape
        num_tags = 19
        # BigTIFF: the number of tags, 20 bytes for each of them, and where the next directory lies.
        directory_bytes = 8 + 20 * num_tags + 8
        description_offset = offset + directory_bytes
        image_offset = description_offset + self._description_bytes
        self._last_pointer = offset + directory_bytes - 8
        # In ascending order, as TIFF demands; 270 has the frame lines, 305 the header, 315 the ROI groups.
        tags = (
            (254, _LONG, 1, 0),
            (256, _LONG, 1, width),
            (257, _LONG, 1, height),
            (258, _SHORT, 1, 16),
            (259, _SHORT, 1, 1),
            (262, _SHORT, 1, 1),
            (270, _ASCII, self._description_bytes, description_offset),
            (273, _LONG8, 1, image_offset),
            (274, _SHORT, 1, 1),
            (277, _SHORT, 1, 1),
            (278, _LONG, 1, height),
            (279, _LONG8, 1, image_bytes),
            (282, _RATIONAL, 1, _ONE_TO_ONE),
            (283, _RATIONAL, 1, _ONE_TO_ONE),
            (284, _SHORT, 1, 1),
            (296, _SHORT, 1, 1),
            (305, _ASCII, *self._header_place),
            (315, _ASCII, *self._rois_place),
            (339, _SHORT, 1, _SAMPLE_FORMATS[self._dtype]),
        )
        packed = b"".join(struct.pack("<HHQQ", *tag) for tag in tags)
        next_directory = image_offset + image_bytes
        return struct.pack("<Q", num_tags) + packed + struct.pack("<Q", next_directory)

    def _frame_lines(self, frame: int) -> str:
        settings, start = self._settings, self._settings.start
        seconds = start.second + start.microsecond / 1e6
        timestamp_s = settings.first_timestamp_s + frame / settings.frame_rate_hz
        triggers = self._triggers.get(frame, ((),) * 4)
        lines = [
            f"frameNumbers = {settings.first_frame_number + frame}",
            f"acquisitionNumbers = {settings.acquisition}",
            f"frameNumberAcquisition = {settings.first_number_in_acquisition + frame}",
            f"frameTimestamps_sec = {timestamp_s:.9f}",
            "acqTriggerTimestamps_sec = -0.000031310",
            "nextFileMarkerTimestamps_sec = -1.000000000",
            "endOfAcquisition = 0",
            "endOfAcquisitionMode = 0",
            "dcOverVoltage = 0",
            f"epoch = [{start.year:4d} {start.month:2d} {start.day:2d} {start.hour:2d} {start.minute:2d} "
            f"{seconds:.3f}]",
            *(f"auxTrigger{line} = {_times(times)}" for line, times in enumerate(triggers)),
            "I2CData = {}",
        ]
        return "\n".join(lines) + "\n"


def write_stack(path: Path, pages: Iterable[Image], settings: ScanImageSettings) -> None:
    """Write one file of int16 pages (height, width), in the order in which they are scanned."""
    with ScanImageWriter(path, settings) as writer:
        for page in pages:
            writer.write_page(page)


def write_acquisition(
    folder: Path,
    name: str,
    number: int,
    pages: Iterable[Image],
    settings: ScanImageSettings,
    frames_per_file: int,
) -> tuple[Path, ...]:
    """Write one acquisition as files of at most so many frames, ``NAME_00001_00001.tif`` and on.

    Frame numbers and timestamps go on from file to file.
    """
    paths: list[Path] = []
    for file_number, file_pages in enumerate(_split(pages, frames_per_file * len(settings.channels)), 1):
        path = folder / f"{name}_{number:05d}_{file_number:05d}.tif"
        write_stack(path, file_pages, settings.after((file_number - 1) * frames_per_file))
        paths.append(path)
    return tuple(paths)


def _split(pages: Iterable[Image], pages_per_file: int) -> Iterator[Iterator[Image]]:
    remaining = iter(pages)
    for first in remaining:
        yield itertools.chain([first], itertools.islice(remaining, pages_per_file - 1))


def _triggers_by_frame(settings: ScanImageSettings) -> dict[int, list[list[float]]]:
    """Sort the triggers of each line to the frames during which they came."""
    by_frame: defaultdict[int, list[list[float]]] = defaultdict(lambda: [[] for _ in settings.aux_triggers_s])
    for line, times_s in enumerate(settings.aux_triggers_s):
        frames = np.floor((np.asarray(times_s) - settings.first_timestamp_s) * settings.frame_rate_hz)
        for frame, time_s in zip(frames.astype(int), times_s, strict=True):
            by_frame[int(frame)][line].append(time_s)
    return dict(by_frame)


def _times(times_s: Iterable[float]) -> str:
    return "[" + "".join(f"{time_s:.9f} " for time_s in times_s) + "]"
