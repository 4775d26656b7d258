"""ROIs of a Suite2p folder: their pixels and shapes, from ``stat.npy``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imaging_pipeline.errors import OutputError
from imaging_pipeline.readers.conversion_errors import conversion_errors
from imaging_pipeline.readers.npy.file import load_npy
from imaging_pipeline.readers.regular_file import is_present
from imaging_pipeline.readers.suite2p.canvas import Canvas, read_canvas
from imaging_pipeline.readers.suite2p.merges import merged_from
from imaging_pipeline.readers.suite2p.plane import PlaneOutput
from imaging_pipeline.readers.suite2p.stated_numbers import stated_number

# What the database keeps of a coordinate.
_LARGEST_PIXEL = 2**31 - 1


@dataclass(frozen=True)
class Roi:
    """One ROI of P pixels, in pixels of its plane, or of the canvas that ``combined`` lays the planes out on.

    Attributes
    ----------
    npix
        Number of pixels, P.
    center_y, center_x
        Position of the median pixel.
    ypix, xpix
        int64 (P,), the pixels.
    roi_weights
        float32 (P,), weight of each pixel: ``lam`` as it is in the file, of no fixed sum.
    plane
        Number of the plane that the ROI lies in; in a combined output its position among the planes that
        were merged, or None where it lies in no single one and the output does not say.
    mrs, mrs0, compact
        Mean distance of the pixels from the centre in diameters, that of a disk, and their ratio.
    footprint
        Spatial scale at which the ROI was found.
    isoverlap
        bool (P,), pixels that are shared with another ROI.
    aspect_ratio, radius
        Of a Gaussian that is fitted to the pixels; the radius in pixels.
    npix_norm, npix_norm_no_crop
        Pixels relative to the other ROIs, of the soma and of all.
    soma_crop, npix_soma
        bool (P,), pixels of the soma without dendrites, and how many they are.
    skew, std, snr
        Of the neuropil-corrected trace, over all frames of the run.
    merged_from
        Numbers of the ROIs that a person merged into this one.
    """

    npix: int
    center_y: float
    center_x: float
    ypix: NDArray[np.int64]
    xpix: NDArray[np.int64]
    roi_weights: NDArray[np.float32]
    plane: int | None
    mrs: float | None
    mrs0: float | None
    compact: float | None
    footprint: float | None
    isoverlap: NDArray[np.bool_] | None
    aspect_ratio: float | None
    radius: float | None
    npix_norm: float | None
    npix_norm_no_crop: float | None
    soma_crop: NDArray[np.bool_] | None
    npix_soma: int | None
    skew: float | None
    std: float | None
    snr: float | None
    merged_from: tuple[int, ...] = ()


def read_rois(plane: PlaneOutput) -> tuple[Roi, ...]:
    """Read the ROIs of a folder, in the order of the traces.

    Raises
    ------
    OutputError
        The file is missing, holds another number of ROIs than the traces, or a ROI lacks its pixels.
    """
    path = plane.folder / "stat.npy"
    with conversion_errors(path):
        stats = load_stats(plane)
        try:
            rois = tuple(_roi(stat, plane.plane) for stat in stats)
        except (KeyError, TypeError) as error:
            raise OutputError(
                "A ROI lacks something that every ROI has",
                path=path,
                found=repr(error),
                remedy="Put back a stat.npy that is whole: Suite2p's window keeps the former one as"
                " stat_orig.npy when ROIs are drawn.",
            ) from error
        return _placed(rois, stats, read_canvas(plane.folder)) if plane.plane is None else rois


def load_stats(plane: PlaneOutput) -> Sequence[Mapping[str, Any]]:
    """Read the dictionaries of the ROIs as they are.

    Raises
    ------
    OutputError
        The file is missing, or holds another number of ROIs than the traces.
    """
    path = plane.folder / "stat.npy"
    stats: Sequence[Mapping[str, Any]] = load_npy(path) if is_present(path) else ()
    if len(stats) != plane.num_rois:
        raise OutputError(
            "The ROIs are not as many as the traces",
            path=path,
            found=len(stats) if is_present(path) else "no file",
            allowed=plane.num_rois,
            remedy="Put back the files that belong together; a mix of two runs cannot be imported.",
        )
    return stats


def _placed(rois: Sequence[Roi], stats: Sequence[Mapping[str, Any]], canvas: Canvas) -> tuple[Roi, ...]:
    """Return ROIs of merged planes, each in the plane that its pixels lie in.

    Suite2p's window gives a ROI that is drawn the plane of the first ROI, if any, and a ROI that is merged
    that of its first part, wherever they lie.
    """
    lying = [canvas.plane_of(roi.ypix, roi.xpix) for roi in rois]
    is_drawn = [bool(stat.get("manual")) for stat in stats]
    found = [
        roi.plane == plane
        for roi, plane, drawn in zip(rois, lying, is_drawn, strict=True)
        if not (plane is None or roi.plane is None or drawn or roi.merged_from)
    ]
    # What Suite2p found itself shows whether the canvas is laid out as it should be.
    if found and 2 * sum(found) <= len(found):
        lying = [None] * len(rois)
    return tuple(
        replace(roi, plane=None if drawn else roi.plane) if plane is None else replace(roi, plane=plane)
        for roi, plane, drawn in zip(rois, lying, is_drawn, strict=True)
    )


def _roi(stat: Mapping[str, Any], plane: int | None) -> Roi:
    ypix, xpix = _pixels(stat, "ypix"), _pixels(stat, "xpix")
    weights = np.asarray(stat["lam"]).ravel()
    if not ypix.size == xpix.size == weights.size == int(stat.get("npix", ypix.size)):
        sizes = f"{ypix.size} ypix, {xpix.size} xpix, {weights.size} lam, npix {stat.get('npix')}"
        raise ValueError(f"a ROI of {sizes}")
    if weights.dtype.kind not in "fiu":
        raise TypeError(f"weights of {weights.dtype}")
    center_y, center_x = (float(position) for position in stat["med"])
    if not (isfinite(center_y) and isfinite(center_x)):
        raise ValueError(f"a ROI whose med is {stat['med']}")
    npix_soma = stated_number(stat, "npix_soma")
    if npix_soma is not None and not 0 <= npix_soma <= _LARGEST_PIXEL:
        raise ValueError(f"a ROI whose npix_soma is {npix_soma}")
    return Roi(
        npix=ypix.size,
        center_y=center_y,
        center_x=center_x,
        ypix=ypix,
        xpix=xpix,
        roi_weights=weights.astype(np.float32),
        # A folder of its own says it for all of its ROIs.
        plane=stated_number(stat, "iplane") if plane is None else plane,
        mrs=_number(stat, "mrs"),
        mrs0=_number(stat, "mrs0"),
        compact=_number(stat, "compact"),
        footprint=_number(stat, "footprint"),
        isoverlap=_mask(stat, "overlap", ypix.size),
        aspect_ratio=_number(stat, "aspect_ratio"),
        radius=_number(stat, "radius"),
        npix_norm=_number(stat, "npix_norm"),
        npix_norm_no_crop=_number(stat, "npix_norm_no_crop"),
        soma_crop=_mask(stat, "soma_crop", ypix.size),
        npix_soma=npix_soma,
        skew=_number(stat, "skew"),
        std=_number(stat, "std"),
        snr=_number(stat, "snr"),
        merged_from=merged_from(stat),
    )


def _pixels(stat: Mapping[str, Any], key: str) -> NDArray[np.int64]:
    """Return coordinates, int64 (P,): conversions of Python and numpy would take text, NaN and fractions."""
    pixels = np.asarray(stat[key]).ravel()
    if pixels.size and (pixels.dtype.kind not in "iu" or pixels.min() < 0 or pixels.max() > _LARGEST_PIXEL):
        raise ValueError(f"{key} that are no coordinates of pixels")
    return pixels.astype(np.int64)


def _number(stat: Mapping[str, Any], key: str) -> float | None:
    return None if stat.get(key) is None else float(stat[key])


def _mask(stat: Mapping[str, Any], key: str, num_pixels: int) -> NDArray[np.bool_] | None:
    """Return what is said of each pixel; None where it is said of others, as a script leaves it."""
    mask = None if stat.get(key) is None else np.asarray(stat[key], dtype=np.bool_).ravel()
    return mask if mask is not None and mask.size == num_pixels else None
