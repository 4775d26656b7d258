"""Names and values from files, as they may be shown in a message."""

from __future__ import annotations

# Enough for a person to recognise a name or a value.
_NUM_CHARACTERS = 80


def escaped(text: str) -> str:
    """Return a text in which control characters, which could act on a terminal, are escaped."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


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
