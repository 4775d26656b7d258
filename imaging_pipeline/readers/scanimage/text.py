"""The texts that ScanImage writes: ``key = value`` lines with MATLAB literals.

There are two kinds. The header of all settings stands once in a file. The frame lines stand on every page:
``frameNumbers``, ``frameTimestamps_sec``, ``epoch`` and others from version 5.1 on, ``Frame Number`` and
``Frame Timestamp(s)`` in 5.0, only ``Frame Tag`` in 4.x. Settings of all versions get the names that they
have from 2015 on.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Literal

from imaging_pipeline.errors import FormatError

NUM_AUX_TRIGGERS = 4

# What to do about a header or a page that ScanImage cannot have meant.
COPY_OR_TAKE_AWAY = (
    "Copy the file again from the microscope's computer; if it says the same there, move the recording out of"
    " the folder."
)

_FIRST_YEAR = 2000
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[-+]?Inf|NaN")


@dataclass(frozen=True)
class Literals:
    """Keys of a header and their values as MATLAB wrote them.

    The accessors return None, or an empty tuple, for a missing key and for a value that is empty: ``[]``,
    ``{}``, ``zeros(1,0)``, ``NaN``.
    """

    values: dict[str, str]

    def text(self, key: str) -> str:
        """Return a value as it is written, without the quotes of a char; empty where it is missing."""
        return self.values.get(key, "").strip("'")

    def numbers(self, key: str) -> tuple[float, ...]:
        """Return the numbers of a scalar or an array, row by row."""
        value = self.values.get(key, "")
        # An empty array: the numbers in brackets are its size.
        if value.startswith("zeros("):
            return ()
        return tuple(float(number) for number in _NUMBER.findall(value))

    def number(self, key: str) -> float | None:
        """Return a finite number."""
        numbers = self.numbers(key)
        return numbers[0] if len(numbers) == 1 and math.isfinite(numbers[0]) else None

    def integer(self, key: str) -> int | None:
        """Return a whole number."""
        number = self.number(key)
        return int(number) if number is not None and number.is_integer() else None

    def flag(self, key: str) -> bool:
        """Return True if a value is ``true`` or ``1``."""
        return self.values.get(key, "") in ("true", "1")


def parse_lines(text: str, prefix: str) -> Literals:
    """Return the values of all lines whose key begins with ``prefix``, under the key without it."""
    values = {}
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if equals and key.startswith(prefix):
            values[key.removeprefix(prefix).strip()] = value.strip()
    return Literals(values)


def parse_wall_time(vector: tuple[float, ...], path: Path) -> datetime:
    """Return the local wall time of a MATLAB date vector (year, month, day, hour, minute, seconds).

    Raises
    ------
    FormatError
        It is no date; ScanImage is known to write years like 1601 when its clock fails.
    """
    moment = _moment(vector)
    if moment is not None and moment.year >= _FIRST_YEAR:
        return moment
    raise FormatError(
        "The start time in the tif's header is no date",
        path=path,
        found=" ".join(f"{part:g}" for part in vector) or "nothing",
        allowed=f"year, month, day, hour, minute and seconds from the year {_FIRST_YEAR} on",
        remedy="copy the file again from the microscope's computer. If it says the same there, the clock of"
        " ScanImage had failed: move the recording out of the folder, because its session has no name.",
    )


def _moment(vector: tuple[float, ...]) -> datetime | None:
    if len(vector) != 6:
        return None
    year, month, day, hour, minute, seconds = vector
    try:
        start_of_minute = datetime(int(year), int(month), int(day), int(hour), int(minute))
        # Seconds may be rounded up to 60, which datetime itself refuses.
        return start_of_minute + timedelta(seconds=round(seconds, 6))
    except (ValueError, OverflowError):
        return None


@dataclass(frozen=True)
class FrameLines:
    """What a page says about its own frame.

    Attributes
    ----------
    frame_number, acquisition_number, number_in_acquisition
        From 1. Version 5.0 writes only the first; the others are then 1 and None.
    timestamp_s
        Seconds since the acquisition mode was started.
    epoch
        The date vector of that start, empty in version 5.0.
    aux_triggers_s
        For each of the four lines the times of its edges, on the clock of ``timestamp_s``.
    """

    frame_number: int
    acquisition_number: int
    number_in_acquisition: int | None
    timestamp_s: float
    epoch: tuple[float, ...]
    aux_triggers_s: tuple[tuple[float, ...], ...]


def parse_frame_lines(description: bytes, path: Path) -> FrameLines:
    """Read the frame lines at the start of a page's ImageDescription.

    Raises
    ------
    FormatError
        There is no frame timestamp, as in version 4.x.
    """
    values: dict[bytes, bytes] = {}
    for line in description.split(b"\n"):
        # In 5.1 the header of all settings follows on every page.
        if line.startswith(b"scanimage."):
            break
        key, _, value = line.partition(b"=")
        values[key.strip()] = value.strip()
    timestamp = values.get(b"frameTimestamps_sec") or values.get(b"Frame Timestamp(s)")
    number = values.get(b"frameNumbers") or values.get(b"Frame Number")
    if timestamp is None or number is None:
        raise FormatError(
            "The tif's pages carry no frame timestamps",
            path=path,
            found=description[:40].decode("latin-1").strip(),
            allowed="frame lines as ScanImage writes them from version 5.0 on",
            remedy=COPY_OR_TAKE_AWAY,
        )
    try:
        in_acquisition = values.get(b"frameNumberAcquisition")
        return FrameLines(
            frame_number=int(number),
            acquisition_number=int(values.get(b"acquisitionNumbers", b"1")),
            number_in_acquisition=None if in_acquisition is None else int(in_acquisition),
            timestamp_s=float(timestamp),
            epoch=_vector(values.get(b"epoch", b"")),
            aux_triggers_s=tuple(
                # A negative time is left over from an earlier acquisition.
                tuple(time for time in _vector(values.get(b"auxTrigger%d" % line, b"")) if time >= 0)
                for line in range(NUM_AUX_TRIGGERS)
            ),
        )
    except ValueError as wrong:
        raise FormatError(
            "A page's frame lines are not numbers", path=path, found=wrong, remedy=COPY_OR_TAKE_AWAY
        ) from wrong


def _vector(value: bytes) -> tuple[float, ...]:
    """Read ``[1 2 3]`` or ``[1,2,3]``: some versions separate by space, some by comma."""
    return tuple(float(number) for number in value.strip(b"[]").replace(b",", b" ").split())


SUPPORTED_VERSIONS = "3.5 to 2023"

FrameClock = Literal["timestamps", "tags", "none"]

# Settings of 4.x (scanimage.SI4.) and 5.0 (scanimage.SI5.).
_EARLIER_NAMES = {
    "hChannels.channelSave": ("channelsSave",),
    "hRoiManager.scanFrameRate": ("scanFrameRate",),
    "hRoiManager.scanFramePeriod": ("scanFramePeriod",),
    "hRoiManager.scanVolumePeriod": ("fastZPeriod",),
    "hRoiManager.linePeriod": ("linePeriod",),
    "hRoiManager.scanZoomFactor": ("scanZoomFactor", "zoomFactor"),
    "hRoiManager.pixelsPerLine": ("scanPixelsPerLine", "pixelsPerLine"),
    "hRoiManager.linesPerFrame": ("scanLinesPerFrame", "linesPerFrame"),
    "hScan2D.bidirectional": ("bidirectionalAcq",),
    "hScan2D.fillFractionSpatial": ("scanFillFraction", "fillFraction"),
    "hScan2D.fillFractionTemporal": ("fillFractionTime",),
    "hScan2D.logAverageFactor": ("acqNumAveragedFrames",),
    "hScan2D.scanPixelTimeMean": ("scanPixelTimeMean",),
    "hBeams.powers": ("beamPowers",),
    "hFastZ.enable": ("fastZEnable",),
    "hFastZ.discardFlybackFrames": ("fastZDiscardFlybackFrames",),
    "hFastZ.numDiscardFlybackFrames": ("fastZNumDiscardFrames",),
    "hStackManager.actualNumSlices": ("stackNumSlices",),
    "VERSION_MAJOR": ("VERSION_MAJOR", "versionMajor"),
}
# Settings of 3.x (state.). Its stacks are slow: the objective is moved from slice to slice.
_NAMES_IN_3 = {
    "VERSION_MAJOR": "software.version",
    "hRoiManager.scanFrameRate": "acq.frameRate",
    "hRoiManager.scanZoomFactor": "acq.zoomFactor",
    "hRoiManager.pixelsPerLine": "acq.pixelsPerLine",
    "hRoiManager.linesPerFrame": "acq.linesPerFrame",
    "hScan2D.bidirectional": "acq.bidirectionalScan",
    "hScan2D.logAverageFactor": "acq.numAvgFramesSave",
    "hStackManager.actualNumSlices": "acq.numberOfZSlices",
}
_CHANNELS_OF_3 = range(1, 5)


@dataclass(frozen=True)
class Settings:
    """A header's values, and how the pages of its generation tell their time.

    Attributes
    ----------
    keys
        Empty where there is no header.
    frame_clock
        Whether each page has a timestamp (5.0 on), the number of its frame only (4.x), or neither (3.x).
    """

    keys: Literals
    frame_clock: FrameClock


# The files of one acquisition, often hundreds, repeat its settings to the letter.
@lru_cache(maxsize=4)
def parse_settings(text: str) -> Settings:
    """Read a header of any generation."""
    for prefix in ("SI.", "scanimage.SI."):
        keys = parse_lines(text, prefix)
        if keys.values:
            return Settings(_with_scanner(keys), "timestamps")
    earlier: tuple[tuple[str, str, FrameClock], ...] = (
        ("scanimage.SI5.", "5", "timestamps"),
        ("scanimage.SI4.", "4", "tags"),
    )
    for prefix, major, clock in earlier:
        keys = parse_lines(text, prefix)
        if keys.values:
            return Settings(_renamed(keys, major), clock)
    return Settings(_of_version_3(parse_lines(text, "state.")), "none")


def _renamed(keys: Literals, major: str) -> Literals:
    later = {
        name: keys.values[earlier]
        for name, candidates in _EARLIER_NAMES.items()
        # Of several candidates that a header has, the last one counts.
        for earlier in candidates
        if earlier in keys.values
    }
    return Literals({"VERSION_MAJOR": major, **keys.values, **later})


def _with_scanner(keys: Literals) -> Literals:
    """Let ``hScan2D`` name the scanner in use, as it does itself from version 2016 on."""
    scanner = {"Resonant": "hResScan.", "Linear": "hLinScan."}.get(keys.text("imagingSystem"))
    if scanner is None:
        return keys
    in_use = {
        f"hScan2D.{name.removeprefix(scanner)}": value
        for name, value in keys.values.items()
        if name.startswith(scanner)
    }
    return Literals({**in_use, **keys.values})


def _of_version_3(keys: Literals) -> Literals:
    if not keys.values:
        return keys
    later = {name: keys.values[earlier] for name, earlier in _NAMES_IN_3.items() if earlier in keys.values}
    saved = [channel for channel in _CHANNELS_OF_3 if keys.flag(f"acq.savingChannel{channel}")]
    later["hChannels.channelSave"] = f"[{' '.join(map(str, saved))}]"
    num_slices = keys.integer("acq.numberOfZSlices") or 1
    num_frames = keys.integer("acq.numberOfFrames") or 1
    if num_slices > 1:
        later |= {
            "hStackManager.enable": "true",
            "hStackManager.stackMode": "'slow'",
            "hStackManager.numFramesPerVolume": str(num_slices * num_frames),
        }
    return Literals({**keys.values, **later})
