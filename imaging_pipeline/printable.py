"""Names and values from files, as they may be shown in a message."""

from __future__ import annotations

import reprlib

_SHORT = reprlib.Repr()
_SHORT.maxlevel = 3
_SHORT.maxdict, _SHORT.maxlist, _SHORT.maxtuple = 10, 20, 20
_SHORT.maxstring = _SHORT.maxlong = _SHORT.maxother = 200

# What a person needs to find a name or a value again.
_NUM_CHARACTERS = 80


def escaped(text: str) -> str:
    """Return a text in which control characters, which could act on a terminal, are escaped."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


def short_repr(value: object) -> str:
    """Return how Python writes a value, cut within it: a value that a stranger gave may be of any length."""
    return escaped(_SHORT.repr(value))


def printable(value: object) -> str:
    """Return the beginning of a text, number or error; of a collection, only its type and length.

    Collections may contain each other, so that writing them out could take for ever.
    """
    if isinstance(value, bytes):
        return printable(value.decode("utf-8", "replace"))
    if isinstance(value, list | tuple | dict | set | frozenset):
        return f"a {type(value).__name__} of {len(value):,} elements"
    if getattr(value, "shape", ()):
        return f"an array of shape {value.shape}"  # type: ignore[attr-defined]
    text = str(value)
    left_out = len(text) - _NUM_CHARACTERS
    shown = escaped(text[:_NUM_CHARACTERS])
    return f"{shown} … ({left_out} characters more)" if left_out > 0 else shown
