"""From a segmentation output to the rows of ``ImagingAnalysis`` and ``Projection``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from imaging_pipeline.errors import OutputError
from imaging_pipeline.schemas.make.fetching import OutputLocation, SessionTifs, TifFrames
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.segmentation.frames import Slice
from imaging_pipeline.segmentation.package import SegmentedPlane
from imaging_pipeline.segmentation.registry import segmentation_package


@dataclass(frozen=True)
class AnalysisRows:
    """Rows of ``ImagingAnalysis`` and of its part for the program, without their keys.

    Attributes
    ----------
    row
        Of ``ImagingAnalysis``.
    part, options
        Name of the part, and its row.
    """

    row: Row
    part: str
    options: Row


def open_plane(output: OutputLocation) -> AbstractContextManager[SegmentedPlane]:
    """Open the plane of an output.

    Raises
    ------
    OutputError, FormatError
        The output is damaged, or no longer has the plane.
    """
    return segmentation_package(output.datasettype).open_plane(Path(output.path))


def analysis_rows(output: OutputLocation, tifs: Sequence[SessionTifs], session_name: str) -> AnalysisRows:
    """Find a session's frames in an output, and read the output's options.

    Raises
    ------
    OutputError
        The output was not made of these tifs, or the number of frames differs.
    """
    (own,) = (session.frames for session in tifs if session.session_name == session_name)
    # The key source has only sessions whose tifs are imported.
    assert own is not None
    with open_plane(output) as plane:
        frames = _slices(plane, tifs)[session_name]
        return AnalysisRows(
            row={
                "plane": plane.plane,
                "first_frame": frames.first_frame,
                "num_frames": frames.num_frames,
                # The rate of the tifs: who ran Suite2p by hand may have left its default rate.
                "analysis_rate_hz": own.rate_hz,
                "is_tif_preproc": own.is_motion_corrected,
                "measured_hash": plane.measured_hash(),
            },
            part=segmentation_package(output.datasettype).part,
            options=dict(plane.options()),
        )


def projection_rows(output: OutputLocation) -> list[Row]:
    """Read the images of a plane, or of the mosaic of all planes."""
    with open_plane(output) as plane:
        images = plane.projections()
        return [
            {
                # A primary key cannot be null.
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


def motion_rows(output: OutputLocation, tifs: Sequence[SessionTifs], session_name: str) -> list[Row]:
    """Read how a session's frames moved: a row for each plane, also of an output that merges planes."""
    with open_plane(output) as plane:
        return [_motion_row(single, tifs, session_name) for single in plane.single_planes]


def _motion_row(plane: SegmentedPlane, tifs: Sequence[SessionTifs], session_name: str) -> Row:
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


def _slices(plane: SegmentedPlane, tifs: Sequence[SessionTifs]) -> dict[str, Slice]:
    slices = plane.slices({session.session_name: session.filenames for session in tifs})
    for session in tifs:
        # Only the job's own session has frames; each of the others is checked by its own job.
        if session.frames is not None:
            _check_frames(plane, session, session.frames, slices[session.session_name].num_frames)
    return slices


def _check_frames(plane: SegmentedPlane, session: SessionTifs, tifs: TifFrames, num_frames: int) -> None:
    """Compare the number of a session's frames in an output with that in its tifs."""
    per_acquisition: Counter[int] = Counter()
    for acquisition, frames in zip(tifs.acquisitions, tifs.frames_per_tif, strict=True):
        per_acquisition[acquisition] += frames
    # A run takes only the complete volumes of each acquisition.
    volumes = sum(frames // tifs.frames_per_volume for frames in per_acquisition.values())
    # In a run by hand, Suite2p may have taken the last volume of an acquisition although it is incomplete.
    tolerance = len(per_acquisition) if tifs.frames_per_volume > 1 else 0
    if abs(num_frames - volumes) > tolerance:
        raise OutputError(
            f"Session {session.session_name} has another number of frames in the output than in its tifs",
            path=plane.path,
            found=f"{num_frames} frames in the output",
            allowed=f"{volumes} frames, as in its {len(session.filenames)} tifs",
            remedy="Run Suite2p again on the tifs that are registered.",
        )
