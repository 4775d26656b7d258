"""How far the activity of cells stands out of their noise: N cells, T samples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Transients are short and rare beside a whole session: the highest samples but a few are their peaks.
_PEAK_PERCENTILE = 99.0
# Median of absolute values of a normal distribution, in standard deviations.
_MEDIAN_ABSOLUTE = 0.6745


@dataclass(frozen=True)
class SignalToNoise:
    """Signal and noise of each cell; NaN where a cell has fewer than three samples that are numbers.

    Attributes
    ----------
    snr
        float64 (N,), peak over noise.
    noise
        float64 (N,), standard deviation of the noise, in the unit of the traces.
    """

    snr: NDArray[np.float64]
    noise: NDArray[np.float64]


def signal_to_noise(traces: NDArray[np.float32]) -> SignalToNoise:
    """Return the height of each trace's peaks over its noise.

    The noise is estimated from the differences of successive samples, which slow and rare transients hardly
    change: their median absolute deviation over 0.6745 · √2 (as CASCADE does, Rupprecht et al. 2021). The
    signal is the 99th percentile above the median. A trace without noise has no ratio.

    Parameters
    ----------
    traces
        float32 (N, T), dF/F or another trace of each cell; NaN samples do not count.
    """
    measured = [_measured(trace[np.isfinite(trace)]) for trace in traces]
    snr, noise = np.array(measured, np.float64).reshape(-1, 2).T
    return SignalToNoise(snr, noise)


def _measured(trace: NDArray[np.float32]) -> tuple[float, float]:
    if len(trace) < 3:
        return float("nan"), float("nan")
    steps = np.diff(trace.astype(np.float64))
    noise = float(np.median(np.abs(steps - np.median(steps)))) / (_MEDIAN_ABSOLUTE * np.sqrt(2))
    peak = float(np.percentile(trace, _PEAK_PERCENTILE) - np.median(trace))
    return (peak / noise if noise else float("nan")), noise
