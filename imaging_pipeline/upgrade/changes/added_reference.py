"""A foreign key that a version adds to a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from datajoint.declare import compile_foreign_key
from datajoint.lineage import get_lineage, insert_lineages

from imaging_pipeline.schemas.tables import Tables
from imaging_pipeline.upgrade import columns
from imaging_pipeline.upgrade.changes.change import filled_in, table_named
from imaging_pipeline.upgrade.columns import Column


@dataclass(frozen=True)
class AddedReference:
    """A foreign key outside the primary key, with its columns.

    Attributes
    ----------
    table
        Such as ``imaging.Session``.
    line
        As it stands in the definition: ``-> mlims.Animal``.
    values
        Column → what rows that are there get, as for `AddedColumn`; empty for a key that may be empty.
    """

    table: str
    line: str
    values: Mapping[str, str]

    @property
    def writes_rows(self) -> bool:
        """Whether every row is written."""
        return bool(self.values)

    def described(self) -> str:
        """Return what is changed."""
        return f"refers to another table ({self.line})"

    def is_done(self, tables: Tables) -> bool:
        """Return whether the foreign key is there, which is made last."""
        table = table_named(tables, self.table)
        compiled = _compiled(tables, table, self.line)
        table.connection.dependencies.load(force=True)
        return any(
            parent == compiled.parent and set(key["attr_map"]) == set(compiled.origins)
            for parent, key in table().parents(foreign_key_info=True)
        )

    def apply(self, tables: Tables) -> None:
        """Add and fill the columns, then the constraint."""
        table = table_named(tables, self.table)
        connection, name = table.connection, table.full_table_name
        compiled = _compiled(tables, table, self.line)
        stored = columns.stored_columns(table)
        for column in compiled.columns:
            if column.name not in stored:
                quoted = connection.adapter.quote_identifier(column.name)
                connection.query(f"ALTER TABLE {name} ADD COLUMN {quoted} {column.type}")
        if self.values:
            values = {column: filled_in(tables, value) for column, value in self.values.items()}
            columns.fill(table, values, values)
        for column in compiled.columns:
            columns.finish(table, column)
        _record_origins(table, compiled)
        _index(table, compiled)
        connection.query(f"ALTER TABLE {name} ADD {compiled.constraint}")

    def changed_definition(self, lines: Sequence[str]) -> list[str]:
        """Return the lines of the definition with this one."""
        return [*lines, self.line]


@dataclass(frozen=True)
class _Reference:
    """A foreign key in SQL.

    Attributes
    ----------
    columns
        Of it, those that are not in the primary key.
    parent
        Full name of the table that it refers to.
    origins
        Column → table and column that it refers to.
    constraint
        The part of a statement that makes it.
    """

    columns: tuple[Column, ...]
    parent: str
    origins: Mapping[str, tuple[str, str]]
    constraint: str


def _compiled(tables: Tables, table: Any, line: str) -> _Reference:
    """Return what DataJoint makes of a line of a definition."""
    context = {"mlims": tables.mlims, "imaging": tables.imaging, **vars(tables.imaging)}
    # Columns that are in the key already are no new ones.
    names: list[str] = list(table.primary_key)
    made: list[str] = []
    constraints: list[str] = []
    origins: dict[str, tuple[str, str]] = {}
    compile_foreign_key(line, context, names, None, made, constraints, [], table.connection.adapter, origins)
    new = tuple(columns.parsed(sql, "") for sql in made)
    (parent,) = {parent for parent, _ in origins.values()}
    return _Reference(new, parent, origins, constraints[0])


def _record_origins(table: Any, reference: _Reference) -> None:
    """Record, as DataJoint's own declaration does, where the columns come from: joins go by that."""
    connection = table.connection
    entries = []
    for name, (parent, original) in reference.origins.items():
        schema, parent_name = connection.adapter.split_full_table_name(parent)
        origin = (
            get_lineage(connection, schema, parent_name, original) or f"{schema}.{parent_name}.{original}"
        )
        entries.append((table.table_name, name, origin))
    insert_lineages(connection, table.database, entries)


def _index(table: Any, reference: _Reference) -> None:
    """Make the index that PostgreSQL, unlike MySQL, does not make by itself."""
    adapter = table.connection.adapter
    if not adapter.auto_indexes_foreign_keys:
        statement = adapter.create_index_ddl(table.full_table_name, list(reference.origins))
        table.connection.query(statement.replace("CREATE INDEX", "CREATE INDEX IF NOT EXISTS", 1))
