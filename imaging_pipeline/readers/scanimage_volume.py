"""Slices, frames a slice and flyback frames, as a ScanImage header tells them.

After ScanImage's own reader (``scanimage.util.opentif``) and real headers of version 2021.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from imaging_pipeline.errors import FormatError
from imaging_pipeline.readers.scanimage_text import Literals


@dataclass(frozen=True)
class Volume:
    """How frames follow each other: frames of a slice, slices, then flyback frames.

    Attributes
    ----------
    num_planes, frames_per_slice
        1 where the recording is planar.
    num_flyback_frames
        Frames at the end of each volume that belong to no slice.
    """

    is_volumetric: bool
    num_planes: int
    frames_per_slice: int
    num_flyback_frames: int


def find_volume(keys: Literals, path: Path) -> Volume:
    """Find out how the frames of a recording make volumes.

    ``numSlices`` and ``framesPerSlice`` are not looked at: they keep what an earlier stack was set to.

    Raises
    ------
    FormatError
        The header does not say how many slices a volume has, or contradicts itself.
    """
    planar = Volume(is_volumetric=False, num_planes=1, frames_per_slice=1, num_flyback_frames=0)
    if not (keys.flag("hStackManager.enable") or keys.flag("hFastZ.enable")):
        return planar
    counts = _counts(keys)
    if counts is None:
        raise FormatError(
            "The tif is of a volume, but its header does not say of how many slices",
            path=path,
            found=f"numSlices = {keys.text('hStackManager.numSlices')}, which may be of an earlier stack",
            allowed="hStackManager.actualNumSlices or hFastZ.numFramesPerVolume",
        )
    num_planes, num_frames, num_flyback = counts
    if num_planes <= 1:
        return planar
    frames_per_slice, left = divmod(num_frames, num_planes)
    if left or frames_per_slice < 1 or num_flyback < 0:
        raise FormatError(
            "The tif's header contradicts itself about its volumes",
            path=path,
            found=f"{num_planes} slices, {num_frames} frames a volume, {num_flyback} flyback frames",
            allowed="a whole number of frames a slice",
        )
    return Volume(
        is_volumetric=True,
        num_planes=num_planes,
        frames_per_slice=frames_per_slice,
        num_flyback_frames=num_flyback,
    )


def _counts(keys: Literals) -> tuple[int, int, int] | None:
    """Give slices, frames of slices and flyback frames of a volume, None where they are not written."""
    num_discarded = 0
    if keys.flag("hFastZ.discardFlybackFrames"):
        # "Discarded" frames are left out of the display, but they are saved.
        num_discarded = keys.integer("hFastZ.numDiscardFlybackFrames") or 0
    num_planes = keys.integer("hStackManager.actualNumSlices")
    if num_planes is not None:
        num_frames = keys.integer("hStackManager.numFramesPerVolume") or num_planes
        num_with_flyback = keys.integer("hStackManager.numFramesPerVolumeWithFlyback")
        num_flyback = num_discarded if num_with_flyback is None else num_with_flyback - num_frames
        return num_planes, num_frames, num_flyback
    # Until 2018 only this count is in use while scanning; it includes the flyback frames.
    num_with_flyback = keys.integer("hFastZ.numFramesPerVolume")
    if num_with_flyback is None:
        return None
    num_planes = num_with_flyback - num_discarded
    return num_planes, num_planes, num_discarded
