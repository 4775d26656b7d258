"""What every change of a table has."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any, Protocol

from imaging_pipeline.schemas.tables import SCHEMAS, Tables


class Change(Protocol):
    """A change of one table, which may be made again wherever it was interrupted."""

    @property
    def table(self) -> str:
        """The table, such as ``imaging.Session`` or ``imaging.Tif.SI``."""

    @property
    def writes_rows(self) -> bool:
        """Whether every row is written, which takes time."""

    def described(self) -> str:
        """Return what is changed, in a few words that follow the name of the table."""

    def is_done(self, tables: Tables) -> bool:
        """Return whether all of it is done."""

    def apply(self, tables: Tables) -> None:
        """Make what is not done yet."""

    def changed_definition(self, lines: Sequence[str]) -> list[str]:
        """Return the lines of the table's definition afterwards, in any order, from those before."""


def table_named(tables: Tables, name: str) -> Any:
    """Return a table class by its name, such as ``imaging.Tif.SI``."""
    return reduce(getattr, name.split("."), tables)


def filled_in(tables: Tables, value: str) -> str:
    """Return an expression of SQL in which ``{imaging.Session}`` and the like are names of tables."""
    return value.format(**{schema: _Names(tables, schema) for schema in SCHEMAS})


class _Names:
    """Gives the full name of a table where a format asks for an attribute."""

    def __init__(self, tables: Tables, name: str) -> None:
        self._tables, self._name = tables, name

    def __getattr__(self, name: str) -> _Names:
        return _Names(self._tables, f"{self._name}.{name}")

    def __str__(self) -> str:
        return str(table_named(self._tables, self._name).full_table_name)
