"""Whole numbers that programs write as floats, as pandas does with a column that has a gap."""

from __future__ import annotations

import re

# Above, a float stands for several whole numbers, and which one was meant is lost.
_LIMIT = 2**53
_WHOLE = re.compile(r"(-?(?:0|[1-9][0-9]*))\.0+")
# Spreadsheets write a comma in many languages. "1,000" may be 1 or 1000, so that none counts as whole.
_EXPONENT = r"[0-9]+[.,][0-9]*[eE][+-]?[0-9]+|[0-9]+[eE][+-][0-9]+"
# Not "12e4": identifiers of digits and letters look like that, and programs write a sign or a point as well.
_FLOAT = re.compile(rf"[+-]?(?:[0-9]*[.,][0-9]+|{_EXPONENT})|[+-]?(?:nan|inf|infinity)", re.IGNORECASE)


def without_point(text: str) -> str:
    """Return a whole number without its decimal point, ``4711.0`` as ``4711``; another text as it is."""
    match = _WHOLE.fullmatch(text)
    return match[1] if match and abs(int(match[1])) < _LIMIT else text


def is_float(text: str) -> bool:
    """Return True if a text is a number as programs write floats: with point or comma, exponent, or nan."""
    return _FLOAT.fullmatch(text) is not None


def has_exponent(text: str) -> bool:
    """Return True if a text is a number with an exponent, of which spreadsheets round the digits."""
    return re.fullmatch(rf"[+-]?(?:{_EXPONENT})", text) is not None
