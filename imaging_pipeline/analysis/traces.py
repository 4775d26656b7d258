"""From raw fluorescence to dF/F: N cells, T samples."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from imaging_pipeline import progress
from imaging_pipeline.errors import InputError

CELLS_PER_REPORT = 100


@dataclass(frozen=True)
class Spread:
    """How the samples of each cell are distributed; NaN where a cell has no sample that is a number.

    Attributes
    ----------
    std
        float64 (N,), standard deviation, in the unit of the traces.
    skew
        float64 (N,), third moment over the cube of the standard deviation, without unit; NaN where all
        samples are equal.
    """

    std: NDArray[np.float64]
    skew: NDArray[np.float64]


@dataclass(frozen=True)
class DeltaF:
    """Relative change of fluorescence.

    Attributes
    ----------
    df_f
        float32 (N, T), without unit; NaN where the baseline is not above 0.
    num_invalid
        int64 (N,), how many samples of each cell are NaN for that reason.
    """

    df_f: NDArray[np.float32]
    num_invalid: NDArray[np.int64]


def corrected(
    fluo: NDArray[np.float32], neuropil: NDArray[np.float32], coefficient: float | NDArray[np.floating]
) -> NDArray[np.float32]:
    """Take the neuropil's light from the cells': ``fluo - coefficient * neuropil``.

    Parameters
    ----------
    fluo, neuropil
        float32 (N, T), in counts; may be memory-mapped.
    coefficient
        The share of the neuropil's light that is in the cells', as the run used it: one for all, or (N,).

    Returns
    -------
    ndarray
        float32 (N, T), in counts.

    Raises
    ------
    InputError
        When the shapes differ, or the coefficient is no finite number.
    """
    _check_alike("Fluorescence and neuropil", fluo, neuropil)
    if not np.isfinite(coefficient).all():
        raise InputError(
            "The neuropil coefficient is no finite number",
            found=coefficient,
            allowed="usually 0 to 1",
            remedy="Give the coefficient with which the neuropil was subtracted.",
        )
    shares = np.asarray(coefficient, np.float32).reshape(-1, 1)
    # One new array and no second: traces of all cells may be gigabytes.
    fcorr = np.multiply(neuropil, -shares, dtype=np.float32)
    fcorr += fluo
    return fcorr


def baseline(
    fcorr: NDArray[np.float32], frame_rate_hz: float, percentile: float, window_s: float
) -> NDArray[np.float32]:
    """Return F0, the running percentile of each cell's fluorescence.

    F0 of a sample is the value of rank ⌊percentile / 100 · n⌋ among the n samples of the window
    around it. Nearer to an end of the recording than half a window it is that of the first or last
    whole window, so that every value rests on as many samples. A recording shorter than the window
    is one window, its F0 one value.

    Parameters
    ----------
    fcorr
        float32 (N, T).
    frame_rate_hz
        Samples of a cell in a second.
    percentile
        From 0, the minimum, to 100, the maximum.
    window_s
        Length of the window.

    Returns
    -------
    ndarray
        float32 (N, T), in the unit of ``fcorr``; NaN where a sample of the window is NaN.

    Raises
    ------
    InputError
        When a parameter is out of its range.
    """
    # Imported where it is used, so that importing the package does not load scipy.
    from scipy.ndimage import maximum_filter1d, rank_filter

    _check_window(frame_rate_hz, percentile, window_s)
    num_cells, num_samples = fcorr.shape
    length = min(num_samples, max(1, round(window_s * frame_rate_hz)))
    rank = _rank(percentile, length)
    # scipy's window around sample i begins at i - length // 2: the samples whose windows are the first and
    # the last whole ones.
    first = length // 2
    last = num_samples - length + first
    f0 = np.empty((num_cells, num_samples), np.float32)
    # Without samples the window would have none, which scipy refuses.
    for cell in range(num_cells if num_samples else 0):
        samples = np.ascontiguousarray(fcorr[cell])
        # One cell a call: only the one-dimensional filter's time does not grow with the window.
        rank_filter(samples, rank, size=length, output=f0[cell])
        is_nan = np.isnan(samples)
        if is_nan.any():
            # NaN has no rank, and would disturb the order of samples in windows that it has left.
            rank_filter(np.where(is_nan, np.float32(np.inf), samples), rank, size=length, output=f0[cell])
            f0[cell, maximum_filter1d(is_nan.astype(np.uint8), length) > 0] = np.nan
        # Nearer to the ends scipy has mirrored the samples.
        f0[cell, :first] = f0[cell, first]
        f0[cell, last:] = f0[cell, last]
        if cell % CELLS_PER_REPORT == 0:
            progress.report("baseline", cell, num_cells)
    return f0


def _rank(percentile: float, length: int) -> int:
    """Return ⌊percentile / 100 · length⌋, at most the last rank; ranks count from 0."""
    # As the percentile was typed, and exactly: in floating-point numbers 29 / 100 · 100 is below 29.
    return min(int(Fraction(repr(float(percentile))) * length / 100), length - 1)


def spread(fcorr: NDArray[np.float32]) -> Spread:
    """Return standard deviation and skewness of each cell's samples, both of the population.

    Suite2p measures its regions so, over all frames of a run. Samples that are NaN do not count.

    Parameters
    ----------
    fcorr
        float32 (N, T); may be memory-mapped.
    """
    moments = [_std_and_skew(samples[np.isfinite(samples)]) for samples in fcorr]
    std, skew = np.array(moments, np.float64).reshape(-1, 2).T
    return Spread(std, skew)


def _std_and_skew(samples: NDArray[np.float32]) -> tuple[float, float]:
    if not len(samples):
        return float("nan"), float("nan")
    # In float64: sums of the cubes of long recordings lose digits in float32.
    deviations = samples - samples.mean(dtype=np.float64)
    std = float(np.sqrt(np.mean(deviations**2)))
    is_constant = samples.min() == samples.max()
    return std, float("nan") if is_constant else float(np.mean(deviations**3)) / std**3


def delta_f_over_f(fcorr: NDArray[np.float32], f0: NDArray[np.float32]) -> DeltaF:
    """Return ``(fcorr - f0) / f0``, and NaN where ``f0`` is not above 0.

    Parameters
    ----------
    fcorr, f0
        float32 (N, T), in one unit.

    Raises
    ------
    InputError
        When the shapes differ.
    """
    _check_alike("Fluorescence and baseline", fcorr, f0)
    # Not the same as f0 <= 0: NaN is no baseline either.
    is_invalid = ~(f0 > 0)
    df_f = np.subtract(fcorr, f0, dtype=np.float32)
    np.divide(df_f, f0, out=df_f, where=~is_invalid)
    df_f[is_invalid] = np.nan
    return DeltaF(df_f, np.count_nonzero(is_invalid, axis=1).astype(np.int64))


def _check_alike(what: str, one: NDArray[np.float32], other: NDArray[np.float32]) -> None:
    if one.ndim != 2 or one.shape != other.shape:
        raise InputError(
            f"{what} are not of the same cells and samples",
            found=f"shapes {one.shape} and {other.shape}",
            allowed="two arrays (cells, samples) of equal shape",
            remedy="Give two arrays of the same cells and samples.",
        )


def _check_window(frame_rate_hz: float, percentile: float, window_s: float) -> None:
    for name, value in (("frame rate in Hz", frame_rate_hz), ("window in s", window_s)):
        if not 0 < value < np.inf:
            raise InputError(
                f"The baseline's {name} is out of range",
                found=value,
                allowed="above 0",
                remedy="Give a finite number above 0.",
            )
    if not 0 <= percentile <= 100:
        raise InputError(
            "The baseline's percentile is out of range",
            found=percentile,
            allowed="0 to 100",
            remedy="Give a percentile from 0 to 100.",
        )
