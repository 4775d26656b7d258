"""One measurement of a ``.mesc`` file: of which kind it is, and what its attributes say."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from imaging_pipeline.errors import FormatError
from imaging_pipeline.printable import printable
from imaging_pipeline.readers.hdf5.file import text

if TYPE_CHECKING:
    from imaging_pipeline.readers.hdf5.attributes import Attributes


@dataclass(frozen=True)
class Unit:
    """An open group ``MUnit_M``; ``name`` has the session too, ``MSession_0/MUnit_3``."""

    path: Path
    name: str
    group: Any

    @property
    def attributes(self) -> Attributes:
        """The attributes, unconverted."""
        attributes: Attributes = self.group.attrs
        return attributes

    def text(self, attribute: str) -> str:
        """Return an attribute that is text; empty where it is not there."""
        return text(self.attributes.get(attribute, ""))

    def number(self, attribute: str) -> float:
        """Return an attribute that is one finite number, or raise FormatError."""
        value = self.attributes.get(attribute)
        if value is None:
            raise self.error(f"The attribute {attribute} is not there")
        values = np.ravel(np.asarray(value))
        is_number = values.size == 1 and values.dtype.kind in "iuf"
        if not is_number or not math.isfinite(values[0]):
            raise self.error(f"The attribute {attribute} is no number", printable(value))
        return float(values[0])

    def positive(self, attribute: str) -> float:
        """Return an attribute that is a number above zero, or raise FormatError."""
        number = self.number(attribute)
        if number <= 0:
            raise self.error(f"The attribute {attribute} makes no sense", number, "above 0")
        return number

    def error(self, what: str, found: object = None, allowed: object = None) -> FormatError:
        """Return an error that names the file and the measurement."""
        return FormatError(
            f"{self.name}: {what}",
            path=self.path,
            found=found,
            allowed=allowed,
            remedy="look at the measurement in MESc; if it is right there, this version cannot be read yet.",
        )


def numbered(group: Any, prefix: str) -> list[str]:
    """Return the names ``prefix_N`` in a group by their numbers, 2 before 10; a dataset has none."""
    matches = (re.fullmatch(rf"{prefix}_([0-9]{{1,9}})", name) for name in (group if group.is_group else ()))
    by_number = sorted((int(match[1]), match[0]) for match in matches if match)
    return [name for _, name in by_number]


TIME_SERIES = "time series"
_Z_STACK = "z-stack"

# Numbers of MethodType, and of ZAxisGeomRole in older files, as other programs that read them take them.
_METHODS = {1: TIME_SERIES, 2: _Z_STACK, 6: "line scan"}
_ROLES = {0: TIME_SERIES, 3: _Z_STACK}
# What the third axis is called, and what it is measured in.
_AXIS_WORDS = {"t": TIME_SERIES, "ms": TIME_SERIES, "z": _Z_STACK, "µm": _Z_STACK, "um": _Z_STACK}
# With the Greek letter; above is the micro sign, a character of its own that looks the same.
_AXIS_WORDS["μm"] = _Z_STACK


def kind_of(unit: Unit) -> str:
    """Return the kind in words.

    Newer files state it (``MethodType``); in older ones the role, title or unit of the third axis shows it.

    Raises
    ------
    FormatError
        A number is none.
    """
    if "MethodType" in unit.attributes:
        method = int(unit.number("MethodType"))
        return _METHODS.get(method, f"measurement of the method {method}")
    if "ZAxisGeomRole" in unit.attributes:
        role = int(unit.number("ZAxisGeomRole"))
        return _ROLES.get(role, f"measurement whose third axis has the role {role}")
    for attribute in ("ZAxisConversionTitle", "ZAxisConversionUnitName"):
        word = unit.text(attribute).strip()
        if word in _AXIS_WORDS:
            return _AXIS_WORDS[word]
    return "measurement that does not say what its third axis is"
