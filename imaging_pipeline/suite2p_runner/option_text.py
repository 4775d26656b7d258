"""Options as a person reads and types them, and the differences between two sets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from imaging_pipeline import strict_json
from imaging_pipeline.suite2p_runner.known_options import conform, db_1x, flat, settings_1x
from imaging_pipeline.suite2p_runner.options import CARRIED_DB

NOTHING = "null"
"""Stands for no value."""


@cache
def options_by_name() -> Mapping[str, tuple[str, Any]]:
    """Type and default of each option that a set may have; those of the recording come first."""
    return {**{name: db_1x()[name] for name in CARRIED_DB}, **settings_1x()}


def as_text(value: Any) -> str:
    """Return a value as it is typed: texts as they are, all else as JSON."""
    return value if isinstance(value, str) else json.dumps(value)


def from_text(name: str, text: str) -> Any:
    """Return the value that was typed for an option.

    Raises
    ------
    InputError
        It is of another kind.
    """
    kind, _ = options_by_name()[name]
    if kind == "str":
        return None if text == NOTHING else text
    try:
        value = strict_json.loads(text)
    except ValueError:
        # A word, such as "auto"; `conform` refuses any other.
        value = text
    return conform(name, value, kind)


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
    """Return where a set differs from Suite2p's defaults: the set's value, and the default."""
    return between(settings, {})


def between(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[Difference]:
    """Return where two sets differ, in Suite2p's order; an option that a set lacks has its default."""
    known = {**db_1x(), **settings_1x()}
    values = [dict(flat(settings)) for settings in (first, second)]
    differences = []
    for name in dict.fromkeys([*known, *values[0], *values[1]]):
        default = known[name][1] if name in known else None
        one, other = (settings.get(name, default) for settings in values)
        if one != other:
            differences.append(Difference(name, one, other))
    return differences
