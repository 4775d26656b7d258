"""Curves of a ``.mesc`` measurement: what was recorded beside the frames, such as digital lines."""

from __future__ import annotations

from dataclasses import dataclass

from imaging_pipeline.readers.hdf5_file import text
from imaging_pipeline.readers.mesc_unit import Unit, numbered

CURVE_VALUES = "CurveDataYRawData"
_TIMES, _NEXT, _STEP = "CurveDataXRawData", "CurveDataYIdxNextSample", "CurveDataXRawDelta"


@dataclass(frozen=True)
class MescCurve:
    """A curve, told by its name: its number is another one in the next recording.

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
    return tuple(_curve(unit, name) for name in numbered(unit.group, "Curve"))


def _curve(unit: Unit, name: str) -> MescCurve:
    group = unit.group[name]
    curve = Unit(unit.path, f"{unit.name}/{name}", group)
    if CURVE_VALUES not in group or group[CURVE_VALUES].ndim != 1:
        raise curve.error(f"The curve has no list {CURVE_VALUES}", ", ".join(group) or "nothing")
    step_ms = None
    if _TIMES in group:
        time = "sampled"
    elif _STEP in curve.attributes:
        time = "run lengths" if _NEXT in group else "uniform"
        step_ms = curve.positive(_STEP)
    else:
        raise curve.error("The curve does not say when it was sampled", None, f"{_TIMES} or {_STEP}")
    return MescCurve(text(group.attrs.get("Name", "")), name, time, len(group[CURVE_VALUES]), step_ms)
