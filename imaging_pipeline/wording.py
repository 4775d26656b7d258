"""Numbers, durations and lines as people read them."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86_400

_NUM_LISTED = 3

# From here on a tenth of a second says nothing.
_WHOLE_S = 9.95


def in_words(duration_s: float) -> str:
    """Return ``2.3 s``, ``45 s``, ``4 min 10 s``, ``2 h 5 min`` or ``3 d 4 h``; a negative duration as 0."""
    seconds = max(duration_s, 0.0)
    if seconds < _WHOLE_S:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < _MINUTE_S:
        return f"{whole} s"
    if whole < _HOUR_S:
        return _two(*divmod(whole, _MINUTE_S), "min", "s")
    minutes = round(seconds / _MINUTE_S)
    if minutes * _MINUTE_S < _DAY_S:
        return _two(*divmod(minutes, _HOUR_S // _MINUTE_S), "h", "min")
    return _two(*divmod(round(seconds / _HOUR_S), _DAY_S // _HOUR_S), "d", "h")


def _two(large: int, small: int, large_unit: str, small_unit: str) -> str:
    return f"{large} {large_unit} {small} {small_unit}" if small else f"{large} {large_unit}"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def times(number: int) -> str:
    """Return ``once`` or ``3 times``."""
    return "once" if number == 1 else f"{number} times"


def shortened_list(texts: Sequence[str], separator: str = ", ") -> str:
    """Join the first three texts, and say how many more there are."""
    more = len(texts) - _NUM_LISTED
    return separator.join(texts[:_NUM_LISTED]) + (f" and {more} more" if more > 0 else "")


def wrapped(line: str, width: int) -> str:
    """Break a line between words; further lines are indented by four more."""
    indent = " " * (len(line) - len(line.lstrip()))
    return textwrap.fill(
        line.lstrip(),
        width,
        initial_indent=indent,
        subsequent_indent=f"{indent}    ",
        break_long_words=False,
        break_on_hyphens=False,
    )
