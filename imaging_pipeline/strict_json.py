"""JSON in which no key is given twice: Python would take the last and not say so."""

from __future__ import annotations

import json

# Settings and notes of programs have some five levels.
MAX_DEPTH = 60


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
        content = json.loads(text, object_pairs_hook=_once_each)
    except RecursionError:
        raise json.JSONDecodeError("nested too deeply", text, 0) from None
    if _is_deep(content):
        raise json.JSONDecodeError("nested too deeply", text, 0)
    return content


def _is_deep(content: object) -> bool:
    """Return True if lists and objects are nested deeper than whoever walks through them may go."""
    level = [content]
    for _ in range(MAX_DEPTH):
        level = [
            part
            for each in level
            if isinstance(each, list | dict)
            for part in (each.values() if isinstance(each, dict) else each)
        ]
    return bool(level)


def _once_each(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made: dict[str, object] = {}
    for key, value in pairs:
        if key in made:
            raise GivenTwiceError(key)
        made[key] = value
    return made
