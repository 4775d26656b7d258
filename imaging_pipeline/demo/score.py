"""How well an analysis agrees with the truth of a synthetic movie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imaging_pipeline.analysis.matching import Pixels, match_centres, overlaps, trace_correlations
from imaging_pipeline.demo.truth import Truth


@dataclass(frozen=True)
class FoundCells:
    """The cells of an analysis, without the ROIs that it rejects: R ROIs, T frames.

    Attributes
    ----------
    centres_px
        (R, 2), y and x.
    pixels
        y and x of each ROI's pixels.
    traces
        (R, T), dF/F or another measure of their activity.
    """

    centres_px: NDArray[np.floating]
    pixels: Sequence[Pixels]
    traces: NDArray[np.floating]


@dataclass(frozen=True)
class Score:
    """Agreement of found cells with the true ones.

    A true cell is found when a ROI's centre lies within one cell radius of its own, one ROI a cell.
    Registration may move the whole image by up to the drift: the median displacement of the pairs is
    corrected first. A cell that never fired cannot be found by its activity, so that recall counts only
    cells that did.

    Attributes
    ----------
    num_cells, num_active, num_found
        True cells, those of them that fired, and ROIs.
    recall
        Fraction of the active cells that were found.
    precision
        Fraction of the ROIs that are a true cell.
    median_overlap
        Common pixels of a ROI and its cell, as a fraction of the pixels in either.
    median_correlation
        Pearson's r of a ROI's trace and its cell's true calcium.
    max_distance_px
        The allowed distance between centres, a cell radius.
    displacement_px
        y and x by which the registered image is moved against the true one.
    """

    num_cells: int
    num_active: int
    num_found: int
    recall: float
    precision: float
    median_overlap: float
    median_correlation: float
    max_distance_px: float
    displacement_px: tuple[float, float]

    def __str__(self) -> str:
        num_silent = self.num_cells - self.num_active
        silent = f"{num_silent} that never fired left out" if num_silent else "all of which fired"
        return (
            f"{self.num_found} cells found; recall {self.recall:.3f} of {self.num_active} true cells, "
            f"{silent}; precision {self.precision:.3f} (centres within {self.max_distance_px:.1f} px); "
            f"median overlap {self.median_overlap:.2f}, "
            f"median correlation with true calcium {self.median_correlation:.3f}"
        )


def score(truth: Truth, found: FoundCells) -> Score:
    """Return how well the found cells of a movie agree with its truth.

    Raises
    ------
    InputError
        Traces and truth are not equally long.
    """
    displacement_px = _displacement(truth, found)
    match = match_centres(truth.centres_px + displacement_px, found.centres_px, truth.radius_px)
    correlations = trace_correlations(match, truth.calcium, found.traces)
    y_px, x_px = np.rint(displacement_px).astype(np.int64)
    cells = [(y + y_px, x + x_px) for y, x in (footprint.pixels for footprint in truth.footprints)]
    return Score(
        num_cells=match.num_cells,
        num_active=int(np.count_nonzero(truth.is_active)),
        num_found=match.num_rois,
        recall=match.recall_among(truth.is_active),
        precision=match.precision,
        median_overlap=_median(overlaps(match, cells, found.pixels)),
        median_correlation=_median(correlations),
        max_distance_px=truth.radius_px,
        displacement_px=(float(displacement_px[0]), float(displacement_px[1])),
    )


def _displacement(truth: Truth, found: FoundCells) -> NDArray[np.float64]:
    match = match_centres(truth.centres_px, found.centres_px, truth.radius_px)
    if not len(match.cells):
        return np.zeros(2)
    offsets_px: NDArray[np.float64] = found.centres_px[match.rois] - truth.centres_px[match.cells].astype(
        float
    )
    return np.array([np.median(offsets_px[:, 0]), np.median(offsets_px[:, 1])])


def _median(values: NDArray[np.float64]) -> float:
    """Return the median of the finite values; NaN if there are none."""
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if len(finite) else float("nan")
