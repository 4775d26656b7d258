"""From a segmentation output to the rows of ``ImagingAnalysis`` and ``Projection``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from imaging_pipeline.schemas.make.fetching import OutputLocation, SessionTifs, TifFrames
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.segmentation.frames import Slice
from imaging_pipeline.segmentation.package import SegmentedPlane
from imaging_pipeline.segmentation.registry import segmentation_package
from imaging_pipeline.segmentation.volumes import (
    RecordedStack,
    by_acquisition,
    check_frames,
    check_in_step,
    check_planes,
    check_total,
)


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
            options={**plane.options(), **plane.pixel_options(own.datatype)},
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
        # Those that merged planes have in common: an early one may have a frame more at its end.
        frames = _slices(plane, tifs)[session_name].frames
        return [_motion_row(single, frames) for single in plane.single_planes]


def _motion_row(plane: SegmentedPlane, frames: slice) -> Row:
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
    _check_in_step(plane, tifs, slices)
    for session in tifs:
        # Only the job's own session has frames; each of the others is checked by its own job.
        if session.frames is not None:
            check_planes(plane.path, plane.sorting(), plane.plane, session.frames.planes)
            _check_frames(plane, session, session.frames, slices[session.session_name])
    return slices


def _check_in_step(plane: SegmentedPlane, tifs: Sequence[SessionTifs], slices: Mapping[str, Slice]) -> None:
    """Check that no acquisition of any session has shifted the planes of those after it."""
    if not plane.frames_per_file:
        return
    in_order = sorted(tifs, key=lambda session: slices[session.session_name].first_file or 0)
    acquisitions = [(session.session_name, number) for session in in_order for number in session.acquisitions]
    check_in_step(plane.path, plane.sorting(), acquisitions, is_ours=plane.is_of_pipeline)


def _check_frames(plane: SegmentedPlane, session: SessionTifs, tifs: TifFrames, piece: Slice) -> None:
    """Compare the number of a session's frames in an output with that in its tifs."""
    stack = RecordedStack(by_acquisition(session.acquisitions, tifs.frames_per_tif), tifs.frames_per_volume)
    if piece.first_file is None:
        check_total(plane.path, session.session_name, stack, piece.num_frames, position=plane.position or 0)
        return
    end = piece.first_file + len(session.acquisitions)
    taken = by_acquisition(session.acquisitions, plane.frames_per_file[piece.first_file : end])
    is_last = end == len(plane.frames_per_file)
    check_frames(plane.path, session.session_name, stack, taken, position=plane.position if is_last else None)
