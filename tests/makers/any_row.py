"""A row of any table, from its heading, with the rows that it refers to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import datajoint as dj
import numpy as np

from imaging_pipeline.store import traces as trace_store
from tests.makers.definitions import ARRAYS, columns_of, tables

Row = dict[str, Any]


def complete_row(table: Any) -> Row:
    """Insert what a row of the table refers to, and give the row with something in every column.

    A column of its own that has a default is left out.
    """
    return referred(table) | filled(table)


def insert(table: Any, row: Mapping[str, Any], **how: Any) -> None:
    """Insert a row past what its class checks."""
    dj.Table.insert(table(), [row], allow_direct_insert=True, **how)


def referred(table: Any) -> Row:
    """Insert the rows that a row of the table refers to, and give the columns that name them."""
    by_name = {each.full_table_name: each for each in tables()}
    columns: Row = {}
    for parent, key in table().parents(foreign_key_info=True):
        row = complete_row(by_name[parent])
        insert(by_name[parent], row, skip_duplicates=True)
        columns |= {name: row[original] for name, original in key["attr_map"].items()}
    return columns


def filled(table: Any) -> Row:
    """Return something for every column of a table's own that has no default."""
    return {
        column.name: _some(column.type, column.comment) for column in columns_of(table) if not column.default
    }


def _some(type_: str, comment: str) -> Any:
    if re.fullmatch(ARRAYS, type_):
        if comment.startswith("str"):
            return ""
        array = np.zeros(2, np.float32)
        return trace_reference(array) if type_ == "<trace>" else array
    if type_.startswith("enum"):
        return enum_values(type_)[0]
    by_type = {
        "varchar": "x",
        "int": 1,
        "float": 1.5,
        "bool": True,
        "json": {},
        "datetime": datetime(2024, 5, 17),
    }
    if type_ == "date":
        return date(2024, 5, 17)
    return next(value for name, value in by_type.items() if type_.startswith(name))


def enum_values(type_: str) -> list[str]:
    return re.findall(r"'([^']*)'", type_)


def trace_reference(array: np.ndarray) -> dict[str, Any]:
    """Write an array between two others to the store, and give what a column of traces refers to it by."""
    rows = np.stack([np.zeros_like(array), array, np.ones_like(array)])
    names = trace_store.write_arrays("test", ["any"], rows.shape, [{"any": rows}])
    return {"object": names["any"], "row": 1}
