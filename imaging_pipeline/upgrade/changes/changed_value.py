"""Values that an older version got wrong and that the row itself, or others, can correct."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from imaging_pipeline.schemas.tables import Tables
from imaging_pipeline.upgrade.changes.change import filled_in, table_named


@dataclass(frozen=True)
class ChangedValue:
    """A column of which some rows get another value; nothing is deleted.

    Attributes
    ----------
    table
        Such as ``imaging.Cell.Rois``.
    column
        Its name.
    value
        What rows get, an expression of SQL as for `AddedColumn`; by backend where servers differ. Calculated
        again, it must give the same.
    cause
        What was wrong, for the list of changes.
    """

    table: str
    column: str
    value: str | Mapping[str, str]
    cause: str

    @property
    def writes_rows(self) -> bool:
        """Whether every row may be written."""
        return True

    def described(self) -> str:
        """Return what is changed."""
        return f"has values of {self.column} corrected, because {self.cause}"

    def is_done(self, tables: Tables) -> bool:
        """Return False: a value does not say whether it was corrected."""
        return False

    def apply(self, tables: Tables) -> None:
        """Write the values."""
        table = table_named(tables, self.table)
        adapter = table.connection.adapter
        value = self.value if isinstance(self.value, str) else self.value[adapter.backend]
        name = adapter.quote_identifier(self.column)
        table.connection.query(
            f"UPDATE {table.full_table_name} AS r SET {name} = ({filled_in(tables, value)})"
        )

    def changed_definition(self, lines: Sequence[str]) -> list[str]:
        """Return the lines of the definition, which stays."""
        return list(lines)
