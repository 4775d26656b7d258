"""What is inserted into any column of any table comes back as it was, on both backends."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from itertools import zip_longest
from typing import Any

import numpy as np
import pytest

from imaging_pipeline.config.config import Config
from tests.makers.any_row import complete_row, enum_values, insert, trace_reference
from tests.makers.definitions import ARRAYS, Column, columns_of, tables
from tests.makers.lab import Lab, emptied_lab

SHAPED = re.compile(r"(bool|u?int\d+|float\d+) \(([a-z_0-9, ]+)\)")
TEXT = "Tif.SI.header"
# Of four bytes each in UTF-8, which MySQL's older `utf8` does not know.
WIDE = "𝄞🐭"
TEXTS = (
    *("", "anybody", "Anybody", " blanks ", "東京", "Ångström", "A\u030angstro\u0308m", "null", "NULL"),
    *(
        "it's",
        'a "name"',
        "back\\slash",
        "N:\\new\\table",
        "100 %",
        "%s %(name)s",
        "{}",
        "`a`; --",
        "a\nb\tc",
    ),
)
DOCUMENTS = (
    *({}, [], [[1, 2], [3.25, -1e-300, 2**53, True, None, ""]]),
    {"a": None, "東": {"b": [True, False, "100 %"]}, "path": "N:\\moser", "quote": 'it\'s "so"'},
    [f"90218_00001_{number:05d}.tif" for number in range(1, 2000)],
)
FLOATS = (0.0, 1e-300, -1e300, 0.1, 1 / 3, 7.253418, float(2**53 + 2))


@pytest.fixture(scope="module")
def lab(server_config: Config, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """Return one lab for all tables: each test takes its own row away again."""
    return emptied_lab(server_config, tmp_path_factory.mktemp("lab"))


def with_arrays() -> list[Any]:
    return [table for table in tables() if arrays_of(table)]


def arrays_of(table: Any) -> list[Column]:
    return [column for column in columns_of(table) if re.fullmatch(ARRAYS, column.type)]


def named(table: Any) -> str:
    return str(table.__qualname__)


def test_every_array_says_its_type_and_shape() -> None:
    arrays = [column for table in tables() for column in arrays_of(table)]
    unclear = [str(column) for column in arrays if not SHAPED.match(column.comment)]
    assert unclear == [TEXT]
    assert len(arrays) > 30


def array_cases(column: Column) -> Iterator[np.ndarray | str]:
    """Return arrays of the type and shape that a column's comment states."""
    if str(column) == TEXT:
        yield from ("", "SI.hScan2D = 'x'\\n東京" * 5000)
        return
    stated = SHAPED.match(column.comment)
    assert stated is not None
    dtype = np.dtype(stated[1])
    names = [name for name in re.split(r", ?", stated[2]) if name]
    shape = tuple(int(name) if name.isdigit() else 3 + place for place, name in enumerate(names))
    random = np.random.default_rng(0)
    whole = random.integers(0, 2 if dtype.kind == "b" else 100, shape).astype(dtype)
    yield whole
    yield np.asfortranarray(whole)
    wide = np.repeat(whole, 2, axis=-1)
    yield wide[..., ::2]
    yield whole[::-1]
    if dtype.kind == "f":
        odd = whole.copy()
        odd.flat[:4] = [np.nan, np.inf, -np.inf, -0.0]
        yield odd
        yield np.full(shape, np.finfo(dtype).tiny, dtype)
    if dtype.kind in "iu":
        yield np.full(shape, np.iinfo(dtype).max, dtype)
        yield np.full(shape, np.iinfo(dtype).min, dtype)
    # No cells or no frames; the traces of no cells have no rows.
    if column.type != "<trace>":
        yield np.zeros([int(name) if name.isdigit() else 0 for name in names], dtype)
    yield np.ones([int(name) if name.isdigit() else 1 for name in names], dtype)


def written(column: Column, array: np.ndarray | str) -> Any:
    return trace_reference(array) if column.type == "<trace>" else array


@pytest.mark.parametrize("table", with_arrays(), ids=named)
def test_arrays_of_every_column_come_back_equal(lab: Lab, table: Any) -> None:
    cases = {column: list(array_cases(column)) for column in arrays_of(table)}
    given = [dict(zip(cases, values, strict=True)) for values in zip_longest(*cases.values())]
    rows = [
        {column.name: written(column, value) for column, value in row.items() if value is not None}
        for row in given
    ]
    wrong = [
        f"{column}: {value!r} became {found[column.name]!r}"
        for row, found in zip(given, inserted(table, rows), strict=True)
        for column, value in row.items()
        if value is not None and not is_equal(value, found[column.name])
    ]
    assert wrong == []


def is_equal(expected: Any, found: Any) -> bool:
    if isinstance(expected, str):
        return bool(expected == found)
    array = found.load() if hasattr(found, "load") else found
    return (
        type(array) is np.ndarray
        and (array.dtype, array.shape) == (expected.dtype, expected.shape)
        and array.tobytes() == np.ascontiguousarray(expected).tobytes()
    )


def scalar_cases(column: Column) -> Iterable[Any]:
    """Return odd values that a column's type allows."""
    kind, _, size = column.type.partition("(")
    if kind == "varchar":
        length = int(size.rstrip(")"))
        texts = [*TEXTS, (WIDE * length)[:length], "x" * length]
        return [text for text in texts if len(text) <= length]
    if kind.startswith("int"):
        limits = np.iinfo(kind)
        return [limits.min, -2, limits.max]
    moments = [
        datetime(1970, 1, 2),
        datetime(2024, 3, 31, 2, 30, 0, 1),
        datetime(2099, 12, 31, 23, 59, 59, 999_999),
    ]
    return {
        "float64": FLOATS,
        "bool": [True, False],
        "json": DOCUMENTS,
        "enum": enum_values(column.type),
        "date": [date(1970, 1, 1), date(2024, 2, 29), date(2099, 12, 31)],
        "datetime": moments,
    }[kind]


def odd_rows(table: Any) -> Iterator[dict[str, Any]]:
    """Return rows in which every odd value of every column is at least once."""
    attributes = table().heading.attributes
    cases = {
        column.name: [
            *scalar_cases(column),
            *([None] if attributes[column.name].nullable else []),
        ]
        for column in columns_of(table)
        if not re.fullmatch(ARRAYS, column.type)
    }
    for number in range(max(map(len, cases.values()), default=0)):
        yield {name: values[number % len(values)] for name, values in cases.items()}


@pytest.mark.parametrize("table", tables(), ids=named)
def test_odd_values_of_every_column_come_back_equal(lab: Lab, table: Any) -> None:
    rows = list(odd_rows(table))
    wrong = [
        f"{name}: {value!r} became {found[name]!r}"
        for given, found in zip(rows, inserted(table, rows), strict=True)
        for name, value in given.items()
        if found[name] != value
    ]
    assert wrong == []


def unknowns(table: Any) -> dict[str, float]:
    """Return NaN for every number of a table that may be empty."""
    numbers = [column for column in columns_of(table) if column.type.startswith(("float", "decimal"))]
    return {column.name: np.nan for column in numbers if column.default == "null"}


@pytest.mark.parametrize("table", [table for table in tables() if unknowns(table)], ids=named)
def test_a_number_that_is_not_known_does_not_become_another(lab: Lab, table: Any) -> None:
    """MySQL has no NaN and takes the default instead, PostgreSQL keeps it."""
    (found,) = inserted(table, [unknowns(table)])
    kept = {found[name] for name in unknowns(table)}
    assert {value for value in kept if value is not None and not np.isnan(value)} == set()


def inserted(table: Any, rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Insert one row after the other, and give each as the database has it; it is taken away again."""
    others = complete_row(table)
    for given in rows:
        row = others | given
        stored = table & {name: row[name] for name in table.primary_key}
        if stored:
            stored.delete(prompt=False, part_integrity="ignore")
        insert(table, row)
        yield dict(stored.fetch1())
        stored.delete_quick()
