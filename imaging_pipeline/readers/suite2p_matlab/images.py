"""Images in a result of Suite2p for MATLAB, and how it moved the frames."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from imaging_pipeline.errors import OutputError
from imaging_pipeline.readers.matlab.value import MatlabValue
from imaging_pipeline.readers.suite2p.images import Image, Projections, full_frame
from imaging_pipeline.readers.suite2p.motion import Motion


def read_projections(result: MatlabValue) -> Projections:
    """Read the images of a plane; an image that its run did not make is None.

    Raises
    ------
    FormatError
        The mean image or the part of the frame that was analysed is missing.
    OutputError
        An image is neither of the frames' size nor of that part's.
    """
    ops = result.field("ops")
    mean_image = ops.field("mimg1").numbers()
    y_range, x_range = _range(ops, "yrange"), _range(ops, "xrange")

    def image(name: str) -> Image | None:
        value = ops.optional(name)
        if value is None:
            return None
        return full_frame(result.path, name, value.numbers(), mean_image.shape, y_range, x_range)

    return Projections(
        mean_image=image("mimg1"),
        mean_image_enhanced=None,
        max_image=None,
        correlation_image=image("Vcorr"),
        mean_image_second=image("mimgRED"),
        mean_image_second_corrected=image("mimgREDcorrected"),
        reference_image=image("mimg"),
        x_range=x_range,
        y_range=y_range,
    )


def read_motion(result: MatlabValue, num_frames: int) -> Motion:
    """Read how the frames of all sessions were moved; offsets of 0 where the run registered nothing.

    ``ops.DS`` is (frames, 2) or, with blocks, (frames, 2, blocks), y before x, in fractions of a pixel. Whole
    pixels of a frame's mean are its offset, and what is left is that of its blocks, of which a frame
    that moved as a whole has one.

    Parameters
    ----------
    result
        The open result.
    num_frames
        Frames of all sessions.

    Raises
    ------
    OutputError
        There are not as many offsets as frames.
    """
    ops = result.field("ops")
    stated = ops.optional("DS")
    offsets = np.zeros((num_frames, 2, 1)) if stated is None else stated.numbers().astype(np.float64)
    offsets = offsets.reshape(*offsets.shape[:2], -1)
    if len(offsets) != num_frames:
        raise OutputError(
            "There are not as many offsets as frames",
            path=result.path,
            found=f"ops.DS of {len(offsets)}",
            allowed=num_frames,
            remedy="Run Suite2p again; a file mixed from two runs cannot be imported.",
        )
    whole = np.rint(offsets.mean(axis=2)).astype(np.int64)
    rest = (offsets - whole[:, :, None]).astype(np.float32)
    blocks = rest if rest.any() else None
    return Motion(
        x_offset=whole[:, 1],
        y_offset=whole[:, 0],
        correlation=_correlation(ops, num_frames),
        bad_frames=_bad_frames(ops, num_frames),
        x_offset_blocks=None if blocks is None else blocks[:, 1],
        y_offset_blocks=None if blocks is None else blocks[:, 0],
        components=None,
    )


def _correlation(ops: MatlabValue, num_frames: int) -> NDArray[np.float32]:
    stated = ops.optional("CorrFrame")
    if stated is None:
        return np.full(num_frames, np.nan, np.float32)
    correlation: NDArray[np.float32] = (
        stated.numbers().reshape(num_frames, -1).mean(axis=1).astype(np.float32)
    )
    return correlation


def _bad_frames(ops: MatlabValue, num_frames: int) -> NDArray[np.bool_]:
    stated = ops.optional("badframes")
    return np.zeros(num_frames, np.bool_) if stated is None else stated.vector().astype(np.bool_)


def _range(ops: MatlabValue, name: str) -> tuple[int, int]:
    """Return the first row or column from 0, and the one after the last; the file lists all from 1."""
    listed = ops.field(name).vector()
    return int(listed[0]) - 1, int(listed[-1])
