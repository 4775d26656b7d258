"""ROIs of a Suite2p folder: their pixels and shapes, from ``stat.npy``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imaging_pipeline.errors import OutputError
from imaging_pipeline.readers.conversion_errors import conversion_errors
from imaging_pipeline.readers.npy.file import load_npy
from imaging_pipeline.readers.regular_file import is_present
from imaging_pipeline.readers.suite2p.plane import PlaneOutput

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
        float32 (P,), weight of each pixel.
    plane
        Number of the plane that the ROI lies in; in a combined output its position among the planes that
        were merged, or None where the output does not say.
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
        Of the neuropil-corrected trace.
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


def read_rois(plane: PlaneOutput) -> tuple[Roi, ...]:
    """Read the ROIs of a folder, in the order of the traces.

    Raises
    ------
    OutputError
        The file is missing, holds another number of ROIs than the traces, or a ROI lacks its pixels.
    """
    with conversion_errors(plane.folder / "stat.npy"):
        path = plane.folder / "stat.npy"
        stats = load_npy(path) if is_present(path) else ()
        if len(stats) != plane.num_rois:
            raise OutputError(
                "The ROIs are not as many as the traces",
                path=path,
                found=len(stats) if is_present(path) else "no file",
                allowed=plane.num_rois,
                remedy="Run Suite2p again; a folder mixed from two runs cannot be imported.",
            )
        try:
            return tuple(_roi(stat, plane.plane) for stat in stats)
        except (KeyError, TypeError) as error:
            raise OutputError(
                "A ROI lacks something that every ROI has",
                path=path,
                found=repr(error),
                remedy="Run Suite2p again.",
            ) from error


def _roi(stat: Mapping[str, Any], plane: int | None) -> Roi:
    ypix, xpix = _pixels(stat, "ypix"), _pixels(stat, "xpix")
    weights = np.asarray(stat["lam"]).ravel()
    if not ypix.size == xpix.size == weights.size == int(stat.get("npix", ypix.size)):
        sizes = f"{ypix.size} ypix, {xpix.size} xpix, {weights.size} lam, npix {stat.get('npix')}"
        raise ValueError(f"a ROI of {sizes}")
    if weights.dtype.kind not in "fiu":
        raise TypeError(f"weights of {weights.dtype}")
    center_y, center_x = stat["med"]
    npix_soma = stat.get("npix_soma")
    stated_plane = stat.get("iplane", plane)
    return Roi(
        npix=ypix.size,
        center_y=float(center_y),
        center_x=float(center_x),
        ypix=ypix,
        xpix=xpix,
        roi_weights=weights.astype(np.float32),
        plane=None if stated_plane is None else int(stated_plane),
        mrs=_number(stat, "mrs"),
        mrs0=_number(stat, "mrs0"),
        compact=_number(stat, "compact"),
        footprint=_number(stat, "footprint"),
        isoverlap=_mask(stat, "overlap"),
        aspect_ratio=_number(stat, "aspect_ratio"),
        radius=_number(stat, "radius"),
        npix_norm=_number(stat, "npix_norm"),
        npix_norm_no_crop=_number(stat, "npix_norm_no_crop"),
        soma_crop=_mask(stat, "soma_crop"),
        npix_soma=None if npix_soma is None else int(npix_soma),
        skew=_number(stat, "skew"),
        std=_number(stat, "std"),
        snr=_number(stat, "snr"),
    )


def _pixels(stat: Mapping[str, Any], key: str) -> NDArray[np.int64]:
    """Return coordinates, int64 (P,): conversions of Python and numpy would take text, NaN and fractions."""
    pixels = np.asarray(stat[key]).ravel()
    if pixels.size and (pixels.dtype.kind not in "iu" or pixels.min() < 0 or pixels.max() > _LARGEST_PIXEL):
        raise ValueError(f"{key} that are no coordinates of pixels")
    return pixels.astype(np.int64)


def _number(stat: Mapping[str, Any], key: str) -> float | None:
    return None if stat.get(key) is None else float(stat[key])


def _mask(stat: Mapping[str, Any], key: str) -> NDArray[np.bool_] | None:
    return None if stat.get(key) is None else np.asarray(stat[key], dtype=np.bool_).ravel()
