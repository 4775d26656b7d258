"""A row of a source, as it is there, and why a row is skipped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

# Of a text in a message, in characters; it is also the length of the column problem_animal.
_MAX_LENGTH = 255

Cell = str | bytes | None
"""A text, or the bytes of one in UTF-8; in a text, bytes that could not be decoded are lone surrogates."""


# A named tuple: there are hundreds of thousands of them, and a frozen dataclass is slower to make.
class Record(NamedTuple):
    """A row of a source.

    Attributes
    ----------
    row
        Its number, as the source counts.
    cells
        Column → its cell; None where it is empty.
    """

    row: str
    cells: Mapping[str, Cell]


@dataclass(frozen=True)
class RowProblem:
    """Why a row is skipped.

    Attributes
    ----------
    row
        Its number, as the source counts.
    animal_id
        The animal of the row; empty where it is not known.
    what
        What is wrong.
    found, allowed
        The text in the row, and what is accepted.
    """

    row: str
    animal_id: str
    what: str
    found: str
    allowed: str


def decoded(cell: Cell) -> str:
    """Return the text of a cell; bytes that are not UTF-8 become lone surrogates."""
    return cell.decode("utf-8", "surrogateescape") if isinstance(cell, bytes) else cell or ""


def is_utf8(text: str) -> bool:
    """Return True if all bytes of a text could be decoded."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def shown(text: str) -> str:
    """Return the beginning of a text, printable, with bytes that are not UTF-8 as numbers."""
    cut = text[:_MAX_LENGTH].replace("\0", "\\0")
    # JSON may hold lone surrogates that stand for no byte ("\ud800"); these cannot be encoded back.
    try:
        return cut.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:
        return cut.encode("utf-8", "backslashreplace").decode("utf-8")
