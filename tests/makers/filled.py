"""Which tables have rows, and which columns values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.makers.definitions import tables


def empty_places() -> Iterator[str]:
    """Return every table without a row, and every column without a value in any row."""
    for table in tables():
        name = table.__qualname__
        if not table():
            yield name
        else:
            yield from (
                f"{name}.{column}" for column in table.heading.names if not _has_value(table(), column)
            )


def _has_value(table: Any, column: str) -> bool:
    quoted = table.connection.adapter.quote_identifier(column)
    is_text = table.heading.attributes[column].type.startswith(("varchar", "character"))
    filled = f"{quoted} IS NOT NULL" + (f" AND {quoted} <> ''" if is_text else "")
    return bool(table & filled)
