"""Curves of a ``.mesc`` measurement: what was recorded beside the frames, such as digital lines."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

from imaging_pipeline.printable import printable
from imaging_pipeline.readers.hdf5.file import text
from imaging_pipeline.readers.mesc.unit import Unit, numbered

CURVE_VALUES = "CurveDataYRawData"
_SHOWN_MEMBERS = 12
# A microscope has some tens of lines. Any number of names may lead to one curve, which takes time each.
_MAX_CURVES = 200
_TIMES, _NEXT, _STEP = "CurveDataXRawData", "CurveDataYIdxNextSample", "CurveDataXRawDelta"


@dataclass(frozen=True)
class MescCurve:
    """A curve; its name identifies it, since its number is another one in the next recording.

    Attributes
    ----------
    name
        As the experimenter called the line, ``DiI1``.
    group
        Its group in the measurement, ``Curve_4``.
    time
        How its values stand in time: ``sampled`` each with its own time, ``uniform``, or as
        ``run lengths`` of which each says where the next value begins.
    num_values
        How many there are.
    step_ms
        From sample to sample; None where each has its own time.
    """

    name: str
    group: str
    time: str
    num_values: int
    step_ms: float | None


def read_curves(unit: Unit) -> tuple[MescCurve, ...]:
    """Describe the curves of a measurement, in order of their numbers.

    Raises
    ------
    FormatError
        A curve has no values, or does not say when they were taken.
    """
    names = numbered(unit.group, "Curve")
    if len(names) > _MAX_CURVES:
        raise unit.error("There are too many curves", len(names), _MAX_CURVES)
    return tuple(_curve(unit, name) for name in names)


def _curve(unit: Unit, name: str) -> MescCurve:
    group = unit.group[name]
    curve = Unit(unit.path, f"{unit.name}/{name}", group)
    values = group[CURVE_VALUES] if group.is_group and CURVE_VALUES in group else None
    if values is None or values.is_group or values.ndim != 1 or values.dtype.kind not in "iuf":
        raise curve.error(f"The curve has no list {CURVE_VALUES}", _members(group))
    step_ms = None
    if _TIMES in group:
        time = "sampled"
    elif _STEP in curve.attributes:
        time = "run lengths" if _NEXT in group else "uniform"
        step_ms = curve.positive(_STEP)
    else:
        raise curve.error("The curve does not say when it was sampled", None, f"{_TIMES} or {_STEP}")
    return MescCurve(text(group.attrs.get("Name", "")), name, time, len(values), step_ms)


def _members(group: Any) -> str:
    if not group.is_group:
        return "a dataset"
    return ", ".join(map(printable, itertools.islice(group, _SHOWN_MEMBERS))) or "nothing"
