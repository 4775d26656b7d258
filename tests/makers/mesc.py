"""Femtonics' ``.mesc`` files as MESc 3.3 writes them, by what is known of the format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from tests.makers.folders import aged

HEIGHT, WIDTH, FRAMES = 8, 12, 20
# Half past two in Oslo, in summer.
START_UTC = datetime(2024, 5, 17, 12, 30, 9, 250_000, tzinfo=UTC)

TIME_SERIES, Z_STACK, LINE_SCAN = 1, 2, 6


@dataclass(frozen=True)
class Curve:
    """Values recorded beside the frames; ``next_sample`` where they are run lengths."""

    name: str
    values: Sequence[float] = (0, 1, 0, 1)
    times_ms: Sequence[float] | None = None
    next_sample: Sequence[int] | None = None
    step_ms: float = 0.05


@dataclass(frozen=True)
class MescUnitSpec:
    """A measurement; ``attributes`` are written last, and one that is None is left out."""

    number: int
    start: datetime = START_UTC
    method: int | None = TIME_SERIES
    session: int = 0
    frames: int = FRAMES
    channels: Sequence[str] = ("UG",)
    frame_period_ms: float = 32.5
    curves: Sequence[Curve] = (Curve("DiI1", next_sample=(0, 40, 80, 120)), Curve("encoder"))
    seed: int = 0
    frame_px: tuple[int, int] = (HEIGHT, WIDTH)
    chunks: tuple[int, int, int] | None = (1, HEIGHT, WIDTH)
    attributes: dict[str, Any] = field(default_factory=dict)


def write_mesc(path: Path, *units: MescUnitSpec) -> Path:
    """Write measurements into a new file, as if it had been copied long ago."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    return add_to_mesc(path, *units)


def add_to_mesc(path: Path, *units: MescUnitSpec) -> Path:
    """Record further measurements into a file."""
    with h5py.File(path, "a") as file:
        for unit in units:
            group = file.create_group(f"MSession_{unit.session}/MUnit_{unit.number}")
            _write_channels(group, unit)
            for number, curve in enumerate(unit.curves):
                _write_curve(group.create_group(f"Curve_{number}"), curve)
            attributes = {**_attributes(unit), **unit.attributes}
            group.attrs.update({name: value for name, value in attributes.items() if value is not None})
    return aged(path)


def movie(unit: MescUnitSpec, channel: int = 0) -> np.ndarray:
    """Return what a channel holds, uint16 (frames, height, width)."""
    random = np.random.default_rng([unit.seed, unit.session, unit.number, channel])
    return random.integers(0, 60_000, (unit.frames, *unit.frame_px), np.uint16)


def words(value: str, dtype: type = np.uint8) -> np.ndarray:
    """Return text as most of its attributes are written: numbers of characters, ended by a zero."""
    return np.array([*value.encode("latin-1"), 0], dtype)


def _write_channels(group: Any, unit: MescUnitSpec) -> None:
    for number in range(len(unit.channels)):
        chunks = unit.chunks if unit.frames else None
        maximum = (None, *unit.frame_px) if chunks else None
        group.create_dataset(f"Channel_{number}", data=movie(unit, number), chunks=chunks, maxshape=maximum)


def _write_curve(group: Any, curve: Curve) -> None:
    group.attrs["Name"] = words(curve.name, np.uint16)
    group["CurveDataYRawData"] = np.asarray(curve.values, np.float64)
    if curve.times_ms is not None:
        group["CurveDataXRawData"] = np.asarray(curve.times_ms, np.float64)
        return
    group.attrs["CurveDataXRawDelta"] = curve.step_ms
    if curve.next_sample is not None:
        group["CurveDataYIdxNextSample"] = np.asarray(curve.next_sample, np.int64)


def _attributes(unit: MescUnitSpec) -> dict[str, Any]:
    seconds = unit.start.timestamp()
    axis = "t" if unit.method in (None, TIME_SERIES) else "z"
    named = {}
    for number, name in enumerate(unit.channels):
        named[f"Channel_{number}_Name"] = words(name, np.int16)
        named[f"Channel_{number}_Conversion_ConversionLinearScale"] = -0.5
        named[f"Channel_{number}_Conversion_ConversionLinearOffset"] = 65_535.0
    return {
        **named,
        "MethodType": unit.method,
        "XDim": unit.frame_px[1],
        "YDim": unit.frame_px[0],
        "ZDim": unit.frames,
        "VecChannelsSize": len(unit.channels),
        "XAxisConversionConversionLinearScale": 1.25,
        "YAxisConversionConversionLinearScale": 1.5,
        "ZAxisConversionConversionLinearScale": unit.frame_period_ms,
        "ZAxisConversionTitle": words(axis),
        "ZAxisConversionUnitName": words("ms" if axis == "t" else "µm"),
        "MeasurementDatePosix": np.int64(seconds),
        "MeasurementDateNanoSecs": np.int64(unit.start.microsecond * 1000),
        "CreatingMEScVersion": words("MESc 3.3"),
        "Comment": words(""),
    }
