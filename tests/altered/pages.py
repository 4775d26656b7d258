"""Tifs of pages that tell themselves which frame they are, in each generation's layout."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np
import tifffile

from imaging_pipeline.demo.scanimage_file import ScanImageWriter
from imaging_pipeline.demo.scanimage_settings import ScanImageSettings, header_text
from tests.makers import scanimage

# Height and width: as those of the maker of `.mesc` files, whose exports are such tifs.
SHAPE = (8, 12)
_DISTANCE = 3
# Both bytes of every value differ from 0, so that a run of zeros is no page.
FIRST_IDENTITY = 0x0101


@dataclass(frozen=True)
class Frame:
    """What the microscope recorded: one channel of one frame.

    Attributes
    ----------
    identity
        The value of its pixels, which no other page has.
    session, acquisition
        Under which name it was recorded, and how often recording had been started by then.
    number
        Of the frame in its acquisition, from 1.
    channel
        From 0, among those that were saved.
    start
        When the acquisition was started, by the clock of the microscope.
    time_s
        Seconds since that start.
    settings
        Of the acquisition.
    """

    identity: int
    session: str
    acquisition: int
    number: int
    channel: int
    start: datetime
    time_s: float
    settings: ScanImageSettings


@dataclass(frozen=True)
class Generation:
    """How a program writes its tifs.

    Attributes
    ----------
    name
        Of the version.
    has_volumes
        Whether it scans volumes.
    has_numbers, has_times
        Whether each page tells the number of its frame, and when it was taken.
    """

    name: str
    has_volumes: bool
    has_numbers: bool
    has_times: bool
    header: Callable[[ScanImageSettings], str]
    lines: Callable[[ScanImageSettings, Frame], str]


@dataclass(frozen=True)
class Tif:
    """A tif before it is written.

    Attributes
    ----------
    settings
        Of its acquisition; None of a tif without a header.
    frames
        Its pages in their order.
    shape
        Height and width of a page, in pixels.
    """

    generation: Generation | None
    settings: ScanImageSettings | None
    frames: tuple[Frame, ...]
    shape: tuple[int, int] = SHAPE

    @property
    def images(self) -> Iterator[np.ndarray]:
        """The image of each page."""
        return (image_of(frame.identity, self.shape) for frame in self.frames)

    def with_frames(self, frames: Sequence[Frame]) -> Tif:
        return replace(self, frames=tuple(frames))


def identity_of(number: int) -> int:
    """Return the value of the pixels of a page, by its number in everything that is written."""
    value = FIRST_IDENTITY + _DISTANCE * number
    # A value whose low byte is 0 could be taken for zeros beside another one.
    return value if value & 0xFF else value + 1


def image_of(identity: int, shape: tuple[int, int] = SHAPE) -> np.ndarray:
    """Return a page's image; its last pixel differs, as a page of one value would be a blank one."""
    image = np.full(shape, identity, np.int16)
    image[-1, -1] = -identity
    return image


def identity_in(image: np.ndarray) -> int | None:
    """Return the identity that an image tells; None where its pixels were changed."""
    identity = int(image[0, 0])
    return identity if np.array_equal(image, image_of(identity, image.shape)) else None


def write_tif(path: Path, tif: Tif) -> None:
    """Write a tif as its program lays it out; without pages, an empty file."""
    if not tif.frames:
        path.write_bytes(b"")
    elif tif.generation is None or tif.settings is None:
        tifffile.imwrite(path, np.stack([*tif.images]), photometric="minisblack")
    elif tif.generation.name == "2022":
        _write_big(path, tif, tif.generation, tif.settings)
    else:
        _write_classic(path, tif, tif.generation, tif.settings)


class _LinesWriter(ScanImageWriter):
    """A file whose pages have lines that are given."""

    def __init__(self, path: Path, settings: ScanImageSettings, header: str, lines: Sequence[str]) -> None:
        super().__init__(path, replace(settings, channels=(1,)), header=header)
        self._given = lines

    def _frame_lines(self, frame: int) -> str:
        return self._given[frame]


def _write_big(path: Path, tif: Tif, generation: Generation, settings: ScanImageSettings) -> None:
    lines = [generation.lines(settings, frame) for frame in tif.frames]
    with _LinesWriter(path, settings, generation.header(settings), lines) as writer:
        for image in tif.images:
            writer.write_page(image)


def _write_classic(path: Path, tif: Tif, generation: Generation, settings: ScanImageSettings) -> None:
    header = generation.header(settings)
    with tifffile.TiffWriter(path) as file:
        for frame, image in zip(tif.frames, tif.images, strict=True):
            description = generation.lines(settings, frame) + header
            file.write(image, description=description, software=False, metadata=None, contiguous=False)


def _changed(header: str, ending: str = "\n", **values: object) -> str:
    """Return a header with other values of keys that it has, or with these keys behind the others."""
    for key, value in values.items():
        name = key.replace("__", ".")
        line = re.compile(rf"^(\S*\b{re.escape(name)}\s?=\s?).*?$", re.MULTILINE)
        header, count = line.subn(rf"\g<1>{value}", header.replace(ending, "\n"), count=1)
        assert count, f"the header has no {name}"
        header = header.replace("\n", ending)
    return header


def _vector(start: datetime) -> str:
    seconds = start.second + start.microsecond / 1e6
    return f"[{start.year} {start.month} {start.day} {start.hour} {start.minute} {seconds:.3f}]"


def _channels(settings: ScanImageSettings) -> str:
    return f"[{';'.join(map(str, settings.channels))}]"


def _flag(is_set: bool) -> str:
    return "true" if is_set else "false"


def _header_2022(settings: ScanImageSettings) -> str:
    return header_text(settings, *SHAPE)


def _lines_2022(settings: ScanImageSettings, frame: Frame) -> str:
    return (
        f"frameNumbers = {frame.number}\nacquisitionNumbers = {settings.acquisition}\n"
        f"frameNumberAcquisition = {frame.number}\nframeTimestamps_sec = {frame.time_s:.9f}\n"
        "acqTriggerTimestamps_sec = -0.000031310\nnextFileMarkerTimestamps_sec = -1.000000000\n"
        f"endOfAcquisition = 0\nendOfAcquisitionMode = 0\ndcOverVoltage = 0\nepoch = {_vector(frame.start)}\n"
        "auxTrigger0 = []\nauxTrigger1 = []\nauxTrigger2 = []\nauxTrigger3 = []\nI2CData = {}\n"
    )


def _header_51(settings: ScanImageSettings) -> str:
    is_volume = settings.num_planes > 1
    header = _changed(
        scanimage.HEADER_51,
        hChannels__channelSave=_channels(settings),
        hFastZ__enable=_flag(is_volume),
        hRoiManager__scanFrameRate=settings.frame_rate_hz,
        hStackManager__numSlices=settings.num_planes,
    )
    more = {
        "hFastZ.numFramesPerVolume": settings.frames_per_volume,
        "hFastZ.discardFlybackFrames": _flag(settings.flyback_frames > 0),
        "hFastZ.numDiscardFlybackFrames": settings.flyback_frames,
        "hRoiManager.scanVolumeRate": settings.frame_rate_hz / settings.frames_per_volume,
    }
    return header + "".join(f"scanimage.SI.{key} = {value}\n" for key, value in more.items())


def _lines_51(settings: ScanImageSettings, frame: Frame) -> str:
    lines = scanimage.FRAME_LINES_51.format(number=frame.number, time=frame.time_s)
    return _changed(lines, epoch=_vector(frame.start))


def _header_50(settings: ScanImageSettings) -> str:
    header = _changed(
        scanimage.HEADER_50,
        acqModeStartTime=_vector(settings.start),
        channelsSave=_channels(settings),
        fastZEnable=_flag(settings.num_planes > 1),
        scanFramePeriod=1 / settings.frame_rate_hz,
        stackNumSlices=settings.num_planes,
    )
    return header + _flyback(settings, "scanimage.SI5.")


def _flyback(settings: ScanImageSettings, prefix: str) -> str:
    more = {
        "fastZDiscardFlybackFrames": _flag(settings.flyback_frames > 0),
        "fastZNumDiscardFrames": settings.flyback_frames,
        "fastZPeriod": settings.frames_per_volume / settings.frame_rate_hz,
    }
    return "".join(f"{prefix}{key} = {value}\n" for key, value in more.items())


def _lines_50(settings: ScanImageSettings, frame: Frame) -> str:
    return scanimage.FRAME_LINES_50.format(number=frame.number, time=frame.time_s)


def _header_42(settings: ScanImageSettings) -> str:
    start = settings.start
    return _changed(
        scanimage.HEADER_4,
        channelsSave=_channels(settings),
        fastZDiscardFlybackFrames=_flag(settings.flyback_frames > 0),
        fastZNumDiscardFrames=settings.flyback_frames,
        fastZEnable=int(settings.num_planes > 1),
        fastZPeriod=settings.frames_per_volume / settings.frame_rate_hz,
        scanFrameRate=settings.frame_rate_hz,
        stackNumSlices=settings.num_planes,
        triggerClockTimeFirst=f"'{start:%d-%m-%Y %H:%M:%S}.{start.microsecond // 1000:03d}'",
    )


def _lines_42(settings: ScanImageSettings, frame: Frame) -> str:
    return scanimage.FRAME_LINES_4.format(number=frame.number)


def _header_38(settings: ScanImageSettings) -> str:
    start = settings.start
    clock = f"'{start.month}/{start.day}/{start:%Y %H:%M:%S}.{start.microsecond // 1000:03d}'"
    saved = {f"acq__savingChannel{number}": int(number in settings.channels) for number in (1, 2, 3)}
    return _changed(
        scanimage.HEADER_3,
        "\r",
        acq__frameRate=settings.frame_rate_hz,
        internal__triggerTimeString=clock,
        internal__triggerTimeFirstString=clock,
        **saved,
    )


def _no_lines(settings: ScanImageSettings, frame: Frame) -> str:
    return ""


GENERATIONS = (
    Generation("2022", True, True, True, _header_2022, _lines_2022),
    Generation("5.1", True, True, True, _header_51, _lines_51),
    Generation("5.0", True, True, True, _header_50, _lines_50),
    Generation("4.2", True, True, False, _header_42, _lines_42),
    Generation("3.8", False, False, False, _header_38, _no_lines),
)
