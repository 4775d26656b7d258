"""Slices, frames of a slice and flyback frames, by a ScanImage header.

After ScanImage's own reader (``scanimage.util.opentif``) and real headers of version 2021.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from imaging_pipeline.errors import FormatError
from imaging_pipeline.readers.scanimage.text import COPY_OR_TAKE_AWAY, Literals


@dataclass(frozen=True)
class Volume:
    """How frames follow each other: frames of a slice, slices, then flyback frames.

    Attributes
    ----------
    num_planes, frames_per_slice
        1 where the recording is planar.
    num_flyback_frames
        Frames at the end of each volume that belong to no slice.
    frames_averaged
        Frames that were averaged into each that was saved.
    plane_z_um
        Depth of each plane in the order in which they were taken; empty where it is not said.
    is_slow
        Whether the objective was moved between slices, so that volumes are no time series.
    """

    is_volumetric: bool
    num_planes: int
    frames_per_slice: int
    num_flyback_frames: int
    frames_averaged: int
    plane_z_um: tuple[float, ...]
    is_slow: bool


def find_volume(keys: Literals, path: Path) -> Volume:
    """Find out how the frames of a recording make volumes.

    ``numSlices`` and ``framesPerSlice`` are ignored: they may still have the values of an earlier stack.

    Raises
    ------
    FormatError
        The header does not say how many slices a volume has, contradicts itself, or tells of flyback frames
        of a single plane.
    """
    averaged = max(keys.integer("hScan2D.logAverageFactor") or 1, 1)
    counts = _Counts(num_planes=1, num_frames=1, num_flyback=0)
    if keys.flag("hStackManager.enable") or keys.flag("hFastZ.enable"):
        counts = _counts(keys, path)
    if counts.num_planes <= 1:
        if counts.num_flyback > 0 and _is_fast(keys):
            raise _flyback_of_one_plane(counts, path)
        return Volume(
            is_volumetric=False,
            num_planes=1,
            frames_per_slice=1,
            num_flyback_frames=0,
            frames_averaged=averaged,
            plane_z_um=_depths(keys, _Counts(1, 1, 0)),
            is_slow=False,
        )
    frames_per_slice = _saved(counts.num_frames, counts.num_planes * averaged)
    num_flyback = _saved(counts.num_flyback, averaged)
    if not frames_per_slice or num_flyback is None:
        raise FormatError(
            "The tif's header contradicts itself about its volumes",
            path=path,
            found=f"{counts.num_planes} slices, {counts.num_frames} frames a volume, "
            f"{counts.num_flyback} flyback frames, {averaged} averaged into one",
            allowed="a whole number of frames a slice",
            remedy=COPY_OR_TAKE_AWAY,
        )
    return Volume(
        is_volumetric=True,
        num_planes=counts.num_planes,
        frames_per_slice=frames_per_slice,
        num_flyback_frames=num_flyback,
        frames_averaged=averaged,
        plane_z_um=_depths(keys, counts),
        is_slow=keys.text("hStackManager.stackMode") == "slow" and not keys.flag("hFastZ.enable"),
    )


def _is_fast(keys: Literals) -> bool:
    """Return True if a z-scanner moved within volumes: without one, there was no flyback."""
    return keys.flag("hFastZ.enable") or keys.text("hStackManager.stackMode") == "fast"


def _flyback_of_one_plane(counts: _Counts, path: Path) -> FormatError:
    """Return the error for flyback frames that would be taken for frames of the only plane."""
    return FormatError(
        "The tif is of one plane, and its header tells of flyback frames, which may be among its pages",
        path=path,
        found=f"1 slice, {counts.num_frames} frames a volume and {counts.num_flyback} flyback frames",
        allowed="one plane without flyback frames, or several planes",
        remedy="look at the pages. Without flyback frames among them, register the folder as plain tifs with"
        " a session.json; else leave these out first. Next time switch the z-scanner off for one plane.",
    )


@dataclass(frozen=True)
class _Counts:
    """Slices, and frames of slices and of the flyback in a volume, before they were averaged."""

    num_planes: int
    num_frames: int
    num_flyback: int


def _saved(num_frames: int, parts: int) -> int | None:
    """Return the number of frames of each part, or None if it is no whole number."""
    frames_per_part, left = divmod(num_frames, parts)
    return frames_per_part if not left and frames_per_part >= 0 else None


def _counts(keys: Literals, path: Path) -> _Counts:
    num_discarded = 0
    if keys.flag("hFastZ.discardFlybackFrames"):
        # "Discarded" frames are left out of the display, but they are saved.
        num_discarded = keys.integer("hFastZ.numDiscardFlybackFrames") or 0
    num_planes = keys.integer("hStackManager.actualNumSlices")
    if num_planes is not None:
        num_frames = keys.integer("hStackManager.numFramesPerVolume") or num_planes
        num_with_flyback = keys.integer("hStackManager.numFramesPerVolumeWithFlyback")
        num_flyback = num_discarded if num_with_flyback is None else num_with_flyback - num_frames
        return _Counts(num_planes, num_frames, num_flyback)
    # Until 2018 only this count is in use while scanning; it includes the flyback frames.
    num_with_flyback = keys.integer("hFastZ.numFramesPerVolume")
    if num_with_flyback is None:
        raise FormatError(
            "The tif is of a volume, but its header does not say of how many slices",
            path=path,
            found=f"numSlices = {keys.text('hStackManager.numSlices')}, which may be of an earlier stack",
            allowed="hStackManager.actualNumSlices or hFastZ.numFramesPerVolume",
            remedy=COPY_OR_TAKE_AWAY,
        )
    num_planes = num_with_flyback - num_discarded
    num_slices = keys.integer("hStackManager.numSlices")
    frames_per_slice = keys.integer("hStackManager.framesPerSlice")
    if num_slices and frames_per_slice and num_slices != num_planes == num_slices * frames_per_slice:
        raise FormatError(
            "The tif's header does not say whether a volume has several slices, or several frames of one",
            path=path,
            found=f"{num_slices} slices, {frames_per_slice} frames a slice, {num_planes} frames a volume",
            allowed="as many slices as frames a volume",
            remedy=COPY_OR_TAKE_AWAY,
        )
    return _Counts(num_planes, num_planes, num_discarded)


def _depths(keys: Literals, counts: _Counts) -> tuple[float, ...]:
    """Return the depth of each plane; ScanImage writes one a slice, a frame, or a frame with the flyback."""
    # Until 2018 the depths are those that the user chose.
    for key in ("hStackManager.zs", "hFastZ.userZs"):
        depths_um = keys.numbers(key)
        if not all(map(math.isfinite, depths_um)):
            continue
        if len(depths_um) == counts.num_planes:
            return depths_um
        if depths_um and len(depths_um) in (counts.num_frames, counts.num_frames + counts.num_flyback):
            per_slice = counts.num_frames // counts.num_planes
            return depths_um[: counts.num_frames : per_slice]
    return ()
