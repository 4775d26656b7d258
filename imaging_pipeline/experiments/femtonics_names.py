"""Femtonics' names: which files of a folder belong to which measurement of which ``.mesc`` file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from imaging_pipeline.experiments.recognised import Unknown

# A part of a .mesc file, by its path below that of the file.
_UNIT = re.compile(r"(?P<stem>[^/]+)\.mesc/MSession_(?P<session>[0-9]+)/MUnit_(?P<number>[0-9]+)", re.I)
# Not \b, for which an underscore belongs to a word: in these names it separates words.
_UNIT_NUMBER = re.compile(r"(?<![0-9A-Za-z])MUnit_(?P<number>[0-9]+)(?![0-9A-Za-z])")
_SESSION_NUMBER = re.compile(r"(?<![0-9A-Za-z])MSession_(?P<number>[0-9]+)(?![0-9A-Za-z])")


@dataclass(frozen=True, order=True)
class UnitName:
    """A measurement, by the name of its file without the ending, and its two numbers."""

    stem: str
    session: int
    number: int

    @property
    def timeseries_name(self) -> str:
        """What its session is called: the same, whatever else the folder holds."""
        session = f"MSession_{self.session}_" if self.session else ""
        return f"{self.stem}_{session}MUnit_{self.number}"


def unit_name(path: str) -> UnitName | None:
    """Split the path of a part of a ``.mesc`` file; None if it is no such path."""
    match = _UNIT.fullmatch(path)
    return UnitName(match["stem"], int(match["session"]), int(match["number"])) if match else None


class Measurements:
    """The time series of a folder, looked up by names that refer to them.

    Parameters
    ----------
    units
        All of them.
    """

    def __init__(self, units: Sequence[UnitName]) -> None:
        self._units = sorted(set(units))
        self._timeseries_names = {unit.timeseries_name for unit in units}
        # The longest first, because one name may occur in another.
        self._stems = sorted({unit.stem for unit in units}, key=len, reverse=True)

    def named_by(self, name: str) -> UnitName | Unknown:
        """Return the measurement that a name refers to, or why it is not certain which."""
        match = _UNIT_NUMBER.search(name)
        if match is None:
            return Unknown("its name does not say of which measurement it is (MUnit_M)")
        units = [unit for unit in self._units if unit.number == int(match["number"])]
        session = _SESSION_NUMBER.search(name)
        if session is not None:
            units = [unit for unit in units if unit.session == int(session["number"])]
        if len(self._stems) > 1:
            # Without the match: a file may be called MUnit_0.mesc, and every MUnit_0 would seem to name it.
            stem = self._stem_in(f"{name[: match.start()]} {name[match.end() :]}")
            if stem is None:
                files = ", ".join(f"{file_stem}.mesc" for file_stem in sorted(self._stems))
                return Unknown(f"its name does not say of which file it is: {files}", is_ambiguous=True)
            units = [unit for unit in units if unit.stem == stem]
        if len(units) == 1:
            return units[0]
        if units:
            sessions = " and ".join(f"MSession_{unit.session}" for unit in units)
            reason = f"its name does not say of which it is: {match[0]} is in {sessions}"
            return Unknown(reason, is_ambiguous=True)
        return Unknown(f"there is no time series {match[0]} of it in the folder", lacks_recording=True)

    def timeseries_named_by(self, name: str) -> str | Unknown:
        """Return a name that is a timeseries name, or that of the measurement that it refers to."""
        if name in self._timeseries_names:
            return name
        unit = self.named_by(name)
        return unit if isinstance(unit, Unknown) else unit.timeseries_name

    def folder_of(self, unit: UnitName) -> str:
        """Return the shortest name that `named_by` finds a measurement by: its own folder's."""
        namesakes = [other for other in self._units if (other.stem, other.number) == (unit.stem, unit.number)]
        stem = f"{unit.stem}_" if len(self._stems) > 1 else ""
        session = f"MSession_{unit.session}_" if len(namesakes) > 1 else ""
        return f"{stem}{session}MUnit_{unit.number}"

    def _stem_in(self, text: str) -> str | None:
        """Return the longest stem of a file that occurs in a text as a word of its own."""
        for stem in self._stems:
            if re.search(rf"(?<![0-9A-Za-z]){re.escape(stem)}(?![0-9A-Za-z])", text):
                return stem
        return None
