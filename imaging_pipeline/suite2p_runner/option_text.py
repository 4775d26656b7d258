"""Options as a person reads and types them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from imaging_pipeline import strict_json
from imaging_pipeline.suite2p_runner.known_options import conform, db_1x, settings_1x
from imaging_pipeline.suite2p_runner.options import CARRIED_DB

NOTHING = "null"
"""Stands for no value."""


@cache
def known() -> Mapping[str, tuple[str, Any]]:
    """Type and default of each option that a set may say, by name; what the recording is comes first."""
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
    kind, _ = known()[name]
    if kind == "str":
        return None if text == NOTHING else text
    try:
        value = strict_json.loads(text)
    except ValueError:
        # A word, such as "auto"; what is none of those is refused as of the wrong kind.
        value = text
    return conform(name, value, kind)
