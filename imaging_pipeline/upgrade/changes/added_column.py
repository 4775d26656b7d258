"""A column that a version adds to a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from imaging_pipeline.schemas.tables import Tables
from imaging_pipeline.upgrade import columns
from imaging_pipeline.upgrade.changes.change import filled_in, table_named


@dataclass(frozen=True)
class AddedColumn:
    """A column that is added; it comes last in the table, whatever its place in the definition.

    Attributes
    ----------
    table
        Such as ``imaging.Tif`` or ``imaging.Tif.SI``.
    line
        As it stands in the definition.
    value
        What rows that are there get, an expression of SQL that both servers know: in it, ``r`` is the row,
        and ``{imaging.MetaSession}`` the name of a table; empty where rows get the default.

    Raises
    ------
    ValueError
        Rows would have neither value nor default.
    """

    table: str
    line: str
    value: str = ""

    def __post_init__(self) -> None:
        if not self.value and "=" not in self.line.partition(":")[0]:
            raise ValueError(
                f"{self.table} has rows, and the column has neither default nor value: {self.line}"
            )

    @property
    def writes_rows(self) -> bool:
        """Whether every row is written."""
        return bool(self.value)

    def described(self) -> str:
        """Return what is changed."""
        return f"gets the column {self._name}"

    def is_done(self, tables: Tables) -> bool:
        """Return whether the column is there as it is to be."""
        table = table_named(tables, self.table)
        return columns.compiled(table, self.line).is_as(columns.stored_columns(table).get(self._name))

    def apply(self, tables: Tables) -> None:
        """Add the column, unless it is there, and fill it."""
        table = table_named(tables, self.table)
        column = columns.compiled(table, self.line)
        columns.make_type(table, column)
        if self._name not in columns.stored_columns(table):
            # Empty at first, where each row gets a value of its own.
            definition = column.type if self.value else column.definition
            name = table.connection.adapter.quote_identifier(self._name)
            table.connection.query(f"ALTER TABLE {table.full_table_name} ADD COLUMN {name} {definition}")
        if self.value:
            columns.fill(table, {self._name: filled_in(tables, self.value)}, [self._name])
        columns.finish(table, column)

    def changed_definition(self, lines: Sequence[str]) -> list[str]:
        """Return the lines of the definition with this one."""
        return [*lines, self.line]

    @property
    def _name(self) -> str:
        return self.line.partition(":")[0].partition("=")[0].strip()
