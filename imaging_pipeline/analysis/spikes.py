"""Deconvolved spikes that stand out: N cells, T samples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imaging_pipeline.errors import InputError


@dataclass(frozen=True)
class FilteredSpikes:
    """Spikes above each cell's own threshold.

    Attributes
    ----------
    spikes
        float32 (N, T), deconvolved activity as it was where it is above the threshold, else 0; NaN where it
        is no finite number.
    thresholds
        float32 (N,), in the unit of the spikes; NaN where a cell has no finite sample.
    num_invalid
        int64 (N,), how many samples of each cell are NaN.
    """

    spikes: NDArray[np.float32]
    thresholds: NDArray[np.float32]
    num_invalid: NDArray[np.int64]


def filtered_spikes(spikes: NDArray[np.float32], num_std: float) -> FilteredSpikes:
    """Keep the spikes above mean + ``num_std`` · standard deviation of the cell's own spikes.

    Mean and (population) standard deviation are over all samples, silent ones included, but not over those
    that are no finite number. A cell whose samples are all equal keeps nothing.

    Parameters
    ----------
    spikes
        float32 (N, T), deconvolved activity; may be memory-mapped.
    num_std
        Standard deviations above the mean; 0 or more.

    Raises
    ------
    InputError
        When ``spikes`` has not two dimensions and at least one sample, or ``num_std`` is negative.
    """
    if spikes.ndim != 2 or spikes.shape[1] == 0:
        raise InputError(
            "Spikes are not (cells, samples)",
            found=f"shape {spikes.shape}",
            remedy="Give an array of cells and samples that has at least one sample.",
        )
    if not 0 <= num_std < np.inf:
        raise InputError(
            "The spike threshold is out of range",
            found=f"{num_std} standard deviations",
            allowed="0 or more",
            remedy="Give a number of 0 or more.",
        )
    thresholds = np.array([_threshold(cell, num_std) for cell in spikes], np.float32)
    filtered = np.where(spikes > thresholds[:, None], spikes, np.float32(0)).astype(np.float32, copy=False)
    is_invalid = ~np.isfinite(spikes)
    # 0 would say that the cell was silent, which nobody knows.
    filtered[is_invalid] = np.nan
    return FilteredSpikes(filtered, thresholds, np.count_nonzero(is_invalid, axis=1).astype(np.int64))


def _threshold(spikes: NDArray[np.float32], num_std: float) -> float:
    """Return one cell's threshold; in float64, since float32 sums of long recordings lose digits."""
    finite = spikes[np.isfinite(spikes)]
    if not len(finite):
        return float("nan")
    return float(finite.mean(dtype=np.float64) + num_std * finite.std(dtype=np.float64))
