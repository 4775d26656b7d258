"""Similar and existing names, for errors about a name that does not exist."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_LISTED = 10
_LONGEST = 200


def among(value: str, allowed: Iterable[str]) -> tuple[str, str | None]:
    """Return the texts of what was found and what is allowed, for the error about an unknown name.

    Where there are too many names to list, only similar ones are named, or else the first ones.
    """
    names = sorted(set(allowed))
    alike = near(value, names)
    listed = ", ".join(names[:_LISTED])
    if len(names) > _LISTED:
        listed = "" if alike else f"{listed} and {len(names) - _LISTED} more"
    return with_alike(value, alike), listed or (None if names else "none is there yet")


def near(value: str, allowed: Iterable[str], count: int = 3) -> list[str]:
    """Return the allowed values that are most similar to ``value``, best first; case is ignored."""
    by_lower = {name.lower(): name for name in allowed}
    # It compares each character with each: no name is so long.
    matches = difflib.get_close_matches(value[:_LONGEST].lower(), by_lower, n=count, cutoff=0.5)
    return [by_lower[match] for match in matches]


def with_alike(value: str, alike: Iterable[str]) -> str:
    """Return an unknown value with similar ones that may have been meant: ``seks (like sex?)``."""
    similar = ", ".join(alike)
    return f"{value} (like {similar}?)" if similar else value
