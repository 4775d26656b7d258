"""The options of a Suite2p run that people query, under the same names for both generations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# Of each option the path in 1.x's nested groups, then the flat key of 0.x.
_PATHS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "do_registration": (("run", "do_registration"), "do_registration"),
    "nonrigid": (("registration", "nonrigid"), "nonrigid"),
    "batch_size": (("registration", "batch_size"), "batch_size"),
    "block_size": (("registration", "block_size"), "block_size"),
    "spatial_scale": (("detection", "sparsery_settings", "spatial_scale"), "spatial_scale"),
    "threshold_scaling": (("detection", "threshold_scaling"), "threshold_scaling"),
    "max_overlap": (("detection", "max_overlap"), "max_overlap"),
    "neuropil_coefficient": (("extraction", "neuropil_coefficient"), "neucoeff"),
    "fs": (("fs",), "fs"),
    "tau": (("tau",), "tau"),
    "diameter": (("diameter",), "diameter"),
    "num_planes": (("nplanes",), "nplanes"),
    "num_channels": (("nchannels",), "nchannels"),
    "functional_channel": (("functional_chan",), "functional_chan"),
}

# An option set may have this instead of a number: the run chooses.
_AUTO = "auto"


@dataclass(frozen=True)
class OptionsSummary:
    """Options that people query; None where a set does not say.

    Attributes
    ----------
    fs_hz
        Frames of one plane a second.
    tau_s
        Decay time of the indicator.
    num_planes, num_channels, functional_channel
        Of the recording; planes include those left out, channels count from 1.
    diameter
        Expected size of a cell in pixels, (y, x); (0, 0) in 0.x means that Suite2p estimated it.
    neuropil_coefficient
        Share of the neuropil that is subtracted.
    do_registration
        0 for no registration, 1 for one, 2 for one also of frames that were registered before.
    nonrigid, batch_size, block_size
        Registration: how, frames at once (None for ``auto``), pixels of a block (y, x).
    spatial_scale, threshold_scaling, max_overlap
        Detection.
    """

    fs_hz: float | None
    tau_s: float | None
    num_planes: int | None
    num_channels: int | None
    functional_channel: int | None
    diameter: tuple[float, float] | None
    neuropil_coefficient: float | None
    do_registration: int | None
    nonrigid: bool | None
    batch_size: int | None
    block_size: tuple[int, int] | None
    spatial_scale: int | None
    threshold_scaling: float | None
    max_overlap: float | None


def options_summary(options: Mapping[str, Any]) -> OptionsSummary:
    """Pick the options that people query from a whole set of either generation."""
    values = {name: _find(options, *path) for name, path in _PATHS.items()}

    def number(name: str) -> float | None:
        return None if values[name] is None else float(values[name])

    def count(name: str) -> int | None:
        return None if values[name] in (None, _AUTO) else int(values[name])

    block_size = _pair(values["block_size"])
    return OptionsSummary(
        fs_hz=number("fs"),
        tau_s=number("tau"),
        num_planes=count("num_planes"),
        num_channels=count("num_channels"),
        functional_channel=count("functional_channel"),
        diameter=_pair(values["diameter"]),
        neuropil_coefficient=number("neuropil_coefficient"),
        do_registration=count("do_registration"),
        nonrigid=None if values["nonrigid"] is None else bool(values["nonrigid"]),
        batch_size=count("batch_size"),
        block_size=None if block_size is None else (int(block_size[0]), int(block_size[1])),
        spatial_scale=count("spatial_scale"),
        threshold_scaling=number("threshold_scaling"),
        max_overlap=number("max_overlap"),
    )


def _find(options: Mapping[str, Any], nested: tuple[str, ...], flat: str) -> Any:
    value: Any = options
    for key in nested:
        value = value.get(key) if isinstance(value, Mapping) else None
    return options.get(flat) if value is None else value


def _pair(value: Any) -> tuple[float, float] | None:
    if value is None:
        return None
    sizes = [float(size) for size in value] if isinstance(value, (list, tuple)) else [float(value)]
    return sizes[0], sizes[-1]
