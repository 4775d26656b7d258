"""Rows of plain values, read and inserted in one statement.

DataJoint looks up the column of each value anew, which for the files of a folder takes longer than the
server's own work.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

# A row as DataJoint takes and returns it: the value of each column by its name.
Row = dict[str, Any]


def fetch(connection: Any, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
    """Return the rows of a query, which has a ``%s`` for each of the values.

    `from_json` reads what JSON columns hold in them.
    """
    rows: list[tuple[Any, ...]] = connection.query(query, args=tuple(values)).fetchall()
    return rows


def from_json(value: Any) -> Any:
    """Return the value of a JSON column, which MySQL's driver leaves as text."""
    return json.loads(value) if isinstance(value, str) else value


def insert(table: Any, rows: Iterable[Mapping[str, Any]]) -> None:
    """Insert rows of numbers, text, times and JSON, all with the same columns, in one statement."""
    listed = list(rows)
    # INSERT without values is no SQL.
    if not listed:
        return
    columns = list(listed[0])
    quoted = ", ".join(map(table.connection.adapter.quote_identifier, columns))
    tuples = ", ".join([f"({placeholders(columns)})"] * len(listed))
    statement = f"INSERT INTO {table.full_table_name} ({quoted}) VALUES {tuples}"
    table.connection.query(statement, args=[_stored(row[name]) for row in listed for name in columns])


def like_literal(text: str) -> str:
    """Return a text in lower case as it stands for itself in a pattern of ``LIKE … ESCAPE '!'``."""
    return re.sub("([!%_])", r"!\1", text.lower())


def placeholders(values: Sequence[object]) -> str:
    """Return the placeholders of some values in a statement: ``%s, %s``."""
    return ", ".join(["%s"] * len(values))


def _stored(value: Any) -> Any:
    # The drivers would write a list as an array or a tuple of SQL.
    return json.dumps(value) if isinstance(value, (dict, list, tuple)) else value
