"""Columns: as a line of a definition says, as a server has them, and statements that make these alike."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from datajoint.declare import compile_attribute

from imaging_pipeline.schemas.plain_rows import fetch

# A column as DataJoint writes it for a server: name, type, and what may follow.
_COLUMN = re.compile(
    r".(?P<name>\w+). (?P<type>.+?)(?P<rest> NOT NULL(?: DEFAULT (?P<default>.+?))?| DEFAULT NULL)?"
    r'(?: COMMENT "(?P<comment>.*)")?',
    re.DOTALL,
)

_STORED = {
    # The standard's views show a column only to accounts with certain rights.
    "postgresql": (
        "SELECT a.attname, NOT a.attnotnull, pg_get_expr(d.adbin, d.adrelid),"
        " col_description(c.oid, a.attnum) FROM pg_attribute a"
        " JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
        " LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum"
        " WHERE n.nspname = %s AND c.relname = %s AND a.attnum > 0 AND NOT a.attisdropped"
    ),
    "mysql": (
        "SELECT column_name, is_nullable = 'YES', column_default, column_comment"
        " FROM information_schema.columns WHERE table_schema = %s AND table_name = %s"
    ),
}


@dataclass(frozen=True)
class Column:
    """A column as a server is to have it.

    Attributes
    ----------
    name
        Of the column.
    type
        In the server's SQL.
    is_nullable
        Whether it may be empty.
    default
        In SQL; None where there is none.
    comment
        In which DataJoint keeps the declared type.
    types
        Statements that make the type where the server has none of this name yet.
    """

    name: str
    type: str
    is_nullable: bool
    default: str | None
    comment: str
    types: tuple[str, ...] = ()

    @property
    def definition(self) -> str:
        """How a statement defines it, without the comment."""
        default = "" if self.default is None else f" DEFAULT {self.default}"
        return f"{self.type}{' NULL' if self.is_nullable else ' NOT NULL'}{default}"

    def is_as(self, stored: StoredColumn | None) -> bool:
        """Return whether a server's column is like this one; its comment has the type as it was declared."""
        return (
            stored is not None
            and stored.is_nullable == self.is_nullable
            and _plain_default(stored.default) == _plain_default(self.default)
            and stored.comment == self.comment
        )


@dataclass(frozen=True)
class StoredColumn:
    """A column as a server has it: whether it may be empty, its default in SQL, its comment."""

    is_nullable: bool
    default: str | None
    comment: str


def compiled(table: Any, line: str) -> Column:
    """Return the column that a line of a definition makes in a table, by DataJoint's own rules."""
    adapter = table.connection.adapter
    _, sql, _, comment = compile_attribute(line, False, [], {}, adapter)
    types = tuple(adapter.get_pending_enum_ddl(table.database))
    return replace(parsed(sql.replace("{database}", table.database), comment or ""), types=types)


def parsed(sql: str, comment: str) -> Column:
    """Return a column from what DataJoint writes into a statement."""
    found = _COLUMN.fullmatch(sql)
    if found is None:  # by a DataJoint that writes otherwise
        raise ValueError(f"no definition of a column: {sql}")
    rest = found["rest"] or ""
    default = "NULL" if rest == " DEFAULT NULL" else found["default"]
    # MySQL has it in the statement. DataJoint escapes quotation marks in it, for either server.
    comment = (found["comment"] or comment).replace('\\"', '"')
    return Column(found["name"], found["type"], not rest.startswith(" NOT NULL"), default, comment)


def stored_columns(table: Any) -> dict[str, StoredColumn]:
    """Return the columns of a table by name."""
    query = _STORED[table.connection.adapter.backend]
    return {
        str(name): StoredColumn(bool(is_nullable), None if default is None else str(default), comment or "")
        for name, is_nullable, default, comment in fetch(
            table.connection, query, (table.database, table.table_name)
        )
    }


def declared_type(comment: str) -> str:
    """Return the type that DataJoint keeps at the beginning of a comment; empty for one that it refers to."""
    found = re.match(r":(.+?):", comment)
    return found[1] if found else ""


def make_type(table: Any, column: Column) -> None:
    """Make the type of a column, where PostgreSQL needs one for it and has none of its name."""
    for statement in column.types:
        name = column.type.rpartition(".")[2].strip('"')
        query = (
            "SELECT 1 FROM pg_type JOIN pg_namespace ON pg_namespace.oid = typnamespace"
            " WHERE nspname = %s AND typname = %s"
        )
        if not fetch(table.connection, query, (table.database, name)):
            table.connection.query(statement)


def finish(table: Any, column: Column) -> None:
    """Give an existing column its default and comment, and let it be empty or not.

    The comment is last: by it a finished column is told from one where this was interrupted.
    """
    query, name = table.connection.query, table.connection.adapter.quote_identifier(column.name)
    target = table.full_table_name
    if table.connection.adapter.backend == "mysql":
        comment = column.comment.replace("\\", "\\\\").replace("'", "''")
        query(f"ALTER TABLE {target} MODIFY COLUMN {name} {column.definition} COMMENT '{comment}'")
        return
    default = "DROP DEFAULT" if column.default is None else f"SET DEFAULT {column.default}"
    presence = "DROP NOT NULL" if column.is_nullable else "SET NOT NULL"
    query(f"ALTER TABLE {target} ALTER COLUMN {name} {default}, ALTER COLUMN {name} {presence}")
    query(table.connection.adapter.column_comment_ddl(target, column.name, column.comment))


def fill(table: Any, values: dict[str, str], only_where_empty: Iterable[str]) -> None:
    """Write expressions of SQL into columns of the rows ``r`` in which one of some columns is empty."""
    quote = table.connection.adapter.quote_identifier
    assignments = ", ".join(f"{quote(name)} = ({value})" for name, value in values.items())
    empty = " OR ".join(f"r.{quote(name)} IS NULL" for name in only_where_empty)
    table.connection.query(f"UPDATE {table.full_table_name} AS r SET {assignments} WHERE {empty}")


def _plain_default(default: str | None) -> str:
    """Return a default as servers write it in different ways; empty for null, and where there is none."""
    plain = (default or "").partition("::")[0].strip("'").lower()
    if plain.startswith("current_timestamp"):
        return "current_timestamp"
    return {"null": "", "true": "1", "false": "0"}.get(plain, plain)
