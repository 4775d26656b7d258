"""What a ScanImage recording is set to, and the header that says so."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime

_SCAN_DEGREES = 15.0
_UM_PER_DEGREE = 15.0
# For the rest of a frame's time the slow mirror flies back.
_SCANNED_PART_OF_FRAME = 0.97
# What an earlier z-stack may have been set to: real planar files keep such values.
_STALE_SLICES, _STALE_FRAMES_PER_SLICE = 31, 2003


@dataclass(frozen=True)
class ScanImageSettings:
    """What a recording is set to, and where its next frame stands.

    Attributes
    ----------
    frame_rate_hz
        Single frames a second, of any plane.
    channels
        Numbers of the saved channels, from 1.
    num_planes, flyback_frames, frames_per_slice
        Volumes: slices, frames after the last slice, frames of a slice. One plane is planar.
    zoom
        Scan zoom factor.
    start
        Local wall time at which the acquisition mode was started; written in milliseconds.
    acquisition
        Number of the acquisition since then.
    first_frame_number, first_number_in_acquisition, first_timestamp_s
        The next frame's numbers, from 1, and its time since ``start``.
    aux_triggers_s
        For each of four auxiliary lines the times of its edges, since ``start``.
    """

    frame_rate_hz: float
    channels: tuple[int, ...] = (1,)
    num_planes: int = 1
    flyback_frames: int = 0
    frames_per_slice: int = 1
    zoom: float = 1.0
    start: datetime = datetime(2022, 11, 20, 13, 4, 22, 65000)
    acquisition: int = 1
    first_frame_number: int = 1
    first_number_in_acquisition: int = 1
    first_timestamp_s: float = 0.0
    aux_triggers_s: tuple[tuple[float, ...], ...] = ((), (), (), ())

    @property
    def frames_per_volume(self) -> int:
        """Frames from one volume's start to the next one's."""
        return self.num_planes * self.frames_per_slice + self.flyback_frames

    def after(self, num_frames: int) -> ScanImageSettings:
        """Return the settings of the same acquisition's next file, when ``num_frames`` are written."""
        return replace(
            self,
            first_frame_number=self.first_frame_number + num_frames,
            first_number_in_acquisition=self.first_number_in_acquisition + num_frames,
            first_timestamp_s=self.first_timestamp_s + num_frames / self.frame_rate_hz,
        )


def header_text(settings: ScanImageSettings, height: int, width: int) -> str:
    """Return the header: the keys of ScanImage 2022 that say how a recording was made."""
    sections = (_program(), _channels(settings), _scanner(settings, height, width), _volumes(settings))
    values = {key: value for section in sections for key, value in section.items()}
    return "".join(f"SI.{key} = {value}\n" for key, value in values.items())


def roi_text(height: int, width: int) -> str:
    """Return the JSON of the ROI groups: one field of view."""
    scanfield = {
        "ver": 1,
        "classname": "scanimage.mroi.scanfield.fields.RotatedRectangle",
        "name": "Default Imaging Scanfield",
        "centerXY": [0, 0],
        "sizeXY": [_SCAN_DEGREES, _SCAN_DEGREES],
        "rotationDegrees": 0,
        "enable": 1,
        "pixelResolutionXY": [width, height],
    }
    roi = {"ver": 1, "classname": "scanimage.mroi.Roi", "zs": 0, "scanfields": scanfield, "enable": 1}
    group = {
        "ver": 1,
        "classname": "scanimage.mroi.RoiGroup",
        "name": "Default Imaging ROI Group",
        "rois": roi,
    }
    return json.dumps({"RoiGroups": {"imagingRoiGroup": group}}, indent=2)


def _program() -> dict[str, object]:
    return {
        "LINE_FORMAT_VERSION": 1,
        "TIFF_FORMAT_VERSION": 4,
        "VERSION_MAJOR": 2022,
        "VERSION_MINOR": 1,
        "VERSION_UPDATE": 0,
        "acqState": "'grab'",
        "acqsPerLoop": 1,
        "extTrigEnable": "false",
        "imagingSystem": "'ResScan'",
        "objectiveResolution": f"{_UM_PER_DEGREE:g}",
    }


def _channels(settings: ScanImageSettings) -> dict[str, object]:
    channels = settings.channels
    saved = f"{channels[0]}" if len(channels) == 1 else f"[{';'.join(map(str, channels))}]"
    return {
        "hBeams.powers": "[8 0]",
        "hChannels.channelName": "{'Channel 1' 'Channel 2' 'Channel 3' 'Channel 4'}",
        "hChannels.channelSave": saved,
        "hChannels.loggingEnable": "true",
    }


def _scanner(settings: ScanImageSettings, height: int, width: int) -> dict[str, object]:
    frame_period_s = 1 / settings.frame_rate_hz
    line_period_s = frame_period_s * _SCANNED_PART_OF_FRAME / height
    half_um = _SCAN_DEGREES * _UM_PER_DEGREE / settings.zoom / 2
    corners = ((-half_um, -half_um), (half_um, -half_um), (half_um, half_um), (-half_um, half_um))
    return {
        "hRoiManager.imagingFovUm": f"[{';'.join(f'{x:g} {y:g}' for x, y in corners)}]",
        "hRoiManager.linePeriod": f"{line_period_s:.9g}",
        "hRoiManager.linesPerFrame": height,
        "hRoiManager.mroiEnable": "false",
        "hRoiManager.pixelsPerLine": width,
        "hRoiManager.scanFramePeriod": f"{frame_period_s:.9g}",
        "hRoiManager.scanFrameRate": f"{settings.frame_rate_hz:.9g}",
        "hRoiManager.scanVolumeRate": f"{settings.frame_rate_hz / settings.frames_per_volume:.9g}",
        "hRoiManager.scanZoomFactor": f"{settings.zoom:g}",
        "hScan2D.bidirectional": "true",
        # A resonant mirror moves as a sine: 2 / π · asin(0.9) of the time is spent in 0.9 of the range.
        "hScan2D.fillFractionSpatial": "0.9",
        "hScan2D.fillFractionTemporal": "0.712867",
        "hScan2D.flytoTimePerScanfield": "0.001",
        "hScan2D.logFramesPerFile": "Inf",
        "hScan2D.scanPixelTimeMean": f"{0.712867 * line_period_s / width:.6g}",
        # Bidirectional: two lines in a period of the mirror.
        "hScan2D.scannerFrequency": f"{1 / (2 * line_period_s):.6g}",
        "hScan2D.scannerType": "'RG'",
    }


def _volumes(settings: ScanImageSettings) -> dict[str, object]:
    is_volumetric = settings.num_planes > 1
    num_frames = settings.num_planes * settings.frames_per_slice
    return {
        "hFastZ.discardFlybackFrames": str(settings.flyback_frames > 0).lower(),
        "hFastZ.enable": str(is_volumetric).lower(),
        "hFastZ.numDiscardFlybackFrames": settings.flyback_frames,
        "hStackManager.actualNumSlices": settings.num_planes,
        "hStackManager.enable": str(is_volumetric).lower(),
        "hStackManager.framesPerSlice": settings.frames_per_slice
        if is_volumetric
        else _STALE_FRAMES_PER_SLICE,
        "hStackManager.numFramesPerVolume": num_frames,
        "hStackManager.numFramesPerVolumeWithFlyback": settings.frames_per_volume,
        "hStackManager.numSlices": settings.num_planes if is_volumetric else _STALE_SLICES,
        "hStackManager.stackMode": "'fast'",
        "hStackManager.zs": f"[{' '.join(str(20 * plane) for plane in range(settings.num_planes))}]",
    }
