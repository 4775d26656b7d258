"""JSON in which no key is given twice: Python would take the last and not say so."""

from __future__ import annotations

import json


class GivenTwiceError(ValueError):
    """An object has a key twice; ``key`` names it."""

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(f"each key once, and {key!r} is given twice")


def loads(text: str) -> object:
    """Read JSON as `json.loads` does.

    Raises
    ------
    GivenTwiceError
        An object has a key twice.
    json.JSONDecodeError
        It is no JSON, or nested deeper than anybody writes.
    """
    try:
        return json.loads(text, object_pairs_hook=_once_each)
    except RecursionError:
        raise json.JSONDecodeError("nested too deeply", text, 0) from None


def _once_each(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made: dict[str, object] = {}
    for key, value in pairs:
        if key in made:
            raise GivenTwiceError(key)
        made[key] = value
    return made
