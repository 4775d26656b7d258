"""One measurement of a ``.mesc`` file, and what its attributes say."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from imaging_pipeline.errors import FormatError
from imaging_pipeline.readers.hdf5_file import text


@dataclass(frozen=True)
class Unit:
    """An open group ``MUnit_M``; ``name`` tells the session as well, ``MSession_0/MUnit_3``."""

    path: Path
    name: str
    group: Any

    @property
    def attributes(self) -> Mapping[str, Any]:
        """The attributes as HDF5 gives them."""
        attributes: Mapping[str, Any] = self.group.attrs
        return attributes

    def text(self, attribute: str) -> str:
        """Give an attribute that is text; empty where it is not there."""
        return text(self.attributes[attribute]) if attribute in self.attributes else ""

    def number(self, attribute: str) -> float:
        """Give an attribute that is one finite number, or raise FormatError."""
        if attribute not in self.attributes:
            raise self.error(f"The attribute {attribute} is not there")
        values = np.ravel(np.asarray(self.attributes[attribute]))
        is_number = values.size == 1 and values.dtype.kind in "iuf"
        if not is_number or not math.isfinite(values[0]):
            raise self.error(f"The attribute {attribute} is no number", self.attributes[attribute])
        return float(values[0])

    def positive(self, attribute: str) -> float:
        """Give an attribute that is a number above zero, or raise FormatError."""
        number = self.number(attribute)
        if number <= 0:
            raise self.error(f"The attribute {attribute} makes no sense", number, "above 0")
        return number

    def error(self, what: str, found: object = None, allowed: object = None) -> FormatError:
        """Make the error that names the file and the measurement."""
        return FormatError(
            f"{self.name}: {what}",
            path=self.path,
            found=found,
            allowed=allowed,
            remedy="look at the measurement in MESc; if it is right there, this version cannot be read yet.",
        )


def numbered(group: Any, prefix: str) -> list[str]:
    """Give the names ``prefix_N`` of a group, by their numbers: 2 comes before 10."""
    matches = (re.fullmatch(rf"{prefix}_([0-9]+)", name) for name in group)
    found = sorted((int(match[1]), match[0]) for match in matches if match)
    return [name for _, name in found]
