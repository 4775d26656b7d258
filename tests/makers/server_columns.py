"""Tables as a server has them, without the names of their schemas."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

Columns = dict[tuple[str, str], tuple[Any, ...]]
"""Table with its schema, and column → what the server says of it."""

_TYPE = {"postgresql": "udt_name", "mysql": "column_type"}
_INDEXES = {
    "postgresql": (
        "SELECT tablename, regexp_replace(indexdef, '^.* USING', '') FROM pg_indexes WHERE schemaname = %s"
    ),
    "mysql": (
        "SELECT table_name, group_concat(column_name ORDER BY seq_in_index)"
        " FROM information_schema.statistics WHERE table_schema = %s GROUP BY table_name, index_name"
    ),
}


def columns_of(connection: Any, prefix: str, schemas: Collection[str]) -> Columns:
    """Return type, presence and default of every column of some schemas; comments may differ."""
    kind = _TYPE[connection.adapter.backend]
    found: Columns = {}
    for name in schemas:
        query = (
            f"SELECT table_name, column_name, {kind}, character_maximum_length, is_nullable, column_default"
            " FROM information_schema.columns WHERE table_schema = %s"
        )
        for table, column, *what in connection.query(query, args=(f"{prefix}{name}",)).fetchall():
            plain = (str(each).replace(f"{prefix}{name}.", "") for each in what)
            found[f"{name}.{table}", column] = tuple(plain)
    return found


def references_of(connection: Any, prefix: str) -> set[tuple[str, str, tuple[tuple[str, str], ...]]]:
    """Return every foreign key between schemas whose names begin so: child, parent, columns."""
    connection.dependencies.load_all_downstream()
    connection.dependencies.load(force=True)
    graph = connection.dependencies
    found = set()
    for above, child, key in graph.in_edges(data=True):
        if child.isdigit() or not child.strip('`"').startswith(prefix):
            continue
        # Nodes whose name is a number stand for foreign keys that rename columns.
        parent = next(graph.predecessors(above)) if above.isdigit() else above
        names = (child.replace(prefix, ""), parent.replace(prefix, ""))
        found.add((*names, tuple(sorted(key["attr_map"].items()))))
    return found


def origins_of(connection: Any, prefix: str, schemas: Collection[str]) -> set[tuple[str, ...]]:
    """Return what DataJoint notes of where columns come from: schema, table, column, origin."""
    adapter = connection.adapter
    found = set()
    for name in schemas:
        table = adapter.make_full_table_name(f"{prefix}{name}", "~lineage")
        rows = connection.query(f"SELECT table_name, attribute_name, lineage FROM {table}").fetchall()
        found |= {(name, *row[:2], row[2].replace(prefix, "")) for row in rows}
    return found


def indexes_of(connection: Any, prefix: str, schemas: Collection[str]) -> list[tuple[str, ...]]:
    """Return table and columns of every index, sorted."""
    query = _INDEXES[connection.adapter.backend]
    return sorted(
        (name, *map(str, row))
        for name in schemas
        for row in connection.query(query, args=(f"{prefix}{name}",)).fetchall()
    )
