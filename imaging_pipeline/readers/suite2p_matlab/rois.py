"""Regions in a result of Suite2p for MATLAB: where they are, and which of them are cells."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from imaging_pipeline.errors import FormatError
from imaging_pipeline.readers.matlab.value import MatlabValue, single_numbers
from imaging_pipeline.readers.suite2p.rois import Roi
from imaging_pipeline.readers.suite2p_matlab.pixels import Part, whole_frame_pixels

_NUMBERS = ("mrs", "mrs0", "cmpct", "footprint", "aspect_ratio", "radius", "skew")

Labels = tuple[NDArray[np.bool_], NDArray[np.float64]]


def read_cell_labels(result: MatlabValue) -> Labels:
    """Read which regions are cells.

    A person's decision is in ``cl.iscell`` where the window was an early one, and in ``stat.iscell`` else.

    Returns
    -------
    is_cell
        bool (N,); region k of MATLAB is element k - 1.
    cell_probability
        float64 (N,), the classifier's; NaN if there was none.

    Raises
    ------
    FormatError
        There are no labels, not as many as regions, or some that are neither 0 nor 1.
    """
    stat = result.field("stat")
    num_rois = stat.num_elements
    window = result.optional("cl")
    decided = None if window is None else window.optional("iscell")
    labels = decided.vector() if decided is not None else single_numbers(stat.field_values("iscell"))
    name = "cl.iscell" if decided is not None else "stat.iscell"
    _check_number(result, name, len(labels), num_rois)
    _check_decided(result, name, labels)
    probability = np.full(num_rois, np.nan)
    if "cellProb" in stat.fields():
        probability = single_numbers(stat.field_values("cellProb"))
    return labels > 0.5, probability


def read_red_cells(result: MatlabValue) -> Labels | None:
    """Read which regions are labelled in the second channel.

    Returns
    -------
    is_red, red_probability
        bool and float64 (N,), the probability NaN where it is not stated; None where there was no second
        channel: the window then notes every region as not red.

    Raises
    ------
    FormatError
        There are not as many labels as regions, or some that are neither 0 nor 1.
    """
    stat, window = result.field("stat"), result.optional("cl")
    num_rois = stat.num_elements
    decided = None if window is None else window.optional("redcell")
    if decided is not None:
        labels = decided.vector()
    elif "redcell" in stat.fields():
        labels = single_numbers(stat.field_values("redcell"))
    else:
        return None
    if not labels.any() and result.field("ops").optional("mimgRED") is None:
        return None
    _check_number(result, "redcell", len(labels), num_rois)
    _check_decided(result, "redcell", labels)
    probability = np.full(num_rois, np.nan)
    if "redprob" in stat.fields():
        probability = single_numbers(stat.field_values("redprob"))
    return labels > 0.5, probability


def read_rois(result: MatlabValue, plane: int) -> tuple[Roi, ...]:
    """Read the regions, in pixels of the whole frame from 0.

    The file counts pixels from 1: ``ipix`` down the columns of the part of the frame that was always in view,
    which ``ops.yrange`` and ``ops.xrange`` list; ``ypix`` and ``xpix`` within this part too, or within the
    whole frame. Which of both it is, is what fits ``ipix`` for every region.

    Parameters
    ----------
    result
        The open result.
    plane
        Number of the plane from 0.

    Raises
    ------
    FormatError
        A region lacks a field, a pixel of it is not in the frame's part, or its pixels contradict each other.
    """
    ops, stat = result.field("ops"), result.field("stat")
    part = Part(ops.field("yrange").vector(), ops.field("xrange").vector())
    regions = _Regions(stat, part, plane)
    return tuple(regions.roi(number) for number in range(stat.num_elements))


class _Regions:
    """The fields of ``stat``, each of which is looked up once for all regions."""

    def __init__(self, stat: MatlabValue, part: Part, plane: int) -> None:
        self._part, self._plane = part, plane
        ypix, xpix = ([pixels.vector() for pixels in _per_region(stat, name)] for name in ("ypix", "xpix"))
        self._pixels = whole_frame_pixels(stat, part, ypix, xpix, _per_region(stat, "ipix"))
        self._weights, self._medians = _per_region(stat, "lam"), _per_region(stat, "med")
        self._overlaps = _per_region(stat, "isoverlap") if "isoverlap" in stat.fields() else None
        stated = [name for name in _NUMBERS if name in stat.fields()]
        self._numbers = {name: single_numbers(_per_region(stat, name)).tolist() for name in stated}

    def roi(self, number: int) -> Roi:
        """Return a region, whose ``std`` is left out: in these files it is relative to the neuropil's."""
        ypix, xpix = self._pixels[number]
        center_y, center_x = self._center(number)
        return Roi(
            npix=ypix.size,
            center_y=center_y,
            center_x=center_x,
            ypix=ypix,
            xpix=xpix,
            roi_weights=self._weights[number].vector().astype(np.float32),
            plane=self._plane,
            mrs=self._number("mrs", number),
            mrs0=self._number("mrs0", number),
            compact=self._number("cmpct", number),
            footprint=self._number("footprint", number),
            isoverlap=None if self._overlaps is None else self._overlaps[number].vector().astype(np.bool_),
            aspect_ratio=self._number("aspect_ratio", number),
            radius=self._number("radius", number),
            npix_norm=None,
            npix_norm_no_crop=None,
            soma_crop=None,
            npix_soma=None,
            skew=self._number("skew", number),
            std=None,
            snr=None,
        )

    def _center(self, number: int) -> tuple[float, float]:
        """Return the position of the median pixel, in the form that is nearest to the pixels' median."""
        stated, pixels = _position(self._medians[number]), self._pixels[number]
        middle = [float(np.median(axis)) if axis.size else 0.0 for axis in pixels]
        centers = [(stated[0] + row, stated[1] + column) for row, column in self._part.offsets]
        return min(centers, key=lambda center: abs(center[0] - middle[0]) + abs(center[1] - middle[1]))

    def _number(self, name: str, number: int) -> float | None:
        return self._numbers[name][number] if name in self._numbers else None


def _per_region(stat: MatlabValue, name: str) -> Sequence[MatlabValue]:
    """Return a field of every region, of which a damaged file may have fewer or more than regions."""
    values = stat.field_values(name)
    if len(values) != stat.num_elements:
        raise FormatError(
            f"stat.{name} is not there once a region",
            path=stat.path,
            found=len(values),
            allowed=stat.num_elements,
            remedy="Let Suite2p write the file again.",
        )
    return values


def _position(median: MatlabValue) -> tuple[float, float]:
    values = median.vector().tolist()
    if len(values) != 2:
        raise FormatError(
            f"{median.name} is no position",
            path=median.path,
            found=f"{len(values)} numbers",
            allowed="y and x",
            remedy="Let Suite2p write the file again.",
        )
    return float(values[0]), float(values[1])


def _check_number(result: MatlabValue, name: str, found: int, expected: int) -> None:
    if found != expected:
        raise FormatError(
            f"{name} does not have one label a region",
            path=result.path,
            found=found,
            allowed=expected,
            remedy="Put back the file as Suite2p wrote it; one mixed from two runs cannot be imported.",
        )


def _check_decided(result: MatlabValue, name: str, labels: NDArray[np.number]) -> None:
    is_odd = ~np.isin(labels, (0, 1))
    if is_odd.any():
        raise FormatError(
            f"{is_odd.sum()} labels in {name} are neither 0 nor 1, such as {labels[is_odd][0]:g}",
            path=result.path,
            allowed="0 or 1",
            remedy="Mark the cells in the window of Suite2p for MATLAB, which writes them anew.",
        )
