"""Values and names from files of strangers, as they may stand in a message."""

from __future__ import annotations

# What a person needs to find a name or a value again.
_NUM_CHARACTERS = 80


def printable(value: object) -> str:
    """Return the beginning of a text, with escapes for what no terminal should be sent."""
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    if len(text) <= _NUM_CHARACTERS and text.isprintable():
        return text
    shown = "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text[:_NUM_CHARACTERS]
    )
    left_out = len(text) - _NUM_CHARACTERS
    return f"{shown} … ({left_out} characters more)" if left_out > 0 else shown
