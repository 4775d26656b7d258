"""What an error tells of a name that is none of those that are there."""

from __future__ import annotations

from collections.abc import Iterable

from imaging_pipeline.errors import near, with_alike

_LISTED = 10


def among(value: str, known: Iterable[str]) -> tuple[str, str | None]:
    """Give what was found and what is allowed, for the error for a name that is none of those that are there.

    Of more names than a person reads, those count that look like it, or else the first ones.
    """
    names = sorted(set(known))
    alike = near(value, names)
    listed = ", ".join(names[:_LISTED])
    if len(names) > _LISTED:
        listed = "" if alike else f"{listed} and {len(names) - _LISTED} more"
    return with_alike(value, alike), listed or (None if names else "none is there yet")
