"""Long traces for narrow pictures: no peak is lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from imaging_pipeline.errors import InputError


@dataclass(frozen=True)
class Decimated:
    """Points to draw a line through.

    Attributes
    ----------
    samples
        int64 (P,), where each point lies, in samples from the first one of the trace.
    values
        float32 (N, P), of each trace; NaN where a stretch has no number.
    """

    samples: NDArray[np.int64]
    values: NDArray[np.float32]


def decimated(traces: NDArray[np.float32], num_points: int) -> Decimated:
    """Return the lowest and the highest sample of each stretch of equally many samples.

    Where there are no more samples than points, they are returned as they are.

    Parameters
    ----------
    traces
        float32 (N, T); NaN samples do not count.
    num_points
        At most so many points, 2 or more; two for each stretch.

    Raises
    ------
    InputError
        ``num_points`` is less than 2.
    """
    if num_points < 2:
        raise InputError(
            "A trace cannot be drawn",
            found=f"{num_points} points",
            allowed="2 or more",
            remedy="Ask for more.",
        )
    length = traces.shape[1]
    if length <= num_points:
        return Decimated(np.arange(length), np.array(traces, np.float32))
    # The length of a stretch is rounded up: rounded down there would be more stretches than allowed.
    starts = np.arange(0, length, -(-length // (num_points // 2)))
    values = np.empty((len(traces), len(starts), 2), np.float32)
    # Unlike minimum and maximum, these pass over NaN.
    np.fmin.reduceat(traces, starts, axis=1, out=values[..., 0])
    np.fmax.reduceat(traces, starts, axis=1, out=values[..., 1])
    # The highest sample of a stretch is drawn in its middle: the picture has no room to tell where it is.
    middles = starts + np.diff(starts, append=length) // 2
    return Decimated(np.stack([starts, middles], axis=1).ravel(), values.reshape(len(traces), -1))


def decimated_stretches(traces: NDArray[np.float32], starts: Sequence[int], num_points: int) -> Decimated:
    """Return the points of traces with gaps: none is of samples on both sides of a gap.

    Parameters
    ----------
    traces
        float32 (N, T); NaN samples do not count.
    starts
        Where stretches without a gap begin, in samples; those outside the traces do not count.
    num_points
        About so many points: each stretch has two at least, or all its samples.

    Raises
    ------
    InputError
        ``num_points`` is less than 2.
    """
    length = traces.shape[1]
    edges = [0, *(start for start in starts if 0 < start < length), length]
    parts = []
    for first, end in pairwise(edges):
        share = num_points if length <= num_points else max(num_points * (end - first) // length, 2)
        part = decimated(traces[:, first:end], share)
        parts.append(Decimated(part.samples + first, part.values))
    return Decimated(
        np.concatenate([part.samples for part in parts]),
        np.concatenate([part.values for part in parts], axis=1),
    )
