"""From a Suite2p output to the rows of ``ImagingAnalysis`` and ``Projection``."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from imaging_pipeline.errors import OutputError
from imaging_pipeline.ingest.sessions import Slice, session_slices
from imaging_pipeline.readers import suite2p_output
from imaging_pipeline.readers.suite2p_output import PlaneOutput, Suite2pOutput

from .fetching import Row


@dataclass(frozen=True)
class Analysis:
    """Rows of ``ImagingAnalysis`` and its part ``Suite2py``, without their keys."""

    row: Row
    options: Row


def read_plane(place: Row) -> tuple[Suite2pOutput, PlaneOutput]:
    """Read what an output says of itself, and pick the plane that a dataset is.

    Raises
    ------
    OutputError
        The output is damaged, or the plane is not in it any more.
    """
    root = Path(place["root"])
    output = suite2p_output.read_output(root)
    for plane in (*output.planes, output.combined):
        if plane is not None and plane.label == place["label"]:
            return output, plane
    raise OutputError(
        "A registered plane is not in its Suite2p output any more",
        path=root / place["label"],
        remedy="Put the folder back, or register the folder again.",
    )


def plane_numbers(output: Suite2pOutput, plane: PlaneOutput) -> dict[int | None, int]:
    """Give the microscope's number of a plane by the number that a ROI of this folder states.

    Where planes are combined, Suite2p 1.x counts those that it merged; 0.x counts all, those that it was
    told to leave out too.
    """
    if plane.plane is not None or output.generation == "0.x":
        return {}
    left_out = set(output.options.get("ignore_flyback") or ())
    numbers = range(output.num_planes + len(left_out))
    return dict(enumerate(number for number in numbers if number not in left_out))


def analysis(place: Row, tifs: list[Row], session_name: str) -> Analysis:
    """Find a session's frames in an output, and read the output's options.

    Raises
    ------
    OutputError
        The output was not made of these tifs, or its frames do not add up.
    """
    output, plane = read_plane(place)
    frames = _slices(output, plane, tifs)[session_name]
    (own,) = (session["frames"] for session in tifs if session["session_name"] == session_name)
    options = suite2p_output.options_summary(output.options)
    return Analysis(
        row={
            "plane": plane.plane,
            "first_frame": frames.first_frame,
            "num_frames": frames.num_frames,
            # A person who ran Suite2p may have left its own rate as it was.
            "analysis_rate_hz": own["tif_rate_hz"],
            "is_tif_preproc": own["motion_cor"],
        },
        options={
            "ops_suite2p_version": output.version,
            "ops_fs": options.fs_hz,
            "ops_tau": options.tau_s,
            "ops_nplanes": output.num_planes,
            "ops_nchannels": options.num_channels,
            "ops_functional_chan": options.functional_channel,
            "ops_diameter": None if options.diameter is None else str(options.diameter),
            "ops_neucoeff": options.neuropil_coefficient,
            "ops_batch_size": options.batch_size,
            "ops_nonrigid": options.nonrigid,
            "ops_do_registration": options.do_registration,
            "ops_spatial_scale": options.spatial_scale,
            "ops_threshold_scaling": options.threshold_scaling,
            "ops_options": dict(output.options),
        },
    )


def projections(place: Row) -> list[Row]:
    """Read the images of a plane, or of the mosaic of all planes."""
    _, plane = read_plane(place)
    images = suite2p_output.read_projections(plane)
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
    """Read how a session's frames moved, a row a plane; a combined output has those of its planes."""
    output, plane = read_plane(place)
    planes = output.planes if plane.plane is None else (plane,)
    return [_motion(output, each, tifs, session_name) for each in planes]


def _motion(output: Suite2pOutput, plane: PlaneOutput, tifs: list[Row], session_name: str) -> Row:
    session = _slices(output, plane, tifs)[session_name]
    frames = slice(session.first_frame, session.first_frame + session.num_frames)
    offsets = suite2p_output.read_motion(plane)
    blocks_x, blocks_y = offsets.x_offset_blocks, offsets.y_offset_blocks
    return {
        "center_plane": plane.plane,
        "x_mocor": offsets.x_offset[frames].astype(np.int32),
        "y_mocor": offsets.y_offset[frames].astype(np.int32),
        "bad_frames": offsets.bad_frames[frames],
        "block_mocor_x": None if blocks_x is None else blocks_x[frames],
        "block_mocor_y": None if blocks_y is None else blocks_y[frames],
    }


def _slices(output: Suite2pOutput, plane: PlaneOutput, tifs: list[Row]) -> dict[str, Slice]:
    sessions = {session["session_name"]: session["filenames"] for session in tifs}
    slices = session_slices(plane.folder, output.file_list, plane.frames_per_file, plane.num_frames, sessions)
    for session in tifs:
        if session["frames"] is not None:
            _check_frames(plane, session, slices[session["session_name"]].num_frames)
    return slices


def _check_frames(plane: PlaneOutput, session: Row, num_frames: int) -> None:
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
            path=plane.folder,
            found=f"{num_frames} frames in the output",
            allowed=f"{volumes} frames, as in its {len(session['filenames'])} tifs",
            remedy="Run Suite2p again on the tifs that are registered.",
        )
