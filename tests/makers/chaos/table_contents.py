"""What workers have made of a database, so that two of them can be compared to the bit."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from imaging_pipeline.lanes import LANES
from tests.makers.definitions import tables

# Requests and reports are in the order in which workers came to them; a registration that Suite2p asks for
# is left out where one waits already.
_OF_REQUESTS = ("BaseFolder", "MakeDatasetSessions", "Worker", "TableChange")

# How a run went, and where it left what: one whose worker was killed at its end is adopted. What it found and
# all arrays are compared.
_OF_THE_RUN = frozenset(
    {
        *("adopted", "run_seconds", "run_stage_seconds", "run_settings"),
        *("trace_objects", "spike_objects"),
    }
)
_OF_OUTPUT_FILES = frozenset({"modified", "fingerprint", "size_bytes"})

Row = dict[str, Any]
Key = tuple[object, ...]
Contents = Mapping[str, Mapping[Key, Row]]


def contents() -> Contents:
    """Return the rows of every table by key, arrays by dtype, shape and content."""
    return {
        table.__qualname__: {
            tuple(row[name] for name in table.primary_key): _comparable(row) for row in table().to_dicts()
        }
        for table in tables()
        if not table.__qualname__.startswith(_OF_REQUESTS)
    }


def differences(actual: Contents, expected: Contents) -> Iterator[str]:
    """Yield where two contents differ: by rows that only one has, and by values."""
    for name, rows in expected.items():
        yield from (f"{name} {key} is missing" for key in rows.keys() - actual[name].keys())
        yield from (f"{name} {key} is too much" for key in actual[name].keys() - rows.keys())
        for key in rows.keys() & actual[name].keys():
            yield from (
                f"{name} {key} has {column} {actual[name][key].get(column)!r}, not {value!r}"
                for column, value in rows[key].items()
                if actual[name][key].get(column) != value
            )


def populated() -> Iterator[Any]:
    """Yield every table that workers fill."""
    return (pkgutil.resolve_name(name)() for lane in LANES for name in lane.tables)


def num_left() -> int:
    """Count what is not made yet, in one statement: a run that ends asks for a registration."""
    tables = list(populated())
    queries = [(table.key_source - table.proj()).proj().make_sql() for table in tables]
    counts = (f"(SELECT count(*) FROM ({sql}) AS left{number})" for number, sql in enumerate(queries))
    return int(tables[0].connection.query(f"SELECT {' + '.join(counts)}").fetchone()[0])


def _comparable(row: Mapping[str, Any]) -> dict[str, Any]:
    ignored = _OF_THE_RUN | (_OF_OUTPUT_FILES if _is_output(row) else frozenset())
    return {
        column: _value(value)
        for column, value in row.items()
        if column not in ignored and "entry_time" not in column
    }


def _is_output(row: Mapping[str, Any]) -> bool:
    return "/suite2p/" in str(row.get("file_path"))


def _value(value: Any) -> Any:
    array = value.load() if hasattr(value, "load") else value
    if isinstance(array, np.ndarray):
        return (str(array.dtype), array.shape, array.tobytes())
    # Else a number that is none would not be equal to itself.
    return "NaN" if isinstance(value, float) and np.isnan(value) else value
