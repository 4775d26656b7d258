"""Searching by a part of a text."""

from __future__ import annotations

from typing import Any


def containing(query: Any, column: str, text: str) -> str:
    """Return the restriction that a column contains a text as it was typed, whatever its case.

    Parameters
    ----------
    query
        The table or join that is to be restricted.
    column
        One of its columns of text; never what a person typed.
    text
        Taken by the letter: ``%`` and ``_`` stand for themselves.
    """
    adapter = query.connection.adapter
    escaped = text.lower().replace("!", "!!").replace("%", "!%").replace("_", "!_")
    pattern = adapter.quote_string(f"%{escaped}%")
    if adapter.backend == "postgresql":
        # DataJoint, which looks for names of columns, takes a backslash before a quote as MySQL does.
        pattern = pattern.replace("\\", "' || CHR(92) || '")
    return f"LOWER({adapter.quote_identifier(column)}) LIKE ({pattern}) ESCAPE '!'"
