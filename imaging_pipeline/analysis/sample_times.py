"""When the samples of a session's traces were taken, and where there is a gap between them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from imaging_pipeline.errors import OutputError

# Samples follow each other to a millionth of their interval; a lost frame doubles it.
_GAP_INTERVALS = 1.5

Seconds = NDArray[np.float64]


def sample_times(
    frame_times_s: Seconds,
    frames_per_acquisition: Sequence[int],
    *,
    frames_per_volume: int,
    frame_in_volume: int,
    num_samples: int,
) -> Seconds:
    """Return when the samples of a plane were taken, of which each volume gives one.

    A volume does not go on from one acquisition to the next: what is left of an acquisition gives no sample,
    but the last one may give one where the plane is still in it.

    Parameters
    ----------
    frame_times_s
        float64 (frames,), when each frame was taken.
    frames_per_acquisition
        Of the frames, how many each acquisition has, in order.
    frames_per_volume, frame_in_volume
        Frames of a volume, and which of them is the plane's first, from 0.
    num_samples
        Samples of the traces.

    Returns
    -------
    numpy.ndarray
        float64 (num_samples,), on the same clock; the start of each frame.

    Raises
    ------
    OutputError
        The volumes of the acquisitions are not as many as the samples.
    """
    starts = np.cumsum([0, *frames_per_acquisition])
    whole = [
        start + frames_per_volume * np.arange(num_frames // frames_per_volume)
        for start, num_frames in zip(starts, frames_per_acquisition, strict=False)
    ]
    frames = np.concatenate([*whole, np.empty(0, np.int64)]) + frame_in_volume
    begun = starts[-1] - frames_per_acquisition[-1] % frames_per_volume + frame_in_volume
    if len(frames) + 1 == num_samples and begun < starts[-1]:
        frames = np.append(frames, begun)
    if len(frames) != num_samples:
        raise OutputError(
            "The samples of a session's traces are not as many as its volumes",
            found=f"{num_samples} samples",
            allowed=f"{len(frames)}, as in {len(frames_per_acquisition)} acquisitions",
            remedy="Run Suite2p again on the tifs that are registered.",
        )
    return frame_times_s[frames.astype(np.int64)]


def gapless_starts(times_s: Seconds) -> list[int]:
    """Return where each stretch of samples begins that has no gap, as between acquisitions or at lost frames.

    Parameters
    ----------
    times_s
        float64 (T,), rising.
    """
    if not len(times_s):
        return []
    intervals_s = np.diff(times_s)
    is_gap = intervals_s > _GAP_INTERVALS * np.median(intervals_s) if len(intervals_s) else intervals_s > 0
    return [0, *(np.flatnonzero(is_gap) + 1).tolist()]
