"""SQL with places for values, and the values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from imaging_pipeline.schemas.tables import Tables


@dataclass(frozen=True)
class Sql:
    """A condition or a query; one without text asks for nothing."""

    text: str = ""
    args: tuple[object, ...] = ()

    @property
    def clause(self) -> str:
        """The end of a query, for a condition."""
        return f"WHERE {self.text}" if self.text else ""


def every(conditions: Iterable[Sql]) -> Sql:
    """Return one condition for several."""
    some = [each for each in conditions if each.text]
    text = " AND ".join(f"({each.text})" for each in some)
    return Sql(text, tuple(value for each in some for value in each.args))


def one_of(column: str, values: Iterable[object]) -> Sql:
    """Return the condition that a column has one of some values."""
    args = tuple(values)
    return Sql(f"{column} IN ({', '.join(['%s'] * len(args))})", args) if args else Sql("1 = 0")


def together(queries: Iterable[Sql]) -> Sql:
    """Return the rows of several queries."""
    some = tuple(queries)
    text = " UNION ALL ".join(each.text for each in some)
    return Sql(text, tuple(value for each in some for value in each.args))


def asked_of_each(tables: Tables, queries: Iterable[Sql]) -> Iterator[tuple[Any, ...]]:
    """Ask several questions, and give all their rows in order; each begins with the number of its question.

    They are asked one by one: PostgreSQL would begin processes for all at once, and take twice as long.
    """
    for number, each in enumerate(queries):
        for row in tables.connection.query(each.text, args=each.args).fetchall():
            yield (number, *row)
