"""Removing objects from the store that no row names any more.

DataJoint's own collector reads the tables first and the store afterwards, and removes what no row names. So
it also removes what a job wrote meanwhile, and everything of a table that it could not read. Here only
objects older than a day count, and an error ends the sweep.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import datajoint as dj

from imaging_pipeline.config.stores import PIPELINE_STORE
from imaging_pipeline.schemas.locks import named_lock
from imaging_pipeline.schemas.tables import Tables, schema_name
from imaging_pipeline.store import traces as trace_store


@dataclass(frozen=True)
class Swept:
    """What was removed, by name in the store.

    Attributes
    ----------
    traces
        Arrays of all cells of an analysis.
    arrays
        Arrays of one row's column.
    """

    traces: tuple[str, ...]
    arrays: tuple[str, ...]


def sweep(tables: Tables) -> Swept:
    """Remove the traces and arrays of our schemas that no row names and that are older than a day.

    A younger one may belong to a job that has not inserted its rows yet.

    Raises
    ------
    StoreError
        The store is no folder.
    """
    imaging = tables.imaging
    modules = (tables.mlims, tables.imaging, tables.suite2p_jobs)
    with named_lock(tables.connection, f"{tables.config.prefix}store_sweep"):
        objects = [
            *imaging.Cell().to_arrays("trace_objects"),
            *imaging.FilteredSpikes().to_arrays("spike_objects"),
        ]
        in_use = (name for group in objects for name in _texts(group))
        traces = trace_store.sweep(schema_name(tables.config, "imaging"), in_use)
        arrays = [name for module in modules for name in _unnamed(module.schema)]
        trace_store.remove(arrays)
    return Swept(tuple(traces), tuple(arrays))


def _texts(objects: Any) -> Iterator[str]:
    """Yield the texts of nested groups."""
    if isinstance(objects, str):
        yield objects
    else:
        for inner in objects.values():
            yield from _texts(inner)


def _unnamed(schema: Any) -> list[str]:
    """Return the old objects below a schema's folder that none of its rows names."""
    spec = dj.config.get_store_spec(PIPELINE_STORE)
    root, limit = Path(spec["location"]), time.time() - trace_store.SWEEP_AFTER_S
    folder = root / spec["schema_prefix"] / schema.database
    old = [
        path.relative_to(root).as_posix()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.stat().st_mtime < limit
    ]
    in_use = set(_named(schema)) if old else set()
    return [name for name in old if name not in in_use]


def _named(schema: Any) -> Iterator[str]:
    """Yield the objects that rows of a schema name."""
    connection = schema.connection
    for table_name in schema.list_tables():
        # Not schema.get_table, which queries all foreign keys of the database for every table again.
        full_name = connection.adapter.make_full_table_name(schema.database, table_name)
        table = dj.FreeTable(connection, full_name)
        for column in table.heading.schema_objects:
            codec = table.heading.attributes[column].codec
            for row in table.proj(column).cursor(as_dict=True):
                yield from (path for path, _store in codec.referenced_paths(row[column]))
