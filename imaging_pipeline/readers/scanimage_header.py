"""What a ScanImage header says about an acquisition.

Versions 5.1 to 2023 share their keys; those of 4.x and 5.0 are other names for some of the same
settings.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from imaging_pipeline.errors import FormatError
from imaging_pipeline.readers.scanimage_text import Literals, parse_frame_lines, parse_lines, parse_wall_time
from imaging_pipeline.readers.scanimage_volume import find_volume

SUPPORTED_VERSIONS = "4.0 to 2023"

# Settings of 4.x (scanimage.SI4.) and 5.0 (scanimage.SI5.) under the names that they have later.
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
    "hScan2D.scanPixelTimeMean": ("scanPixelTimeMean",),
    "hBeams.powers": ("beamPowers",),
    "hFastZ.enable": ("fastZEnable",),
    "hFastZ.discardFlybackFrames": ("fastZDiscardFlybackFrames",),
    "hFastZ.numDiscardFlybackFrames": ("fastZNumDiscardFrames",),
    "hStackManager.actualNumSlices": ("stackNumSlices",),
    "VERSION_MAJOR": ("VERSION_MAJOR", "versionMajor"),
}


@dataclass(frozen=True)
class ScanImageHeader:
    """The settings of one acquisition.

    Attributes
    ----------
    version
        As written: ``4.2``, ``5.1``, ``2018a.0``, ``2021.1``.
    frame_rate_hz
        Single frames a second, of any plane.
    volume_rate_hz
        Volumes a second; the frame rate where the recording is planar.
    channels_saved
        Numbers of the saved channels, from 1.
    num_planes
        Slices of a volume, 1 where the recording is planar.
    num_flyback_frames
        Frames at the end of each volume that are of no plane, but are in the file.
    frames_per_slice
        Frames taken of a slice before the next one.
    num_fields
        Fields of view in one page: the enabled imaging ROIs where several are imaged, else 1.
    scanner_frequency_hz, seconds_per_line, spatial_fill_fraction, temporal_fill_fraction, zoom
        As written; None where they are not.
    pixels_per_line, lines_per_frame
        As set; a page of several fields has more lines.
    objective_resolution_um_per_deg, scan_pixel_time_mean_s
        As written; None where they are not.
    power
        The beams' powers in percent, as written.
    start
        Local wall time at which the acquisition mode was started.
    text
        The whole header as written.
    """

    version: str
    frame_rate_hz: float
    volume_rate_hz: float
    channels_saved: tuple[int, ...]
    num_planes: int
    num_flyback_frames: int
    frames_per_slice: int
    num_fields: int
    is_volumetric: bool
    is_bidirectional: bool
    scanner_type: str
    scanner_frequency_hz: float | None
    seconds_per_line: float | None
    spatial_fill_fraction: float | None
    temporal_fill_fraction: float | None
    zoom: float | None
    pixels_per_line: int | None
    lines_per_frame: int | None
    objective_resolution_um_per_deg: float | None
    scan_pixel_time_mean_s: float | None
    imaging_system: str
    power: str
    start: datetime
    text: str

    @property
    def num_channels(self) -> int:
        """Saved channels."""
        return len(self.channels_saved)

    @property
    def frames_per_volume(self) -> int:
        """Frames from one volume's start to the next one's, flyback frames included."""
        return self.frames_per_slice * self.num_planes + self.num_flyback_frames

    @property
    def pages_per_volume(self) -> int:
        """Pages from one volume's start to the next one's."""
        return self.num_channels * self.frames_per_volume


def parse_header(text: str, rois: str, first_description: str, path: Path) -> ScanImageHeader:
    """Read the settings of an acquisition.

    Parameters
    ----------
    text
        The header as written: ``key = value`` lines.
    rois
        The JSON of the ROI groups, empty before version 2016.
    first_description
        ImageDescription of the first page, for the start time.
    path
        The file, for errors.

    Raises
    ------
    FormatError
        The version is not supported, or a value is missing or makes no sense.
    """
    keys = _literals(text)
    if not keys.values:
        raise _unreadable(text, path)
    volume = find_volume(keys, path)
    frame_rate_hz = _rate(keys, "hRoiManager.scanFrameRate", "hRoiManager.scanFramePeriod", path)
    if volume.is_volumetric:
        volume_rate_hz = _rate(keys, "hRoiManager.scanVolumeRate", "hRoiManager.scanVolumePeriod", path)
    else:
        volume_rate_hz = frame_rate_hz
    return ScanImageHeader(
        version=".".join(filter(None, (keys.text("VERSION_MAJOR"), keys.text("VERSION_MINOR")))),
        frame_rate_hz=frame_rate_hz,
        volume_rate_hz=volume_rate_hz,
        channels_saved=_channels(keys, path),
        num_planes=volume.num_planes,
        num_flyback_frames=volume.num_flyback_frames,
        frames_per_slice=volume.frames_per_slice,
        num_fields=_num_fields(keys, rois, path),
        is_volumetric=volume.is_volumetric,
        is_bidirectional=keys.flag("hScan2D.bidirectional") or keys.text("scanMode") == "bidirectional",
        scanner_type=keys.text("hScan2D.scannerType"),
        scanner_frequency_hz=keys.number("hScan2D.scannerFrequency"),
        seconds_per_line=keys.number("hRoiManager.linePeriod"),
        spatial_fill_fraction=keys.number("hScan2D.fillFractionSpatial"),
        temporal_fill_fraction=keys.number("hScan2D.fillFractionTemporal"),
        zoom=keys.number("hRoiManager.scanZoomFactor"),
        pixels_per_line=keys.integer("hRoiManager.pixelsPerLine"),
        lines_per_frame=keys.integer("hRoiManager.linesPerFrame"),
        objective_resolution_um_per_deg=keys.number("objectiveResolution"),
        scan_pixel_time_mean_s=keys.number("hScan2D.scanPixelTimeMean"),
        imaging_system=keys.text("imagingSystem"),
        power=keys.text("hBeams.powers"),
        start=_start(keys, first_description, path),
        text=text,
    )


# The files of one acquisition, often hundreds, repeat its settings to the letter.
@lru_cache(maxsize=4)
def _literals(text: str) -> Literals:
    """Give the header's values under the names that they have from 2015 on; none where there is no header."""
    for prefix in ("SI.", "scanimage.SI."):
        keys = parse_lines(text, prefix)
        if keys.values:
            return _with_scanner(keys)
    for prefix, major in (("scanimage.SI5.", "5"), ("scanimage.SI4.", "4")):
        keys = parse_lines(text, prefix)
        if keys.values:
            later = {
                name: keys.values[earlier]
                for name, candidates in _EARLIER_NAMES.items()
                for earlier in candidates
                if earlier in keys.values
            }
            return Literals({"VERSION_MAJOR": major, **keys.values, **later})
    return Literals({})


def _unreadable(text: str, path: Path) -> FormatError:
    version_3 = re.search(r"state\.software\.version\s*=\s*'?([\d.]+)", text)
    return FormatError(
        "The tif holds no ScanImage header that can be read",
        path=path,
        found=f"version {version_3[1]}" if version_3 else text[:60].strip() or "nothing",
        allowed=f"a header of version {SUPPORTED_VERSIONS}",
        remedy="Register the tifs as the microscope wrote them, not copies saved by another program.",
    )


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


def _rate(keys: Literals, rate_key: str, period_key: str, path: Path) -> float:
    rate_hz, period_s = keys.number(rate_key), keys.number(period_key)
    if rate_hz is None and period_s:
        rate_hz = 1 / period_s
    if rate_hz is None or rate_hz <= 0:
        raise FormatError(
            f"The tif's header has no {rate_key}",
            path=path,
            found=keys.text(rate_key),
            allowed="a rate in Hz",
        )
    return rate_hz


def _channels(keys: Literals, path: Path) -> tuple[int, ...]:
    saved = keys.numbers("hChannels.channelSave")
    if not saved or not all(math.isfinite(channel) for channel in saved):
        raise FormatError(
            "The tif's header names no saved channel",
            path=path,
            found=keys.text("hChannels.channelSave"),
            allowed="1 or [1;2]",
        )
    return tuple(int(channel) for channel in saved)


def _num_fields(keys: Literals, rois: str, path: Path) -> int:
    if not keys.flag("hRoiManager.mroiEnable"):
        return 1
    try:
        group = json.loads(rois)["RoiGroups"]["imagingRoiGroup"]
        # A single ROI is written without its list.
        listed = group["rois"] if isinstance(group["rois"], list) else [group["rois"]]
        num_fields = sum(bool(roi.get("enable", 1)) and bool(roi.get("scanfields")) for roi in listed)
    except (ValueError, KeyError, TypeError, AttributeError) as wrong:
        raise FormatError(
            "The tif is of several fields of view, but its ROI groups cannot be read", path=path, found=wrong
        ) from wrong
    if num_fields == 0:
        raise FormatError("The tif is of several fields of view, but none is enabled", path=path)
    return num_fields


def _start(keys: Literals, first_description: str, path: Path) -> datetime:
    # 4.x: '17-07-2013 17:16:09.149'.
    clock = tuple(float(part) for part in re.findall(r"\d+(?:\.\d+)?", keys.text("triggerClockTimeFirst")))
    if clock:
        return parse_wall_time(clock[2::-1] + clock[3:], path)
    vector = keys.numbers("acqModeStartTime")
    if not vector:
        vector = parse_frame_lines(first_description.encode(), path).epoch
    return parse_wall_time(vector, path)
