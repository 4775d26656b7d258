"""JSON as files of others are read: not too deep, and without duplicate keys, of which Python takes the last.

What the pipeline itself has written to the database, or sends to its own processes, needs none of this.
"""

from __future__ import annotations

import json
from typing import Any

# Settings and notes of programs have some five levels.
MAX_DEPTH = 60
_TOO_DEEP = f"nested deeper than {MAX_DEPTH} levels"


class DuplicateKeyError(ValueError):
    """An object has a key twice; ``key`` names it."""

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(f"each key once, and {key!r} is given twice")


class NestedTooDeeplyError(json.JSONDecodeError):
    """Lists and objects are nested deeper than `MAX_DEPTH`, or than Python can read."""


def loads(text: str) -> object:
    """Read JSON as `json.loads` does.

    Raises
    ------
    DuplicateKeyError
        An object has a key twice.
    NestedTooDeeplyError
        Lists and objects are nested deeper than `MAX_DEPTH`.
    json.JSONDecodeError
        The text is no JSON.
    """
    try:
        content = json.loads(text, object_pairs_hook=_without_duplicates)
    except RecursionError:
        raise NestedTooDeeplyError(_TOO_DEEP, text, 0) from None
    if _is_deep(content):
        raise NestedTooDeeplyError(_TOO_DEEP, text, 0)
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


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result: dict[str, object] = {}
    for key, value in pairs:
        if key in result:
            raise DuplicateKeyError(key)
        result[key] = value
    return result


def is_storable(value: Any) -> bool:
    """Return True if databases take a value as JSON: no NaN, no infinity, no NUL, no lone surrogates."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        # A lone surrogate is valid in a Python text, but cannot be encoded.
        text.encode()
    except (TypeError, ValueError, RecursionError):
        return False
    # In JSON a NUL is written as an escape; two backslashes before it are a backslash of the text.
    return "\\u0000" not in text.replace("\\\\", "")
