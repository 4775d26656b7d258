"""Labels of the ROIs of a Suite2p folder: cell or not, merged or not, red or not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imaging_pipeline.errors import OutputError
from imaging_pipeline.readers.conversion_errors import conversion_errors
from imaging_pipeline.readers.npy.file import load_npy
from imaging_pipeline.readers.regular_file import is_present
from imaging_pipeline.readers.suite2p.merges import merged_into
from imaging_pipeline.readers.suite2p.plane import LABELS, PlaneOutput, array_shape
from imaging_pipeline.readers.suite2p.rois import load_stats

_NUMBERS = "biuf"
_RED = "redcell.npy"
_REMEDY = (
    "Put back the file that belongs to these traces, or mark the cells in Suite2p's window, which writes it"
    " anew, and register the folder again."
)


def read_cell_labels(plane: PlaneOutput) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Read which ROIs are marked as cells; of merged ones see `read_merges`.

    Returns
    -------
    is_cell
        bool (N,): what the classifier, or the person who curated, decided.
    cell_probability
        float64 (N,): the classifier's probability; a person's decision does not change it.

    Raises
    ------
    OutputError
        The file is missing, not of shape (N, 2), or holds labels that are neither 0 nor 1.
    """
    return _labels(plane.folder / LABELS, plane.num_rois)


def read_merges(plane: PlaneOutput) -> dict[int, int]:
    """Return number of each ROI that a person merged into another → number of that one.

    Such a ROI is no cell, although Suite2p 0.x leaves it marked as one: the merged ROI is.

    Raises
    ------
    OutputError
        As `read_rois` and `read_cell_labels`; also where a ROI was merged into one that is not there.
    """
    with conversion_errors(plane.folder / "stat.npy"):
        return merged_into(load_stats(plane), read_cell_labels(plane)[0])


def read_red_cells(plane: PlaneOutput) -> tuple[NDArray[np.bool_], NDArray[np.float64]] | None:
    """Read which ROIs are labelled in the second channel.

    Returns
    -------
    is_red, red_probability
        bool and float64 (N,); None where there was no second channel, or its labels are of other ROIs.

    Raises
    ------
    OutputError
        The file holds labels that are neither 0 nor 1.
    """
    path = plane.folder / _RED
    return _labels(path, plane.num_rois) if is_present(path) and not red_cells_fault(plane) else None


def red_cells_fault(plane: PlaneOutput) -> str:
    """Return in words why the labels of the second channel cannot be imported, or nothing."""
    path = plane.folder / _RED
    shape = array_shape(path)
    if not is_present(path) or shape == (plane.num_rois, 2):
        return ""
    return f"{plane.label}/{_RED} has shape {shape} for {plane.num_rois} ROIs"


def _labels(path: Path, num_rois: int) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    with conversion_errors(path):
        labels: Any = load_npy(path) if is_present(path) else None
        if labels is None or labels.shape != (num_rois, 2) or labels.dtype.kind not in _NUMBERS:
            raise OutputError(
                "The labels of the ROIs are not one row a ROI",
                path=path,
                found="no file" if labels is None else f"{labels.dtype}, shape {labels.shape}",
                allowed=f"numbers, shape {(num_rois, 2)}",
                remedy=_REMEDY,
            )
        # Suite2p saves labels as floating-point numbers, 0.0 and 1.0.
        decided = labels[:, 0]
        is_odd = ~np.isin(decided, (0, 1))
        if is_odd.any():
            raise OutputError(
                "Labels of ROIs say neither yes nor no",
                path=path,
                found=f"{decided[is_odd][0]} and the like for {is_odd.sum()} of {num_rois} ROIs",
                allowed="0 or 1",
                remedy=_REMEDY,
            )
        return decided == 1, labels[:, 1].astype(np.float64)
