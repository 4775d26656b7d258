"""The objects of this database in the store, and the rows that name them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import datajoint as dj

from imaging_pipeline.config.stores import PIPELINE_STORE
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.schemas.tables import Tables, schema_name
from imaging_pipeline.store.traces import FOLDER

OBJECT_COLUMNS = {"Cell": "trace_objects", "FilteredSpikes": "spike_objects"}
"""The tables of imaging that write arrays of all cells, and the column that names these."""


@dataclass(frozen=True)
class Naming:
    """The row that names an object: its table's full name, and its key."""

    table: str
    key: Row


@dataclass(frozen=True)
class StoredFile:
    """An object that is a file: its size, and when it was written, in seconds since 1970."""

    size_bytes: int
    written: float


def named_objects(tables: Tables) -> dict[str, Naming]:
    """Return the objects that rows name, by their path below the store."""
    named: dict[str, Naming] = {}
    for name, column in OBJECT_COLUMNS.items():
        table = getattr(tables.imaging, name)
        for row in table().proj(column).to_dicts():
            objects = row.pop(column)
            named.update((each, Naming(table.full_table_name, row)) for each in _texts(objects))
    for module in _modules(tables):
        named.update(_named_by_columns(module.schema))
    return named


def stored_files(tables: Tables, root: Path) -> dict[str, StoredFile]:
    """Return the files of this database below a store, by their path there."""
    spec = dj.config.get_store_spec(PIPELINE_STORE)
    folders = [root / FOLDER / schema_name(tables.config, "imaging")]
    folders += [root / spec["schema_prefix"] / module.schema.database for module in _modules(tables)]
    found: dict[str, StoredFile] = {}
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                stat = path.stat()
                found[path.relative_to(root).as_posix()] = StoredFile(stat.st_size, stat.st_mtime)
    return found


def gone_objects(root: Path, named: Mapping[str, Naming]) -> list[str]:
    """Return the objects that rows name and that are not in a store that is a folder."""
    return [name for name in named if not (root / name).exists()]


def _modules(tables: Tables) -> tuple[Any, ...]:
    return tables.mlims, tables.imaging, tables.suite2p_jobs


def _texts(objects: Any) -> Iterator[str]:
    """Yield the texts of nested groups."""
    if isinstance(objects, str):
        yield objects
    else:
        for inner in objects.values():
            yield from _texts(inner)


def _named_by_columns(schema: Any) -> Iterator[tuple[str, Naming]]:
    """Yield the objects that rows of a schema name in columns of arrays."""
    connection = schema.connection
    for table_name in schema.list_tables():
        # Not schema.get_table, which queries all foreign keys of the database for every table again.
        full_name = connection.adapter.make_full_table_name(schema.database, table_name)
        table = dj.FreeTable(connection, full_name)
        for column in table.heading.schema_objects:
            codec = table.heading.attributes[column].codec
            for row in table.proj(column).cursor(as_dict=True):
                value = row.pop(column)
                for path, _store in codec.referenced_paths(value):
                    yield path, Naming(full_name, row)
