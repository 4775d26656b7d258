"""From a segmentation output to the rows of ``ImagingAnalysis`` and ``Projection``."""

from __future__ import annotations

from collections import Counter
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from imaging_pipeline.errors import OutputError
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.segmentation.frames import Slice
from imaging_pipeline.segmentation.package import SegmentedPlane
from imaging_pipeline.segmentation.registry import segmentation_package


@dataclass(frozen=True)
class Analysis:
    """Rows of ``ImagingAnalysis`` and of that part of it which is of the program, without their keys.

    Attributes
    ----------
    part
        Name of the part.
    """

    row: Row
    part: str
    options: Row


def open_plane(place: Row) -> AbstractContextManager[SegmentedPlane]:
    """Open the plane that a dataset is, ``place`` being from `fetching.output_place`.

    Raises
    ------
    OutputError, FormatError
        The output is damaged, or the plane is not in it any more.
    """
    return segmentation_package(place["datasettype"]).open_plane(Path(place["path"]))


def analysis(place: Row, tifs: list[Row], session_name: str) -> Analysis:
    """Find a session's frames in an output, and read the output's options.

    Raises
    ------
    OutputError
        The output was not made of these tifs, or its frames do not add up.
    """
    (own,) = (session["frames"] for session in tifs if session["session_name"] == session_name)
    with open_plane(place) as plane:
        frames = _slices(plane, tifs)[session_name]
        return Analysis(
            row={
                "plane": plane.plane,
                "first_frame": frames.first_frame,
                "num_frames": frames.num_frames,
                # A person who ran Suite2p may have left its own rate as it was.
                "analysis_rate_hz": own["tif_rate_hz"],
                "is_tif_preproc": own["motion_cor"],
                "measured_hash": plane.measured_hash(),
            },
            part=segmentation_package(place["datasettype"]).part,
            options=dict(plane.options()),
        )


def projections(place: Row) -> list[Row]:
    """Read the images of a plane, or of the mosaic of all planes."""
    with open_plane(place) as plane:
        images = plane.projections()
        return [
            {
                "center_plane": -1 if plane.plane is None else plane.plane,
                "mean_image": images.mean_image,
                "mean_image_enhanced": images.mean_image_enhanced,
                "mean_image_ref": images.reference_image,
                "max_img": images.max_image,
                "vcorr_image": images.correlation_image,
                "mean_image_second": images.mean_image_second,
                "x_range": list(images.x_range),
                "y_range": list(images.y_range),
            }
        ]


def motion(place: Row, tifs: list[Row], session_name: str) -> list[Row]:
    """Read how a session's frames moved, a row a plane; what was merged has those of its planes."""
    with open_plane(place) as plane:
        return [_motion(each, tifs, session_name) for each in plane.single_planes]


def _motion(plane: SegmentedPlane, tifs: list[Row], session_name: str) -> Row:
    frames = _slices(plane, tifs)[session_name].frames
    offsets = plane.motion()
    blocks_x, blocks_y = offsets.x_offset_blocks, offsets.y_offset_blocks
    return {
        "center_plane": plane.plane,
        "x_mocor": offsets.x_offset[frames].astype(np.int32),
        "y_mocor": offsets.y_offset[frames].astype(np.int32),
        "bad_frames": offsets.bad_frames[frames],
        "block_mocor_x": None if blocks_x is None else blocks_x[frames],
        "block_mocor_y": None if blocks_y is None else blocks_y[frames],
    }


def _slices(plane: SegmentedPlane, tifs: list[Row]) -> dict[str, Slice]:
    slices = plane.slices({session["session_name"]: session["filenames"] for session in tifs})
    for session in tifs:
        if session["frames"] is not None:
            _check_frames(plane, session, slices[session["session_name"]].num_frames)
    return slices


def _check_frames(plane: SegmentedPlane, session: Row, num_frames: int) -> None:
    """Hold the frames of a session in an output against those in its tifs."""
    tifs = session["frames"]
    per_acquisition: Counter[int] = Counter()
    for acquisition, frames in zip(tifs["acquisitions"], tifs["frames_per_tif"], strict=True):
        per_acquisition[acquisition] += frames
    volumes = sum(frames // tifs["frames_per_volume"] for frames in per_acquisition.values())
    # Where Suite2p was run by hand, the last volume of an acquisition may have gone in although incomplete.
    tolerance = len(per_acquisition) if tifs["frames_per_volume"] > 1 else 0
    if abs(num_frames - volumes) > tolerance:
        raise OutputError(
            f"Session {session['session_name']} has another number of frames in the output than in its tifs",
            path=plane.path,
            found=f"{num_frames} frames in the output",
            allowed=f"{volumes} frames, as in its {len(session['filenames'])} tifs",
            remedy="Run Suite2p again on the tifs that are registered.",
        )
