"""Rows of plain values, in one statement each and without DataJoint's work on every value.

It looks up the column of a value for each value anew, which for the files of a folder takes longer than
the server takes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

# A row as DataJoint takes and returns it: the value of each column by its name.
Row = dict[str, Any]


def fetch(connection: Any, question: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
    """Return the rows that answer a question; ``%s`` stands in it for each of the values.

    What is JSON comes as `from_json` takes it.
    """
    rows: list[tuple[Any, ...]] = connection.query(question, args=tuple(values)).fetchall()
    return rows


def from_json(value: Any) -> Any:
    """Return a value of a JSON column, which the driver of MySQL leaves as text."""
    return json.loads(value) if isinstance(value, str) else value


def insert(table: Any, rows: Iterable[Mapping[str, Any]]) -> None:
    """Insert rows of numbers, text, times and JSON, all with the same columns, in one statement."""
    listed = list(rows)
    if not listed:
        return
    columns = list(listed[0])
    quoted = ", ".join(map(table.connection.adapter.quote_identifier, columns))
    places = ", ".join([f"({marks(columns)})"] * len(listed))
    statement = f"INSERT INTO {table.full_table_name} ({quoted}) VALUES {places}"
    table.connection.query(statement, args=[_stored(each[name]) for each in listed for name in columns])


def like_literal(text: str) -> str:
    """Return a text in lower case as it stands for itself in a pattern of ``LIKE … ESCAPE '!'``."""
    return re.sub("([!%_])", r"!\1", text.lower())


def marks(values: Sequence[object]) -> str:
    """Return the marks that stand in a statement for some values."""
    return ", ".join(["%s"] * len(values))


def _stored(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, (dict, list, tuple)) else value
