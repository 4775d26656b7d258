"""What an option set changes, and in what two sets differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from imaging_pipeline.suite2p_runner.known_options import db_1x, flat, settings_1x


@dataclass(frozen=True)
class Difference:
    """One option where two sets differ, or a set and Suite2p's defaults.

    Attributes
    ----------
    name
        Dotted name of the option, such as ``registration.nonrigid``.
    first, second
        Its value in each.
    """

    name: str
    first: Any
    second: Any


def from_default(settings: Mapping[str, Any]) -> list[Difference]:
    """Return what a set says otherwise than Suite2p: the set's value, and the default."""
    return between(settings, {})


def between(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[Difference]:
    """Return in what two sets differ, in Suite2p's order; what a set does not say is as in Suite2p."""
    defaults = {name: default for known in (db_1x(), settings_1x()) for name, (_, default) in known.items()}
    values = [dict(flat(settings)) for settings in (first, second)]
    names = dict.fromkeys([*defaults, *values[0], *values[1]])
    found = (Difference(name, *(each.get(name, defaults.get(name)) for each in values)) for name in names)
    return [each for each in found if each.first != each.second]
