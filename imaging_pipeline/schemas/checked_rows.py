"""Rows that people add: checked against the columns of their table, and inserted unless they exist."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

from imaging_pipeline.choices import among, near, with_alike
from imaging_pipeline.errors import InputError, PipelineError, Responsible
from imaging_pipeline.schemas import plain_rows
from imaging_pipeline.schemas.locks import in_transaction, lock_rows
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.schemas.tables import Tables
from imaging_pipeline.strict_json import is_storable


@contextmanager
def exclusive(tables: Tables) -> Iterator[None]:
    """Run the enclosed code in a transaction; others that add something wait until it ends."""
    with in_transaction(tables.connection):
        # The one row that always exists. Unlike a named lock, its lock ends with the transaction.
        lock_rows(tables.imaging.Lab())
        yield


def next_number(tables: Tables, column: str, *full_table_names: str) -> int:
    """Return the number after the highest one of a column in some tables; 0 where there is none.

    The caller holds a lock, such as that of `exclusive`, so that no two get the same number.
    """
    # Not by the server: DataJoint has no type for it that both PostgreSQL and MySQL take.
    highest = [f"SELECT max({column}) FROM {name}" for name in full_table_names]
    rows = plain_rows.fetch(tables.connection, " UNION ALL ".join(highest))
    return max((int(number) + 1 for (number,) in rows if number is not None), default=0)


def checked_name(value: str, what: str, *, field: str) -> str:
    """Return a name without blanks around it.

    Raises
    ------
    InputError
        The name is empty or has invisible characters; the error is about ``field``.
    """
    name = value.strip()
    if not name or not name.isprintable():
        raise InputError(
            f"{what} needs a name",
            found=repr(value),
            allowed="letters, digits and signs",
            remedy="Give a name of characters that can be seen.",
            responsible=Responsible.ADMINISTRATOR,
            field=field,
        )
    return name


def checked_row(
    table: Any,
    values: Mapping[str, Any],
    *,
    what: str,
    key: Mapping[str, Any] | None = None,
    field: str | None = None,
) -> Row:
    """Return a row that the table takes.

    Parameters
    ----------
    table
        The table class.
    values
        Column → value; None counts as missing.
    what
        What the row is, for messages.
    key
        Columns that are already checked; they may not be among the values.
    field
        What errors are about; by default the column.

    Raises
    ------
    InputError
        A column is unknown or missing, or a value is not one for its column.
    """
    fixed = dict(key or {})
    # Entry times are left out: the server fills them in.
    columns = {
        column.name: column
        for column in table.heading.attributes.values()
        if column.name not in fixed and not _is_entry_time(column)
    }
    row = {name: value for name, value in values.items() if value is not None}
    refuse_unknown(row, columns, what=what, field=field)
    missing = [
        name
        for name, column in columns.items()
        if name not in row and column.default is None and not column.nullable
    ]
    if missing:
        raise InputError(
            f"{what} lacks {', '.join(missing)}",
            remedy="give a value for each.",
            responsible=Responsible.ADMINISTRATOR,
            field=field or missing[0],
        )
    return fixed | {name: _checked(columns[name], value, what, field or name) for name, value in row.items()}


def refuse_unknown(
    values: Mapping[str, Any],
    allowed: Mapping[str, Any] | tuple[str, ...],
    *,
    what: str,
    responsible: Responsible = Responsible.ADMINISTRATOR,
    field: str | None = None,
) -> None:
    """Raise `InputError` for a name that is not allowed; it lists similar and all allowed ones."""
    for name in values:
        if name not in allowed:
            raise InputError(
                f"{what} has no '{name}'",
                found=with_alike(str(name), near(str(name), allowed)),
                allowed=", ".join(allowed),
                remedy="correct the name.",
                responsible=responsible,
                field=field or str(name),
            )


def refuse_long(table: Any, row: Row, *columns: str, error: type[PipelineError] = InputError) -> None:
    """Raise an error for a text that its column does not take: too long, or with a character of no text."""
    for name in columns:
        fitting, allowed = _text(_kind(table.heading.attributes[name]), row[name])
        if fitting is None:
            raise error(
                f"The {name} is longer than the database takes, or no text",
                found=f"{len(str(row[name]))} characters: {row[name]}",
                allowed=allowed,
                remedy="shorten it.",
                field=name,
            )


def existing(
    table: Any,
    column: str,
    value: object,
    *,
    responsible: Responsible = Responsible.ADMINISTRATOR,
    field: str | None = None,
) -> str:
    """Return a value as text, if a table, restricted or not, has it.

    ``field`` is the input that was refused where that is not called as the column is.

    Raises
    ------
    InputError
        The table does not have it; the error names values that look like it.
    """
    text = str(value)
    if not table & {column: text}:
        # With an empty restriction a table class becomes a query as well.
        values = {str(stored) for stored in (table & {}).to_arrays(column)}
        raise not_existing(column, text, values, responsible=responsible, field=field)
    return text


def not_existing(
    what: str,
    value: str,
    values: Iterable[str],
    *,
    responsible: Responsible = Responsible.ADMINISTRATOR,
    field: str | None = None,
) -> InputError:
    """Return the error for a value that does not exist; it lists similar ones."""
    remedy = "take one that is there, or ask the administrator to add it."
    found, allowed = among(value, values)
    return InputError(
        f"There is no {what} '{value}'",
        found=found,
        allowed=allowed,
        remedy=remedy if responsible is Responsible.EXPERIMENTER else "",
        responsible=responsible,
        field=field or what,
    )


def add_row(table: Any, row: Mapping[str, Any], *, what: str, remedy: str) -> bool:
    """Insert a row unless it exists; only the columns of ``row`` are compared.

    Returns
    -------
    bool
        Whether it is new.

    Raises
    ------
    InputError
        A row with this key exists, with other values.
    """
    stored = (table & {name: row[name] for name in table.primary_key}).to_dicts()
    if not stored:
        table.insert1(row)
        return True
    differing = [name for name, value in row.items() if stored[0][name] != value]
    if differing:
        raise InputError(
            f"{what} is there already with other values",
            found="; ".join(f"{name} is {stored[0][name]!r}, not {row[name]!r}" for name in differing),
            remedy=remedy,
            responsible=Responsible.ADMINISTRATOR,
            field=table.primary_key[0],
        )
    return False


def _kind(column: Any) -> str:
    """Return the type as it was declared; for a foreign key, which has no declared type, the server's."""
    return str(column.original_type or column.type)


def _is_entry_time(column: Any) -> bool:
    return _kind(column).startswith("datetime")


def _checked(column: Any, value: Any, what: str, field: str) -> Any:
    kind = _kind(column)
    check = next(check for pattern, check in _CHECKS if re.match(pattern, kind))
    checked, allowed = check(kind, value)
    if checked is None:
        raise InputError(
            f"{what} cannot have this {column.name}",
            found=repr(value),
            allowed=allowed,
            remedy="Give a value that is allowed.",
            responsible=Responsible.ADMINISTRATOR,
            field=field,
        )
    return checked


def _text(kind: str, value: Any) -> tuple[Any, str]:
    longest = int(re.sub(r"\D", "", kind))
    fits = isinstance(value, str) and len(value) <= longest and is_storable(value)
    return (value if fits else None), f"text of at most {longest} characters"


def _one_of(kind: str, value: Any) -> tuple[Any, str]:
    values = re.findall(r"'([^']*)'", kind)
    return (value if value in values else None), ", ".join(values)


def _truth(_kind: str, value: Any) -> tuple[Any, str]:
    return (value if isinstance(value, bool) else None), "true or false"


def _whole(kind: str, value: Any) -> tuple[Any, str]:
    # Integer columns are signed on both servers.
    limit = 2 ** (int(re.sub(r"\D", "", kind)) - 1)
    # A bool is an int to Python.
    fits = isinstance(value, int) and not isinstance(value, bool) and -limit <= value < limit
    return (value if fits else None), f"a whole number below {limit}"


def _number(_kind: str, value: Any) -> tuple[Any, str]:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    # False for NaN, too, and for whole numbers that no float can hold.
    fits = is_number and abs(value) <= sys.float_info.max
    return (float(value) if fits else None), "a number"


def _day(_kind: str, value: Any) -> tuple[Any, str]:
    # A datetime is a date to Python.
    fits = isinstance(value, date) and not isinstance(value, datetime)
    return (value if fits else None), "a date"


def _group(_kind: str, value: Any) -> tuple[Any, str]:
    fits = isinstance(value, Mapping) and is_storable(value)
    return (dict(value) if fits else None), "a group of names and values, without NaN and infinity"


# By the beginning of the declared type; datetimes do not occur, as `checked_row` leaves them out.
_CHECKS: tuple[tuple[str, Callable[[str, Any], tuple[Any, str]]], ...] = (
    ("varchar", _text),
    ("enum", _one_of),
    ("bool", _truth),
    (r"int\d", _whole),
    (r"float\d", _number),
    ("date$", _day),
    ("json", _group),
)
