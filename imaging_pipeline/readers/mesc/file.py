"""Femtonics' ``.mesc``: what was measured in a file, and each recording's settings.

A measurement is a group ``MSession_N/MUnit_M``; its channels are datasets ``Channel_k`` (frames, height,
width), and what was recorded beside is in groups ``Curve_m``. No specification is public: names and
meanings are those that other programs which read such files rely on, and what can be checked is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imaging_pipeline.errors import FormatError
from imaging_pipeline.printable import printable
from imaging_pipeline.readers.hdf5.file import opened
from imaging_pipeline.readers.mesc.curves import MescCurve, read_curves
from imaging_pipeline.readers.mesc.movie import check_movie, fingerprint, first_frames_mean
from imaging_pipeline.readers.mesc.unit import TIME_SERIES, Unit, kind_of, numbered

__all__ = [
    "TIME_SERIES",
    "MescChannel",
    "MescCurve",
    "MescRecording",
    "MescUnit",
    "read_mean_image",
    "read_recording",
    "read_units",
]

SUFFIX = ".mesc"
# A date of 0 is in 1970, which no measurement of this program is from.
_FIRST_YEAR = 2000
# Ten times as many as a day has. Any number of names may lead to one measurement, which takes time each.
_MAX_UNITS = 2000


@dataclass(frozen=True)
class MescChannel:
    """A channel; its values are raw × ``scale`` + ``offset``, which are None where the file does not say."""

    name: str
    scale: float | None
    offset: float | None


@dataclass(frozen=True)
class MescRecording:
    """A time series.

    Attributes
    ----------
    unit
        Its name in the file, ``MSession_0/MUnit_3``.
    version
        Of the program that made it, ``MESc 3.3``.
    num_frames, height, width
        Of each channel, in px.
    dtype
        Type of a pixel as numpy names it, ``uint16``.
    um_per_px_x, um_per_px_y
        Size of a pixel in µm.
    frame_period_ms
        From one frame to the next.
    start
        When the measurement began, UTC.
    comment
        What a person wrote.
    fingerprint
        Sixteen characters of its own content. It stays as it is when another unit is added to the file,
        when the file is written anew, and when the comment is changed.
    """

    unit: str
    version: str
    num_frames: int
    height: int
    width: int
    dtype: str
    channels: tuple[MescChannel, ...]
    um_per_px_x: float
    um_per_px_y: float
    frame_period_ms: float
    start: datetime
    curves: tuple[MescCurve, ...]
    comment: str
    fingerprint: str = ""

    @property
    def layout(self) -> str:
        """Size, type and number of channels in words."""
        return f"{self.width} × {self.height} px, {self.dtype}, channels: {len(self.channels)}"


@dataclass(frozen=True)
class MescUnit:
    """A measurement of any kind.

    Attributes
    ----------
    name
        Its name in the file, ``MSession_0/MUnit_3``.
    kind
        In words.
    recording
        None unless it is a time series that can be read.
    problem
        Why it cannot be read, where the other measurements of the file may be all right.
    """

    name: str
    kind: str
    recording: MescRecording | None = None
    problem: FormatError | None = None


def read_units(path: Path) -> tuple[MescUnit, ...]:
    """Read what was measured in a file, in order, without its movies.

    A measurement that does not say what it must, or of which part is not there, has a ``problem``.

    Raises
    ------
    NothingFoundError
        The file is not there.
    TruncatedError
        Part of the file is not there.
    FormatError
        It is no HDF5 file, or has too many measurements.
    """
    with opened(path) as file:
        return tuple(_unit_or_problem(path, file, name) for name in _unit_names(path, file))


def read_recording(path: Path, name: str) -> MescRecording:
    """Read the settings of one time series, by its name in the file.

    Raises
    ------
    NothingFoundError, TruncatedError, FormatError
        As for `read_units`; also where the file has no time series of this name, or one that cannot be
        read.
    """
    with opened(path) as file:
        recording = _read_unit(_unit(path, file, name)).recording
    if recording is None:
        raise FormatError(f"{name} is no time series", path=path, remedy="Register the folder again.")
    return recording


def read_mean_image(path: Path, name: str, max_frames: int = 50) -> NDArray[np.float32]:
    """Average the first frames of a time series' first channel, read one by one.

    Returns
    -------
    numpy.ndarray
        float32 (height, width), raw values.

    Raises
    ------
    NothingFoundError, TruncatedError, FormatError
        As for `read_recording`.
    """
    with opened(path) as file:
        unit = _unit(path, file, name)
        return first_frames_mean(check_movie(unit)[0], max_frames)


def _unit_names(path: Path, file: Any) -> Sequence[str]:
    names: list[str] = []
    for session in numbered(file, "MSession"):
        for unit in numbered(file[session], "MUnit"):
            if len(names) == _MAX_UNITS:
                raise FormatError(
                    "The file has too many measurements",
                    path=path,
                    found=f"more than {_MAX_UNITS}",
                    allowed=_MAX_UNITS,
                    remedy="save them in several files in MESc.",
                )
            names.append(f"{session}/{unit}")
    return names


def _unit(path: Path, file: Any, name: str) -> Unit:
    names = _unit_names(path, file)
    if name not in names:
        raise FormatError(
            "The file has no such measurement",
            path=path,
            found=name,
            allowed=", ".join(names) or "it has none",
            remedy="Register the folder again.",
        )
    session, unit = name.split("/")
    return Unit(path, name, file[session][unit])


def _unit_or_problem(path: Path, file: Any, name: str) -> MescUnit:
    try:
        session, unit = name.split("/")
        return _read_unit(Unit(path, name, file[session][unit]))
    # Of this measurement alone: what is in a day's other ones must not wait for it.
    except FormatError as error:
        return MescUnit(name, "measurement that cannot be read", problem=error)


def _read_unit(unit: Unit) -> MescUnit:
    kind = kind_of(unit)
    if kind != TIME_SERIES:
        return MescUnit(unit.name, kind)
    movie = check_movie(unit)
    if movie[0].shape[0] == 0:
        return MescUnit(unit.name, f"{TIME_SERIES} without a frame")
    recording = _recording(unit, movie)
    own = fingerprint(unit, _content(recording), movie)
    return MescUnit(unit.name, kind, replace(recording, fingerprint=own))


def _content(recording: MescRecording) -> str:
    """Return what identifies a recording, without its position in the file and a person's comment."""
    channels = [(channel.name, channel.scale, channel.offset) for channel in recording.channels]
    curves = [(curve.name, curve.time, curve.num_values, curve.step_ms) for curve in recording.curves]
    size = (recording.num_frames, recording.height, recording.width, recording.dtype)
    scale = (recording.um_per_px_x, recording.um_per_px_y, recording.frame_period_ms)
    return json.dumps([size, scale, recording.start.isoformat(), channels, curves])


def _recording(unit: Unit, movie: Sequence[Any]) -> MescRecording:
    num_frames, height, width = movie[0].shape
    um_per_px_x = unit.positive("XAxisConversionConversionLinearScale")
    has_own_y = "YAxisConversionConversionLinearScale" in unit.attributes
    return MescRecording(
        unit=unit.name,
        version=unit.text("CreatingMEScVersion"),
        num_frames=num_frames,
        height=height,
        width=width,
        dtype=movie[0].dtype.name,
        channels=tuple(_channel(unit, dataset.name) for dataset in movie),
        um_per_px_x=um_per_px_x,
        # Pixels are square unless the file has a scale for y.
        um_per_px_y=unit.positive("YAxisConversionConversionLinearScale") if has_own_y else um_per_px_x,
        frame_period_ms=_frame_period_ms(unit),
        start=_start(unit),
        curves=read_curves(unit),
        comment=unit.text("Comment"),
    )


def _channel(unit: Unit, dataset_name: str) -> MescChannel:
    # The name of a dataset is its path in the file; attributes go by its last part.
    name = re.sub(r".*/", "", dataset_name)
    conversion = f"{name}_Conversion_ConversionLinear"
    return MescChannel(
        unit.text(f"{name}_Name"),
        unit.number(f"{conversion}Scale") if f"{conversion}Scale" in unit.attributes else None,
        unit.number(f"{conversion}Offset") if f"{conversion}Offset" in unit.attributes else None,
    )


def _frame_period_ms(unit: Unit) -> float:
    if "TStepInMs" in unit.attributes:
        return unit.positive("TStepInMs")
    # Older files have time as the third axis of the movie.
    unit_name = unit.text("ZAxisConversionUnitName")
    if unit_name not in ("", "ms"):
        raise unit.error("The time between frames has another unit than ms", printable(unit_name), "ms")
    return unit.positive("ZAxisConversionConversionLinearScale")


def _start(unit: Unit) -> datetime:
    seconds = unit.number("MeasurementDatePosix")
    has_fraction = "MeasurementDateNanoSecs" in unit.attributes
    nanoseconds = unit.number("MeasurementDateNanoSecs") if has_fraction else 0.0
    try:
        start = datetime.fromtimestamp(int(seconds), UTC) + timedelta(microseconds=int(nanoseconds) // 1000)
    except (OverflowError, OSError, ValueError) as error:
        raise unit.error("The measurement date is no date", f"{seconds:g} s since 1970") from error
    if start.year < _FIRST_YEAR:
        raise unit.error(
            "The measurement date cannot be right", f"{start:%Y-%m-%d}", f"{_FIRST_YEAR} or later"
        )
    return start
