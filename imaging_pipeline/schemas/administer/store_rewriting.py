"""Making arrays again that are gone from the store, for rows that stay.

A job is carried out as a worker does, but its rows are updated instead of inserted: whatever refers to them,
such as what people noted of cells, stays.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import datajoint as dj

from imaging_pipeline.ingest.listing import utc_moment
from imaging_pipeline.schemas.administer.store_gone import GoneJob
from imaging_pipeline.schemas.administer.store_objects import OBJECT_COLUMNS
from imaging_pipeline.schemas.locks import in_transaction
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.schemas.tables import Tables

_OBJECT_COLUMNS = frozenset(OBJECT_COLUMNS.values())


class _OtherRowsError(Exception):
    """The job makes other rows than those that are there."""


def write_again(tables: Tables, job: GoneJob) -> str:
    """Write the arrays of a job again; return why they cannot be those of its rows, or nothing.

    Raises
    ------
    PipelineError
        What a worker would be told: files are damaged, a repository is not mounted, the store is full.
    """
    changed = _changed_file(tables, job)
    if changed:
        return f"{changed} was written since it was registered"
    table = job.table()
    fetched = table.make_fetch(job.key)
    computed = table.make_compute(job.key, *fetched)
    try:
        with in_transaction(tables.connection):
            job.table.make_insert(_Updating(table, job.key, is_master=True), job.key, *computed)
    except _OtherRowsError as error:
        return str(error)
    return ""


class _Updating:
    """A table whose rows are updated where `make_insert` inserts them: their arrays alone.

    Parameters
    ----------
    table
        The master or a part.
    key
        The job's.
    is_master
        Whether other columns have to be as they are.
    """

    def __init__(self, table: Any, key: Row, *, is_master: bool = False) -> None:
        self._table = table
        self._key = key
        self._is_master = is_master

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._table, name)
        is_part = isinstance(value, type) and issubclass(value, dj.Part)
        return _Updating(value(), self._key) if is_part else value

    def insert1(self, row: Row) -> None:
        """Update the only row of the job."""
        self.insert([row])

    def insert(self, rows: Iterable[Row]) -> None:
        """Update the arrays of rows, which have to be all that the table has of the job."""
        listed = list(rows)
        names = tuple(self._table.primary_key)
        if sorted(_values(row, names) for row in listed) != self._stored_keys(names):
            raise _OtherRowsError(
                f"other rows of {type(self._table).__name__} would be made of its files now"
            )
        arrays = [name for name in self._table.heading.secondary_attributes if self._is_array(name)]
        for row in listed:
            if self._is_master:
                self._check_others(row, arrays)
            found = {name: row[name] for name in arrays if row.get(name) is not None}
            if found:
                self._table.update1({**{name: row[name] for name in names}, **found})

    def _stored_keys(self, names: tuple[str, ...]) -> list[tuple[Any, ...]]:
        stored = (self._table & self._key).proj().to_dicts()
        return sorted(_values(row, names) for row in stored)

    def _is_array(self, name: str) -> bool:
        codec = self._table.heading.attributes[name].codec
        is_in_store = name in self._table.heading.schema_objects
        return name in _OBJECT_COLUMNS or is_in_store or (codec is not None and codec.name == "trace")

    def _check_others(self, row: Row, arrays: list[str]) -> None:
        others = [name for name in row if name not in arrays]
        stored = (self._table & self._key).proj(*(set(others) - set(self._table.primary_key))).fetch1()
        for name in others:
            if stored[name] != row[name]:
                raise _OtherRowsError(f"{name} was {stored[name]}, and would be {row[name]} now")


def _values(row: Row, names: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(row[name] for name in names)


def _changed_file(tables: Tables, job: GoneJob) -> str:
    """Return a file that the job reads and that is not as it was registered, or nothing."""
    if not issubclass(job.table, dj.Imported):
        return ""
    files = tables.imaging.PhysicalFile & {"dataset_name": job.key["dataset_name"]}
    for row in files.to_dicts(order_by="file_order"):
        path = tables.local_path(row["repository_name"], row["file_path"])
        status = path.stat()
        if (status.st_size, utc_moment(status.st_mtime_ns)) != (row["size_bytes"], row["modified"]):
            return str(path)
    return ""
