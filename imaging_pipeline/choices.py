"""What an error tells of a name that is none of those that are there."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_LISTED = 10
_LONGEST = 200


def among(value: str, known: Iterable[str]) -> tuple[str, str | None]:
    """Return what was found and what is allowed, for the error about an unknown name.

    Of more names than a person reads, those count that look like it, or else the first ones.
    """
    names = sorted(set(known))
    alike = near(value, names)
    listed = ", ".join(names[:_LISTED])
    if len(names) > _LISTED:
        listed = "" if alike else f"{listed} and {len(names) - _LISTED} more"
    return with_alike(value, alike), listed or (None if names else "none is there yet")


def near(value: str, known: Iterable[str], count: int = 3) -> list[str]:
    """Return the known values that look most like ``value``, best first, whatever their case."""
    by_lower = {name.lower(): name for name in known}
    # It compares each character with each: no name is so long.
    matches = difflib.get_close_matches(value[:_LONGEST].lower(), by_lower, n=count, cutoff=0.5)
    return [by_lower[match] for match in matches]


def with_alike(value: str, alike: Iterable[str]) -> str:
    """Return a value that is not known with those that may have been meant: ``seks (like sex?)``."""
    meant = ", ".join(alike)
    return f"{value} (like {meant}?)" if meant else value
