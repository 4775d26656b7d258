"""ScanImage files for tests: whole, of other versions, and damaged."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from imaging_pipeline.demo.scanimage_file import ScanImageSettings, ScanImageWriter
from imaging_pipeline.demo.scanimage_settings import header_text

SAMPLE = Path(__file__).parents[3] / "shared/samples/scanimage/si2021_headers_and_frame_descriptions.json.gz"
HEIGHT, WIDTH = 12, 16
SETTINGS = ScanImageSettings(frame_rate_hz=30.0)

FRAME_LINES_51 = """frameNumbers = {number}
acquisitionNumbers = 1
frameNumberAcquisition = {number}
frameTimestamps_sec = {time:.9f}
epoch = [2015  6  3 17  2 50.833]
auxTrigger0 = []
"""
HEADER_51 = """scanimage.SI.VERSION_MAJOR = '5'
scanimage.SI.VERSION_MINOR = '1'
scanimage.SI.hChannels.channelSave = 1
scanimage.SI.hFastZ.enable = false
scanimage.SI.hResScan.bidirectional = true
scanimage.SI.hRoiManager.scanFrameRate = 29.9
scanimage.SI.hStackManager.numSlices = 5
scanimage.SI.imagingSystem = 'Resonant'
"""
FRAME_LINES_50 = """Frame Number = {number:16d}
Frame Timestamp(s) = {time:25.9f}
Acq Trigger Timestamp(s) =              -0.000083300
"""
HEADER_50 = """scanimage.SI5.VERSION_MAJOR = 5
scanimage.SI5.VERSION_MINOR = 0
scanimage.SI5.acqModeStartTime = [2015 6 3 17 2 50.833]
scanimage.SI5.beamPowers = 63
scanimage.SI5.bidirectionalAcq = true
scanimage.SI5.channelsSave = [1;2]
scanimage.SI5.fastZEnable = false
scanimage.SI5.linesPerFrame = 512
scanimage.SI5.pixelsPerLine = 512
scanimage.SI5.scanFramePeriod = 0.04
scanimage.SI5.stackNumSlices = 1
scanimage.SI5.zoomFactor = 3
"""
FRAME_LINES_4 = "Frame Tag = {number:08}\n"
HEADER_4 = """scanimage.SI4.channelsSave = [1;2]
scanimage.SI4.fastZDiscardFlybackFrames = true
scanimage.SI4.fastZEnable = 1
scanimage.SI4.fastZNumDiscardFrames = 1
scanimage.SI4.fastZPeriod = 0.25
scanimage.SI4.scanFrameRate = 20
scanimage.SI4.scanMode = 'bidirectional'
scanimage.SI4.scanZoomFactor = 1.5
scanimage.SI4.stackNumSlices = 4
scanimage.SI4.triggerClockTimeFirst = '17-07-2013 17:16:09.149'
scanimage.SI4.versionMajor = 4.2
"""
# As in files of ScanImage 3.8.
HEADER_3 = """state.configName='Behavior_2channel'
state.software.version=3.8
state.acq.numberOfZSlices=1
state.acq.numAvgFramesSave=1
state.acq.numberOfFrames=1220
state.acq.linesPerFrame=256
state.acq.pixelsPerLine=256
state.acq.frameRate=3.90625
state.acq.zoomFactor=2
state.acq.bidirectionalScan=1
state.acq.savingChannel1=1
state.acq.savingChannel2=0
state.acq.savingChannel3=1
state.internal.triggerTimeString='10/9/2017 16:57:17.967'
state.internal.triggerTimeFirstString='10/9/2017 16:57:07.967'
""".replace("\n", "\r")


def numbered_pages(count: int, height: int = HEIGHT, width: int = WIDTH) -> Iterator[np.ndarray]:
    """Return int16 pages of which each holds its own number in every pixel."""
    for number in range(count):
        yield np.full((height, width), number, np.int16)


def write_tif(
    path: Path,
    num_pages: int = 6,
    settings: ScanImageSettings = SETTINGS,
    *,
    pages: Iterable[np.ndarray] | None = None,
    header: str | None = None,
    rois: str | None = None,
    format_version: int = 4,
) -> Path:
    """Write a small file of numbered pages, or of those that are given."""
    with ScanImageWriter(path, settings, header=header, rois=rois, format_version=format_version) as writer:
        for page in numbered_pages(num_pages) if pages is None else pages:
            writer.write_page(page)
    return path


class OrderedWriter(ScanImageWriter):
    """Numbers and times its frames as those of a recording, from 0, that are given in their order."""

    def __init__(
        self, path: Path, settings: ScanImageSettings, order: Sequence[int], header: str | None = None
    ) -> None:
        super().__init__(path, settings, header=header)
        self._order = order

    def _frame_lines(self, frame: int) -> str:
        return super()._frame_lines(self._order[frame])


class DescribedWriter(ScanImageWriter):
    """Writes frame lines that are given."""

    def __init__(self, path: Path, settings: ScanImageSettings, lines: Sequence[str]) -> None:
        super().__init__(path, settings)
        self._lines = lines

    def _frame_lines(self, frame: int) -> str:
        return self._lines[frame]


def scanned(frame: int, lost: Iterable[int]) -> int:
    """Return which frame of all that were scanned is written as the ``frame``-th, both from 0."""
    for each in sorted(lost):
        frame += each <= frame
    return frame


def write_tif_with_losses(
    path: Path,
    num_frames: int,
    lost: Iterable[int],
    settings: ScanImageSettings = SETTINGS,
    shape: tuple[int, int] = (HEIGHT, WIDTH),
) -> Path:
    """Write ``num_frames`` frames, but for those that were lost; each pixel holds the number of its frame.

    ``lost`` counts frames from 0.
    """
    left = sorted(set(range(num_frames)) - set(lost))
    with OrderedWriter(path, settings, left) as writer:
        for frame in left:
            for _channel in settings.channels:
                writer.write_page(np.full(shape, frame, np.int16))
    return path


def header_with(
    settings: ScanImageSettings = SETTINGS, height: int = HEIGHT, width: int = WIDTH, **changes: str | None
) -> str:
    """Return a header with some values changed, or left out where they are None; ``__`` stands for a dot."""
    lines = dict(line.split(" = ", 1) for line in header_text(settings, height, width).splitlines())
    lines |= {"SI." + key.replace("__", "."): value for key, value in changes.items()}
    return "".join(f"{key} = {value}\n" for key, value in lines.items() if value is not None)


def write_uneven_tif(path: Path, num_pages: int = 6) -> Path:
    """Write a file without the block, whose pages follow each other at changing distances."""
    with tifffile.TiffWriter(path, bigtiff=True) as tif:
        for number, page in enumerate(numbered_pages(num_pages), 1):
            lines = FRAME_LINES_51.format(number=number, time=number / 30) + " " * (number**2 * 7)
            tif.write(page, description=lines, software=header_with(), metadata=None, contiguous=False)
    return path


def write_classic_tif(
    path: Path,
    frame_lines: str,
    header: str,
    num_pages: int = 6,
    first_number: int = 1,
    lost: Iterable[int] = (),
    *,
    pages: Iterable[np.ndarray] | None = None,
) -> Path:
    """Write a classic TIFF with the header in every page's ImageDescription, as until 5.1.

    The channels of a frame share its number. ``lost`` are frames that were not written, from 0. Directories
    lie before the images.
    """
    num_channels = 2 if "[1;2]" in header else 1
    with tifffile.TiffWriter(path) as tif:
        for index, page in enumerate(numbered_pages(num_pages) if pages is None else pages):
            number = scanned(index // num_channels, lost) + first_number
            description = frame_lines.format(number=number, time=number / 30) + header
            tif.write(page, description=description, software=False, metadata=None, contiguous=False)
    return path


def write_tif_without_header(path: Path, num_pages: int = 6) -> Path:
    """Write a stack as another program saves it."""
    tifffile.imwrite(path, np.stack(list(numbered_pages(num_pages))))
    return path


def truncate(path: Path, missing_bytes: int) -> Path:
    """Cut the end of a file off."""
    with path.open("rb+") as file:
        file.truncate(path.stat().st_size - missing_bytes)
    return path


def blank_end(path: Path, num_bytes: int) -> Path:
    """Zero the end of a file, as it is while Windows copies it into a place that it has reserved."""
    with path.open("rb+") as file:
        file.seek(-num_bytes, 2)
        file.write(bytes(num_bytes))
    return path


@cache
def _samples() -> dict[str, Any]:
    return json.loads(gzip.decompress(SAMPLE.read_bytes()))


def real_sample(group: str) -> dict[str, Any]:
    """Return a group of real headers and frame lines of ScanImage 2021, or skip the test without them."""
    if not SAMPLE.is_file():
        pytest.skip(f"the sample file {SAMPLE.name} is not here")
    return _samples()[group]


def real_header(group: str) -> str:
    """Return a real header as the lines in which it was written."""
    return "".join(f"SI.{key} = {value}\n" for key, value in _leaves(real_sample(group)["header"]))


def real_frame_lines(group: str) -> list[str]:
    """Return the real frame lines of each page."""
    return [
        "".join(f"{key} = {value}\n" for key, value in page.items())
        for page in real_sample(group)["descriptions"]
    ]


def _leaves(section: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in section.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def write_z_stack(path: Path, num_slices: int = 5, start: datetime = SETTINGS.start) -> Path:
    """Write a stack for which the objective was moved from slice to slice."""
    settings = replace(SETTINGS, num_planes=num_slices, start=start)
    header = header_with(settings, hStackManager__stackMode="'slow'", hFastZ__enable="false")
    return write_tif(path, num_slices, settings, header=header)
