"""Traces in a result of Suite2p for MATLAB: an array a session."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from imaging_pipeline.errors import OutputError
from imaging_pipeline.readers.matlab.value import MatlabValue, single_numbers
from imaging_pipeline.readers.suite2p.traces import Trace, Traces

_ARRAYS = ("Fcell", "FcellNeu", "sp")
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
    return single_numbers(result.field("stat").each("neuropilCoefficient"))


def read_measured_hash(result: MatlabValue) -> str:
    """Return 16 hexadecimal characters of all but the labels: traces at some frames, coefficients and pixels.

    A person's curation leaves them as they are; another deconvolution or another run does not.
    """
    digest = hashlib.blake2b(digest_size=8)
    for name in _ARRAYS:
        for array in result.field(name).cells() if result.optional(name) else ():
            digest.update(str((name, array.shape)).encode())
            frames = np.unique(np.linspace(0, array.shape[1] - 1, _SAMPLED_FRAMES, dtype=np.int64))
            _add(digest, array.columns(frames.tolist()) if 0 not in array.shape else np.zeros(0))
    _add(digest, read_neuropil_coefficients(result))
    for name in ("xpix", "ypix"):
        for pixels in result.field("stat").each(name):
            _add(digest, pixels.vector())
    return digest.hexdigest()


def _add(digest: hashlib.blake2b, numbers: NDArray[np.number]) -> None:
    # Which type a number has is the choice of whoever wrote the file.
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
