"""Lists in what a person reads, and in columns that hold so much and no more."""

from __future__ import annotations

from collections.abc import Sequence

_SHOWN = 3


def listed(texts: Sequence[str], separator: str = ", ") -> str:
    """Join the first three texts, and say how many more there are."""
    more = len(texts) - _SHOWN
    return separator.join(texts[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
