"""The options of Suite2p 1.x that correspond to the flat ones of 0.x.

Compared in the sources of 0.10 to 0.14 and of 1.1.0. Most options were only moved; a few are computed here,
because 1.x expresses the same thing otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from imaging_pipeline.errors import InputError
from imaging_pipeline.suite2p_runner.known_options import conform, ops_0x, unknown_options

# 0.x: ROIs that sparse mode looks for, for each of `max_iterations`.
_ROIS_PER_ITERATION = 250
# 0.x measured shapes of ROIs in units of this diameter where the set says 0.
_DIAMETER_IF_0_PX = 10
# 0.x tapered the edges over this many `smooth_sigma`, whatever `spatial_taper` said, unless `1Preg` was on.
_TAPER_SIGMAS = 3

# Options that are used in calculations here, and so are checked before the rest.
_KINDS = {
    **dict.fromkeys(("anatomical_only", "max_iterations", "align_by_chan", "functional_chan"), "int"),
    **dict.fromkeys(("sparse_mode", "denoise", "1Preg"), "bool"),
    **dict.fromkeys(("spatial_taper", "smooth_sigma", "preclassify", "aspect"), "float"),
    **dict.fromkeys(("block_size", "diameter"), "list"),
}

# 0.x compared the classifier's yes or no with `preclassify`; 1.x compares its probability.
_LIKELY_CELL = 0.5

# What Cellpose looks at for each value of `anatomical_only`; 3, the enhanced mean image, is gone in 1.x.
_CELLPOSE_IMAGES = {1: "max_proj / meanImg", 2: "meanImg", 4: "max_proj"}

# Names of baselines for the deconvolution, and what they became.
_BASELINES = {"maximin": "maximin", "constant": "constant", "constant_prctile": "prctile"}


@dataclass(frozen=True)
class Translated:
    """Values by their dotted name in 1.x (``db.`` for those of the recording), and keys without effect."""

    values: Mapping[str, Any]
    not_carried: Mapping[str, str]


def is_known_0x(key: str) -> bool:
    """Return True if Suite2p 0.x had this option."""
    return key in ops_0x()["carried"] or key in ops_0x()["computed"] or key in _reasons()


def _reasons() -> dict[str, str]:
    return {key: reason for reason, keys in ops_0x()["not_carried"].items() for key in keys}


def translate_0x(options: Mapping[str, Any]) -> Translated:
    """Translate a flat set.

    Raises
    ------
    InputError
        A key was unknown to 0.x, or 1.x has nothing for a value.
    """
    unknown = [key for key in options if not is_known_0x(key)]
    if unknown:
        known = [*ops_0x()["carried"], *ops_0x()["computed"], *_reasons()]
        raise unknown_options(unknown, known)
    options = _conformed(options)
    carried = ops_0x()["carried"]
    values = {carried[key]: value for key, value in options.items() if key in carried}
    not_carried = {key: reason for key, reason in _reasons().items() if key in options}
    for compute in (_algorithm, _diameter, _aligned_channel, _edges, _preclassify, _baseline, _empty_values):
        compute(options, values, not_carried)
    return Translated(values, not_carried)


def _conformed(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options with those that are used here checked; None counts as missing."""
    checked = {key: value for key, value in options.items() if value is not None or key not in _KINDS}
    for key, kind in _KINDS.items():
        # A diameter of 0 is one that is estimated, and no list of zeros.
        if key in checked and not (key == "diameter" and checked[key] == 0):
            checked[key] = conform(key, checked[key], kind)
    return checked


def _algorithm(options: Mapping[str, Any], values: dict[str, Any], not_carried: dict[str, str]) -> None:
    """`sparse_mode` and `anatomical_only` became the name of an algorithm."""
    image = int(options.get("anatomical_only", 0))
    if image:
        if image not in _CELLPOSE_IMAGES:
            raise InputError(
                "Suite2p 1.x cannot look for cells in this image",
                found=f"anatomical_only = {image}",
                allowed=[0, *_CELLPOSE_IMAGES],
                remedy="Choose another image in the option set.",
            )
        values["detection.algorithm"] = "cellpose"
        values["detection.cellpose_settings.img"] = _CELLPOSE_IMAGES[image]
        if "sparse_mode" in options:
            not_carried["sparse_mode"] = "anatomical_only goes before it."
    elif "sparse_mode" in options:
        values["detection.algorithm"] = "sparsery" if options["sparse_mode"] else "sourcery"
    if "max_iterations" in options:
        values["detection.sparsery_settings.max_ROIs"] = _ROIS_PER_ITERATION * int(options["max_iterations"])
    # 0.x denoised in blocks of half the size that it registered in; 1.x has an option for them.
    if options.get("denoise") and "block_size" in options:
        values["detection.block_size"] = [int(size) // 2 for size in options["block_size"]]


def _diameter(options: Mapping[str, Any], values: dict[str, Any], not_carried: dict[str, str]) -> None:
    """`aspect` became the first of two diameters: that of a cell in y."""
    diameter, aspect = options.get("diameter"), options.get("aspect")
    if diameter is not None and np.any(diameter):
        values["diameter"] = diameter
    elif diameter is not None and options.get("anatomical_only"):
        not_carried["diameter"] = "0 let Cellpose estimate the size; 1.x needs one and takes its default."
    elif diameter is not None:
        values["diameter"] = _DIAMETER_IF_0_PX
    if aspect is None:
        return
    size_y_px, size_x_px = conform("diameter", values.get("diameter", 0), "list")
    if aspect == 1:
        not_carried["aspect"] = "Pixels were square, as they are where both diameters are the same."
    elif size_y_px and size_y_px == size_x_px:
        values["diameter"] = [aspect * size_x_px, size_x_px]
    else:
        not_carried["aspect"] = "Suite2p 1.x takes it from the two numbers of diameter; correct these."


def _aligned_channel(
    options: Mapping[str, Any], values: dict[str, Any], _not_carried: dict[str, str]
) -> None:
    """1.x has no number of the aligned channel, but whether it is the one that is not functional."""
    if "align_by_chan" in options:
        functional = options.get("functional_chan", 1)
        values["registration.align_by_chan2"] = options["align_by_chan"] != functional


def _edges(options: Mapping[str, Any], values: dict[str, Any], not_carried: dict[str, str]) -> None:
    """`spatial_taper` counted in one-photon mode only; 1.x uses it always."""
    if "1Preg" in options:
        not_carried["1Preg"] = (
            "Suite2p 1.x has no filter for one-photon movies: this set will give other results."
            if options["1Preg"]
            else "Suite2p 1.x has no filter for one-photon movies; it was off."
        )
    if options.get("1Preg") and "spatial_taper" in options:
        values["registration.spatial_taper"] = options["spatial_taper"]
        return
    if "smooth_sigma" in options:
        # Rounded, since sets are compared by content: 3 * 1.15 is 3.4499999999999997.
        values["registration.spatial_taper"] = round(_TAPER_SIGMAS * options["smooth_sigma"], 9)
    if "spatial_taper" in options:
        not_carried["spatial_taper"] = "In 0.x it counted with 1Preg only; otherwise it was 3 smooth_sigma."


def _preclassify(options: Mapping[str, Any], values: dict[str, Any], not_carried: dict[str, str]) -> None:
    least = options.get("preclassify")
    if least is None:
        return
    values["classification.preclassify"] = _LIKELY_CELL if least > 0 else 0.0
    if least not in (0, _LIKELY_CELL):
        not_carried["preclassify"] = "0.x asked only whether it is above 0; 0.5 does the same in 1.x."


def _baseline(options: Mapping[str, Any], values: dict[str, Any], _not_carried: dict[str, str]) -> None:
    """1.x subtracts no baseline if it does not know its name."""
    if "baseline" not in options:
        return
    name = options["baseline"]
    if name not in _BASELINES:
        raise InputError(
            "Suite2p does not know this baseline, and would subtract none",
            found=f"baseline = {name!r}",
            allowed=list(_BASELINES),
            remedy="Choose another one in the option set.",
        )
    values["dcnv_preprocess.baseline"] = _BASELINES[name]


def _empty_values(_options: Mapping[str, Any], values: dict[str, Any], _not_carried: dict[str, str]) -> None:
    """0.x wrote empty text and empty lists for "none"."""
    for name in ("classification.classifier_path", "db.ignore_flyback"):
        if name in values and not values[name]:
            values[name] = None
