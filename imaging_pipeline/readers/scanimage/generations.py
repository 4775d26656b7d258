"""The headers of all generations of ScanImage under the names that their settings have from 2015 on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from imaging_pipeline.readers.scanimage.text import Literals, parse_lines

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
