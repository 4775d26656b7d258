"""SQL with placeholders for values, and the values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from imaging_pipeline.schemas.tables import Tables


@dataclass(frozen=True)
class Sql:
    """A condition or a query; a condition without text is always true."""

    text: str = ""
    args: tuple[object, ...] = ()

    @property
    def clause(self) -> str:
        """The condition as the end of a query."""
        return f"WHERE {self.text}" if self.text else ""


def all_of(conditions: Iterable[Sql]) -> Sql:
    """Return the condition that several are true."""
    used = [condition for condition in conditions if condition.text]
    text = " AND ".join(f"({condition.text})" for condition in used)
    return Sql(text, tuple(value for condition in used for value in condition.args))


def is_in(column: str, values: Iterable[object]) -> Sql:
    """Return the condition that a column has one of some values."""
    args = tuple(values)
    # No server takes an empty list.
    return Sql(f"{column} IN ({', '.join(['%s'] * len(args))})", args) if args else Sql("1 = 0")


def union_all(queries: Iterable[Sql]) -> Sql:
    """Return a query for the rows of several."""
    united = tuple(queries)
    text = " UNION ALL ".join(query.text for query in united)
    return Sql(text, tuple(value for query in united for value in query.args))


def rows_of_all(tables: Tables, queries: Iterable[Sql]) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of several queries in order; each row begins with the number of its query.

    They are sent one by one: PostgreSQL would start processes for a union of them, and take twice as long.
    """
    for number, query in enumerate(queries):
        for row in tables.connection.query(query.text, args=query.args).fetchall():
            yield (number, *row)


def contains(column: str, text: str) -> Sql:
    """Return the condition that a column has a text in it, in any case."""
    # Texts are compared with their case on both servers: schemas on MySQL are created as utf8mb4_bin.
    return Sql(f"LOWER({column}) LIKE %s ESCAPE '!'", (f"%{_escaped(text.lower())}%",))


def begins_with(column: str, text: str) -> Sql:
    """Return the condition that a column, of lower-case values, begins with a text in any case."""
    return Sql(f"{column} LIKE %s ESCAPE '!'", (f"{_escaped(text.lower())}%",))


def any_of(conditions: Iterable[Sql]) -> Sql:
    """Return the condition that one or more of several are true."""
    alternatives = tuple(conditions)
    text = " OR ".join(f"({condition.text})" for condition in alternatives)
    return Sql(text, tuple(value for condition in alternatives for value in condition.args))


def _escaped(text: str) -> str:
    """Let ``%`` and ``_`` stand for themselves; a backslash would be another thing on each server."""
    return re.sub("([!%_])", r"!\1", text)
