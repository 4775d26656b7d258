"""Traces and images in a result of Suite2p for MATLAB, and how far the frames had moved."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from imaging_pipeline.errors import OutputError
from imaging_pipeline.readers.matlab.value import MatlabValue, single_numbers
from imaging_pipeline.readers.suite2p.images import Image, Projections, full_frame
from imaging_pipeline.readers.suite2p.motion import Motion, require_num_frames
from imaging_pipeline.readers.suite2p.traces import Trace, Traces

_ARRAYS = ("Fcell", "FcellNeu", "sp")
# With another number every registered result would seem to be of another run.
_SAMPLED_FRAMES = 64


def read_traces(result: MatlabValue, session: int) -> Traces:
    """Read the traces of one session; those of others are not read from an HDF5 file.

    Parameters
    ----------
    result
        The open result.
    session
        Position of the session among those of the result, from 0.

    Returns
    -------
    Traces
        float32 (N, T) each; ``spikes`` is None where the result was not deconvolved.

    Raises
    ------
    OutputError
        The arrays disagree about regions, frames or sessions.
    """
    fluo = _array(result, "Fcell", session)
    neuropil = _array(result, "FcellNeu", session, fluo.shape)
    has_spikes = result.optional("sp") is not None
    return Traces(
        fluo=fluo,
        neuropil=neuropil,
        spikes=_array(result, "sp", session, fluo.shape) if has_spikes else None,
        fluo_chan2=None,
        neuropil_chan2=None,
    )


def read_neuropil_coefficients(result: MatlabValue) -> NDArray[np.float64]:
    """Read float64 (N,): which part of the neuropil is subtracted, for each region one of its own.

    Raises
    ------
    FormatError
        The result does not say.
    """
    return single_numbers(result.field("stat").field_values("neuropilCoefficient"))


def read_measured_hash(result: MatlabValue) -> str:
    """Return 16 hexadecimal characters of all but the labels: traces at some frames, coefficients and pixels.

    A person's curation leaves them as they are; another deconvolution or another run does not.
    """
    digest = hashlib.blake2b(digest_size=8)
    for name in _ARRAYS:
        for array in result.field(name).cells() if result.optional(name) else ():
            digest.update(str((name, array.shape)).encode())
            # A selection must ascend, each frame once; a short session has fewer.
            frames = np.unique(np.linspace(0, array.shape[1] - 1, _SAMPLED_FRAMES, dtype=np.int64))
            _add(digest, array.columns(frames.tolist()) if 0 not in array.shape else np.zeros(0))
    _add(digest, read_neuropil_coefficients(result))
    for name in ("xpix", "ypix"):
        for pixels in result.field("stat").field_values(name):
            _add(digest, pixels.vector())
    return digest.hexdigest()


def _add(digest: hashlib.blake2b, numbers: NDArray[np.number]) -> None:
    # The type of a number depends on the program that wrote the file, not on the measurement.
    digest.update(np.ascontiguousarray(numbers, np.float64).tobytes())


def _array(result: MatlabValue, name: str, session: int, expected: Sequence[int] | None = None) -> Trace:
    sessions = result.field(name).cells()
    shape = sessions[session].shape if session < len(sessions) else None
    if shape is None or (expected is not None and shape != tuple(expected)):
        raise OutputError(
            f"{name} and Fcell disagree about sessions, regions or frames",
            path=result.path,
            found=f"{name} of {len(sessions)} sessions, and of shape {shape} in session {session + 1}",
            allowed=f"shape {expected or 'of the regions'}",
            remedy="Run Suite2p again, with its deconvolution.",
        )
    # Fcell is of single precision: nothing is copied of what is in memory already.
    return sessions[session].numbers().astype(np.float32, copy=False)


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
    """Read how far the frames of all sessions had moved; offsets of 0 where the run registered nothing.

    ``ops.DS`` is (frames, 2) or, with blocks, (frames, 2, blocks), y before x, in fractions of a pixel;
    frames were moved by minus that, as by Suite2p for Python. Whole pixels of a frame's mean are its offset,
    and what is left is that of its blocks, of which a frame that moved as a whole has one.

    Parameters
    ----------
    result
        The open result.
    num_frames
        Frames of all sessions.

    Raises
    ------
    OutputError
        A value of each frame is there for more or fewer frames.
    """
    ops = result.field("ops")
    stated = ops.optional("DS")
    offsets = np.zeros((num_frames, 2, 1)) if stated is None else stated.numbers().astype(np.float64)
    offsets = offsets.reshape(*offsets.shape[:2], -1)
    require_num_frames(result.path, "ops.DS", len(offsets), num_frames)
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
    of_blocks = stated.numbers()
    require_num_frames(stated.path, "ops.CorrFrame", len(of_blocks), num_frames)
    correlation: NDArray[np.float32] = of_blocks.reshape(num_frames, -1).mean(axis=1).astype(np.float32)
    return correlation


def _bad_frames(ops: MatlabValue, num_frames: int) -> NDArray[np.bool_]:
    stated = ops.optional("badframes")
    if stated is None:
        return np.zeros(num_frames, np.bool_)
    bad_frames: NDArray[np.bool_] = stated.vector().astype(np.bool_)
    require_num_frames(stated.path, "ops.badframes", len(bad_frames), num_frames)
    return bad_frames


def _range(ops: MatlabValue, name: str) -> tuple[int, int]:
    """Return the first row or column from 0, and the one after the last; the file lists all from 1."""
    listed = ops.field(name).vector()
    return int(listed[0]) - 1, int(listed[-1])
