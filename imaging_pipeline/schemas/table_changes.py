"""Counts of changes of tables, by which workers look for new jobs only where there may be some."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import datajoint as dj

_ADD_ONE = {
    "postgresql": "ON CONFLICT (changed_table) DO UPDATE SET num_changes = counted.num_changes + 1",
    "mysql": "ON DUPLICATE KEY UPDATE num_changes = num_changes + 1",
}
# Without the alias PostgreSQL could not tell the stored number from that of the row to be inserted.
_ALIAS = {"postgresql": " AS counted", "mysql": ""}


def plain_name(full_table_name: str) -> str:
    """Return a table's full name without quotes."""
    return full_table_name.replace('"', "").replace("`", "")


def count_change(changes: Any, table: Any) -> None:
    """Count a change of a table's rows, at the end of the transaction that makes it.

    The row of the count stays locked until the transaction ends, so that a reader of the number also sees
    the changes. It must come last in the transaction, because others wait for that lock.

    Parameters
    ----------
    changes
        The table ``TableChange``.
    table
        The table whose rows changed.
    """
    backend = changes.connection.adapter.backend
    changes.connection.query(
        f"INSERT INTO {changes.full_table_name}{_ALIAS[backend]} (changed_table, num_changes) VALUES (%s, 1)"
        f" {_ADD_ONE[backend]}",
        args=(plain_name(table.full_table_name),),
    )


def counts(changes: Any) -> Mapping[str, int]:
    """Return how often each table changed, by its full name without quotes."""
    query = f"SELECT changed_table, num_changes FROM {changes.full_table_name}"
    return {str(name): int(number) for name, number in changes.connection.query(query).fetchall()}


def read_by(query: Any) -> frozenset[str]:
    """Return the full names without quotes of the tables that a query reads, and of all above them."""
    connection, sql = query.connection, query.make_sql()
    connection.dependencies.load(force=False)
    # Full names end with a quote, so none is part of another. Nodes whose name is a number stand for
    # foreign keys that rename columns.
    read = [node for node in connection.dependencies.nodes() if not node.isdigit() and node in sql]
    names = {name for node in read for name in (node, *dj.FreeTable(connection, node).ancestors())}
    return frozenset(plain_name(name) for name in names)
