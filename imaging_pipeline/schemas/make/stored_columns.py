"""Rows whose arrays DataJoint writes to the store itself while it inserts them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import datajoint as dj
import numpy as np
from datajoint.storage import encode_pk_value

from imaging_pipeline.config.stores import PIPELINE_STORE
from imaging_pipeline.errors import StoreError
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.store.errors import store_errors


@contextmanager
def all_or_none(key: Row, tables: Sequence[Any], rows: Iterable[Row]) -> Iterator[None]:
    """Insert a job's rows; if the store does not take all of their arrays, remove those that it took.

    Parameters
    ----------
    key
        The job, which no other process works on.
    tables
        The tables that the enclosed code inserts into.
    rows
        The rows that it inserts.

    Raises
    ------
    StoreError
        The store is full, missing or read-only.
    """
    folders = [_folder(table, key) for table in tables]
    # Rows of this job that were purged may have left arrays, which a reader may still have open.
    before = _files(folders)
    try:
        with store_errors(sum(map(_array_bytes, rows))):
            yield
    except StoreError:
        # The transaction rolls back the rows; the sweep removes arrays that cannot be removed here.
        with suppress(OSError):
            for path in _files(folders) - before:
                path.unlink()
        raise


def _folder(table: Any, key: Row) -> Path:
    """Return where DataJoint puts a job's arrays if the store is a folder."""
    spec = dj.config.get_store_spec(PIPELINE_STORE)
    # As DataJoint 2.3.5 lays it out; columns that the key lacks, such as a plane, are further levels below.
    levels = (f"{name}={encode_pk_value(key[name])}" for name in table.primary_key if name in key)
    return Path(spec["location"], spec["schema_prefix"], table.database, table.table_name, *levels)


def _files(folders: Iterable[Path]) -> set[Path]:
    return {path for folder in folders for path in folder.rglob("*") if path.is_file()}


def _array_bytes(row: Row) -> int:
    return sum(value.nbytes for value in row.values() if isinstance(value, np.ndarray))


def number_or_null(number: float | None) -> float | None:
    """Return a number for a nullable column: others than finite ones become null, as MySQL stores none."""
    return None if number is None or not np.isfinite(number) else float(number)
