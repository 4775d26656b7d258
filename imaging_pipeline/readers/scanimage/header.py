"""What a ScanImage header says about an acquisition."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from imaging_pipeline.errors import FormatError
from imaging_pipeline.readers.scanimage.fields import ScanField, find_fields, lines_between
from imaging_pipeline.readers.scanimage.text import (
    COPY_OR_TAKE_AWAY,
    SUPPORTED_VERSIONS,
    FrameClock,
    Literals,
    parse_frame_lines,
    parse_settings,
    parse_wall_time,
)
from imaging_pipeline.readers.scanimage.volume import Volume, find_volume


@dataclass(frozen=True)
class ScanImageHeader:
    """The settings of one acquisition.

    Attributes
    ----------
    version
        As written: ``3.8``, ``4.2``, ``5.1``, ``2018a.0``, ``2021.1``.
    frame_clock
        How pages tell their time.
    frame_rate_hz
        Single frames a second that were saved, of any plane.
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
    frames_averaged
        Frames that were averaged into each that was saved.
    plane_z_um
        Depth of each plane in the order in which they were taken; empty where it is not said.
    is_z_stack
        Whether the objective was moved from slice to slice: a stack, no time series.
    fields
        Fields of view in one page, from top to bottom; empty where there is one.
    lines_between_fields
        Lines from one field to the next as the scanner needs them; None where it is not said.
    fov_width_um, fov_height_um
        Size of a single field of view; None where it is not said.
    scanner_frequency_hz, seconds_per_line, spatial_fill_fraction, temporal_fill_fraction, zoom
        As written; None where they are not.
    pixels_per_line, lines_per_frame
        As they were set; a page of several fields has more lines.
    objective_resolution_um_per_deg, scan_pixel_time_mean_s
        As written; None where they are not.
    power
        The beams' powers in percent, as written.
    start
        Local wall time at which the acquisition mode was started.
    clock_start
        Local wall time at which the clock of the frames showed 0: ``start``, but in 3.x, whose frames are
        counted anew in each acquisition, that acquisition's own.
    text
        The whole header as written.
    """

    version: str
    frame_clock: FrameClock
    frame_rate_hz: float
    volume_rate_hz: float
    channels_saved: tuple[int, ...]
    num_planes: int
    num_flyback_frames: int
    frames_per_slice: int
    frames_averaged: int
    plane_z_um: tuple[float, ...]
    fields: tuple[ScanField, ...]
    lines_between_fields: int | None
    fov_width_um: float | None
    fov_height_um: float | None
    is_volumetric: bool
    is_z_stack: bool
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
    clock_start: datetime
    text: str

    @property
    def num_channels(self) -> int:
        """Saved channels."""
        return len(self.channels_saved)

    @property
    def num_fields(self) -> int:
        """Fields of view in one page."""
        return max(len(self.fields), 1)

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
    settings = parse_settings(text)
    keys = settings.keys
    if not keys.values:
        raise _unreadable(text, path)
    volume = find_volume(keys, path)
    scan_rate_hz = _rate(keys, "hRoiManager.scanFrameRate", "hRoiManager.scanFramePeriod", path)
    # The header has the scanner's rate, before frames are averaged as they are saved.
    frame_rate_hz = scan_rate_hz / volume.frames_averaged
    volume_rate_hz = _volume_rate(keys, volume, frame_rate_hz, path)
    fov_width_um, fov_height_um = _field_of_view(keys)
    start = _start(keys, first_description, path)
    return ScanImageHeader(
        version=".".join(filter(None, (keys.text("VERSION_MAJOR"), keys.text("VERSION_MINOR")))),
        frame_clock=settings.frame_clock,
        frame_rate_hz=frame_rate_hz,
        volume_rate_hz=volume_rate_hz,
        channels_saved=_channels(keys, path),
        num_planes=volume.num_planes,
        num_flyback_frames=volume.num_flyback_frames,
        frames_per_slice=volume.frames_per_slice,
        frames_averaged=volume.frames_averaged,
        plane_z_um=volume.plane_z_um,
        fields=find_fields(keys, rois, volume.plane_z_um, path),
        lines_between_fields=lines_between(keys),
        fov_width_um=fov_width_um,
        fov_height_um=fov_height_um,
        is_volumetric=volume.is_volumetric,
        is_z_stack=volume.is_slow,
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
        start=start,
        clock_start=_own_trigger(keys, path) or start,
        text=text,
    )


def _unreadable(text: str, path: Path) -> FormatError:
    return FormatError(
        "The tif holds no ScanImage header that can be read",
        path=path,
        found=text[:60].strip() or "nothing",
        allowed=f"a header of version {SUPPORTED_VERSIONS}",
        remedy="Register the tifs as the microscope wrote them, not copies saved by another program.",
    )


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
            remedy=COPY_OR_TAKE_AWAY,
        )
    return rate_hz


def _volume_rate(keys: Literals, volume: Volume, frame_rate_hz: float, path: Path) -> float:
    if not volume.is_volumetric:
        return frame_rate_hz
    if volume.is_slow:
        # The time that the objective takes is in no setting.
        return frame_rate_hz / (volume.num_planes * volume.frames_per_slice)
    # Not divided by the frames that are averaged: these are of one slice, and volumes stay as many.
    return _rate(keys, "hRoiManager.scanVolumeRate", "hRoiManager.scanVolumePeriod", path)


def _field_of_view(keys: Literals) -> tuple[float | None, float | None]:
    """Return width and height in µm from the corners, which go around the field of view."""
    corners = keys.numbers("hRoiManager.imagingFovUm")
    # With several fields the corners are those of all fields together.
    if len(corners) != 8 or keys.flag("hRoiManager.mroiEnable"):
        return None, None
    # x and y of four corners; the first three make two sides.
    (x0, y0, x1, y1, x2, y2) = corners[:6]
    return math.hypot(x1 - x0, y1 - y0), math.hypot(x2 - x1, y2 - y1)


def _channels(keys: Literals, path: Path) -> tuple[int, ...]:
    saved = keys.numbers("hChannels.channelSave")
    if not saved or not all(math.isfinite(channel) for channel in saved):
        raise FormatError(
            "The tif's header names no saved channel",
            path=path,
            found=keys.text("hChannels.channelSave"),
            allowed="1 or [1;2]",
            remedy=COPY_OR_TAKE_AWAY,
        )
    return tuple(int(channel) for channel in saved)


def _start(keys: Literals, first_description: str, path: Path) -> datetime:
    # 4.x: '17-07-2013 17:16:09.149'.
    clock = _clock(keys.text("triggerClockTimeFirst"))
    if clock:
        return parse_wall_time(clock[2::-1] + clock[3:], path)
    # 3.x: '10/9/2017 16:57:07.967', the month first.
    clock = _clock(keys.text("internal.triggerTimeFirstString"))
    if clock:
        return _month_first(clock, path)
    own = _own_trigger(keys, path)
    if own is not None:
        return own
    vector = keys.numbers("acqModeStartTime")
    if not vector:
        vector = parse_frame_lines(first_description.encode(), path).epoch
    return parse_wall_time(vector, path)


def _own_trigger(keys: Literals, path: Path) -> datetime | None:
    """Return when an acquisition of 3.x was started, which may be one of several since the first."""
    clock = _clock(keys.text("internal.triggerTimeString"))
    return _month_first(clock, path) if clock else None


def _month_first(clock: tuple[float, ...], path: Path) -> datetime:
    return parse_wall_time((*clock[2:3], *clock[:2], *clock[3:]), path)


def _clock(text: str) -> tuple[float, ...]:
    return tuple(float(part) for part in re.findall(r"\d+(?:\.\d+)?", text))
