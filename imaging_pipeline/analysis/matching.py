"""How well found ROIs agree with cells that are known: N cells, R ROIs, M pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imaging_pipeline.errors import InputError

Pixels = tuple[NDArray[np.integer], NDArray[np.integer]]
"""y and x of a cell's or ROI's pixels."""


@dataclass(frozen=True)
class Match:
    """Pairs of a known cell and the ROI that was found for it, one to one.

    Attributes
    ----------
    cells, rois
        int64 (M,), indices of the pairs' cells and ROIs.
    distances_px
        float64 (M,), between their centres.
    num_cells, num_rois
        N and R.
    """

    cells: NDArray[np.int64]
    rois: NDArray[np.int64]
    distances_px: NDArray[np.float64]
    num_cells: int
    num_rois: int

    @property
    def recall(self) -> float:
        """Share of the cells that were found; NaN without cells."""
        return len(self.cells) / self.num_cells if self.num_cells else float("nan")

    @property
    def precision(self) -> float:
        """Share of the ROIs that are cells; NaN without ROIs."""
        return len(self.rois) / self.num_rois if self.num_rois else float("nan")

    def recall_among(self, is_counted: NDArray[np.bool_]) -> float:
        """Return the recall among the cells for which ``is_counted``, bool (N,), is true."""
        num_counted = np.count_nonzero(is_counted)
        return float(is_counted[self.cells].sum() / num_counted) if num_counted else float("nan")


def match_centres(
    cell_centres_px: NDArray[np.floating], roi_centres_px: NDArray[np.floating], max_distance_px: float
) -> Match:
    """Pair cells with ROIs so that as many as possible are paired, then as closely as possible.

    Parameters
    ----------
    cell_centres_px, roi_centres_px
        (N, 2) and (R, 2), y and x.
    max_distance_px
        Largest distance of a pair, for example one cell radius.

    Raises
    ------
    InputError
        When the centres have another shape.
    """
    from scipy.optimize import linear_sum_assignment

    for what, centres_px in (("cells", cell_centres_px), ("ROIs", roi_centres_px)):
        if centres_px.ndim != 2 or centres_px.shape[1] != 2:
            raise InputError(
                f"The centres of the {what} are not y and x",
                found=f"shape {centres_px.shape}",
                allowed="(n, 2)",
                remedy="Give y and x of each.",
            )
    offsets_px = cell_centres_px[:, None].astype(np.float64) - roi_centres_px[None]
    distances_px = np.hypot(offsets_px[..., 0], offsets_px[..., 1])
    is_near = distances_px <= max_distance_px
    # One pair too far must cost more than all near ones together, or near pairs would be dropped for it.
    too_far = (max_distance_px + 1) * (min(distances_px.shape) + 1)
    cells, rois = linear_sum_assignment(np.where(is_near, distances_px, too_far))
    # The assignment pairs all that it can, those too far apart among them.
    is_pair = is_near[cells, rois]
    cells, rois = cells[is_pair].astype(np.int64), rois[is_pair].astype(np.int64)
    return Match(cells, rois, distances_px[cells, rois], *distances_px.shape)


def overlaps(match: Match, cells: Sequence[Pixels], rois: Sequence[Pixels]) -> NDArray[np.float64]:
    """Return float64 (M,): of each pair the pixels in common, as a share of those in either.

    Parameters
    ----------
    match
        The pairs.
    cells, rois
        Pixels of the N cells and R ROIs, each pixel once.
    """
    shares = np.empty(len(match.cells))
    for pair, (cell, roi) in enumerate(zip(match.cells, match.rois, strict=True)):
        in_cell = set(zip(*(axis.tolist() for axis in cells[cell]), strict=True))
        in_roi = set(zip(*(axis.tolist() for axis in rois[roi]), strict=True))
        shares[pair] = len(in_cell & in_roi) / len(in_cell | in_roi)
    return shares


def trace_correlations(
    match: Match, cell_traces: NDArray[np.floating], roi_traces: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Return float64 (M,): Pearson's r between each pair's traces.

    Samples that are NaN in either trace are left out; NaN where a trace does not vary.

    Parameters
    ----------
    match
        The pairs.
    cell_traces, roi_traces
        (N, T) and (R, T), for example true calcium and dF/F.

    Raises
    ------
    InputError
        When the numbers of samples differ.
    """
    if cell_traces.shape[1] != roi_traces.shape[1]:
        raise InputError(
            "The traces of cells and ROIs are not equally long",
            found=f"{cell_traces.shape[1]} and {roi_traces.shape[1]} samples",
            remedy="Give traces of equal length.",
        )
    pairs = zip(cell_traces[match.cells], roi_traces[match.rois], strict=True)
    return np.array([_correlation(one, other) for one, other in pairs], np.float64)


def _correlation(one: NDArray[np.floating], other: NDArray[np.floating]) -> float:
    both = np.isfinite(one) & np.isfinite(other)
    x, y = one[both].astype(np.float64), other[both].astype(np.float64)
    # corrcoef would divide by a standard deviation of 0.
    if len(x) < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return float("nan")
    return float(np.corrcoef(x, y)[0, 1])
