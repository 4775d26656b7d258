"""A column whose type, default or presence a version changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from imaging_pipeline.schemas.tables import Tables
from imaging_pipeline.upgrade import columns
from imaging_pipeline.upgrade.changes.change import filled_in, table_named
from imaging_pipeline.upgrade.columns import Column


@dataclass(frozen=True)
class ChangedColumn:
    """A column that gets another type, other values of an enum, another default, or may be empty or not.

    Values are kept; where one does not fit the new type, the server refuses and nothing is changed.

    Attributes
    ----------
    table
        Such as ``imaging.BaseFolder``.
    line
        As it stands in the new definition, under the old name.
    value
        What empty rows get where the column may be empty no more, as for `AddedColumn`.
    """

    table: str
    line: str
    value: str = ""

    @property
    def writes_rows(self) -> bool:
        """Whether every row may be written."""
        return True

    def described(self) -> str:
        """Return what is changed."""
        return f"has another column {self._name}"

    def is_done(self, tables: Tables) -> bool:
        """Return whether the column is as it is to be."""
        table = table_named(tables, self.table)
        return columns.compiled(table, self.line).is_as(columns.stored_columns(table)[self._name])

    def apply(self, tables: Tables) -> None:
        """Change the column."""
        table = table_named(tables, self.table)
        column = columns.compiled(table, self.line)
        if table.connection.adapter.backend == "postgresql":
            _change_type(table, column)
        if self.value:
            columns.fill(table, {self._name: filled_in(tables, self.value)}, [self._name])
        columns.finish(table, column)

    def changed_definition(self, lines: Sequence[str]) -> list[str]:
        """Return the lines of the definition with this one in the old one's place."""
        return [*(line for line in lines if _name_in(line) != self._name), self.line]

    @property
    def _name(self) -> str:
        return _name_in(self.line)


def _name_in(line: str) -> str:
    return line.partition(":")[0].partition("=")[0].strip()


def _change_type(table: Any, column: Column) -> None:
    """Change the type on PostgreSQL; MySQL does that in the statement that changes the rest."""
    stored = columns.stored_columns(table)[column.name]
    if columns.declared_type(stored.comment) == columns.declared_type(column.comment):
        return
    columns.make_type(table, column)
    name = table.connection.adapter.quote_identifier(column.name)
    # By way of text, since enums are not cast into each other; a default would be of the old type.
    table.connection.query(
        f"ALTER TABLE {table.full_table_name} ALTER COLUMN {name} DROP DEFAULT,"
        f" ALTER COLUMN {name} TYPE {column.type} USING {name}::text::{column.type}"
    )
