"""Rows that a person adds: checked against the columns of their table, and never changed."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

from imaging_pipeline.choices import among, near, with_alike
from imaging_pipeline.errors import InputError, Responsible
from imaging_pipeline.schemas.locks import in_transaction, lock_rows
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.schemas.tables import Tables


@contextmanager
def alone(tables: Tables) -> Iterator[None]:
    """Run the enclosed code in a transaction, while whoever else adds something waits."""
    with in_transaction(tables.connection):
        lock_rows(tables.imaging.Lab())
        yield


def checked_name(value: str, what: str) -> str:
    """Return a name without blanks around it.

    Raises
    ------
    InputError
        It is empty, or has characters that nobody sees.
    """
    name = value.strip()
    if not name or not name.isprintable():
        raise InputError(
            f"{what} needs a name",
            found=repr(value),
            allowed="letters, digits and signs",
            remedy="Give a name of characters that can be seen.",
            responsible=Responsible.ADMINISTRATOR,
        )
    return name


def checked_row(
    table: Any,
    given: Mapping[str, Any],
    *,
    what: str,
    key: Mapping[str, Any] | None = None,
    field: str = "",
) -> Row:
    """Return a row that the table takes.

    Parameters
    ----------
    table
        The table class.
    given
        Column → value; None is one that is not given.
    what
        What the row is, for messages.
    key
        Columns that are known to be right; they may not be given.
    field
        The input that errors are of; the column's name where this is empty.

    Raises
    ------
    InputError
        A column is unknown or lacking, or a value is not one for its column.
    """
    fixed = dict(key or {})
    columns = {
        column.name: column
        for column in table.heading.attributes.values()
        if column.name not in fixed and not _is_entry_time(column)
    }
    row = {name: value for name, value in given.items() if value is not None}
    refuse_unknown(row, columns, what=what, field=field)
    lacking = [
        name
        for name, column in columns.items()
        if name not in row and column.default is None and not column.nullable
    ]
    if lacking:
        raise InputError(
            f"{what} lacks {', '.join(lacking)}",
            remedy="give a value for each.",
            responsible=Responsible.ADMINISTRATOR,
            field=field or lacking[0],
        )
    return fixed | {name: _checked(columns[name], value, what, field) for name, value in row.items()}


def refuse_unknown(
    given: Mapping[str, Any],
    allowed: Mapping[str, Any] | tuple[str, ...],
    *,
    what: str,
    responsible: Responsible = Responsible.ADMINISTRATOR,
    field: str = "",
) -> None:
    """Raise `InputError` where a name is not allowed; it tells those that look like it, and all that are."""
    for name in given:
        if name not in allowed:
            raise InputError(
                f"{what} has no '{name}'",
                found=with_alike(str(name), near(str(name), allowed)),
                allowed=", ".join(allowed),
                remedy="correct the name.",
                responsible=responsible,
                field=field,
            )


def known(
    table: Any,
    column: str,
    value: object,
    *,
    responsible: Responsible = Responsible.ADMINISTRATOR,
    field: str = "",
) -> str:
    """Return a value that a table, restricted or not, has.

    ``field`` is the input that was refused where that is not called as the column is.

    Raises
    ------
    InputError
        It has not; tells those that look like it.
    """
    text = str(value)
    if not table & {column: text}:
        values = {str(found) for found in (table & {}).to_arrays(column)}
        raise not_known(column, text, values, responsible=responsible, field=field or column)
    return text


def not_known(
    what: str,
    value: str,
    values: Iterable[str],
    *,
    responsible: Responsible = Responsible.ADMINISTRATOR,
    field: str = "",
) -> InputError:
    """Return the error for a value that is none of those that are there; it tells those that look like it."""
    remedy = "take one that is there, or ask the administrator to add it."
    found, allowed = among(value, values)
    return InputError(
        f"There is no {what} '{value}'",
        found=found,
        allowed=allowed,
        remedy=remedy if responsible is Responsible.EXPERIMENTER else "",
        responsible=responsible,
        field=field,
    )


def add_row(table: Any, row: Mapping[str, Any], *, what: str, remedy: str) -> bool:
    """Insert a row, unless it is there already; only the columns given are compared.

    Returns
    -------
    bool
        Whether it is new.

    Raises
    ------
    InputError
        The key is there with other values.
    """
    found = (table & {name: row[name] for name in table.primary_key}).to_dicts()
    if not found:
        table.insert1(row)
        return True
    differing = [name for name, value in row.items() if found[0][name] != value]
    if differing:
        raise InputError(
            f"{what} is there already with other values",
            found="; ".join(f"{name} is {found[0][name]!r}, not {row[name]!r}" for name in differing),
            remedy=remedy,
            responsible=Responsible.ADMINISTRATOR,
        )
    return False


def _kind(column: Any) -> str:
    """Return the type as it was declared; a column that refers to another table has the server's word."""
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
            field=field or column.name,
        )
    return checked


def _text(kind: str, value: Any) -> tuple[Any, str]:
    room = int(re.sub(r"\D", "", kind))
    fits = isinstance(value, str) and len(value) <= room and _is_kept(value)
    return (value if fits else None), f"text of at most {room} characters"


def _one_of(kind: str, value: Any) -> tuple[Any, str]:
    values = re.findall(r"'([^']*)'", kind)
    return (value if value in values else None), ", ".join(values)


def _truth(_kind: str, value: Any) -> tuple[Any, str]:
    return (value if isinstance(value, bool) else None), "true or false"


def _whole(kind: str, value: Any) -> tuple[Any, str]:
    limit = 2 ** (int(re.sub(r"\D", "", kind)) - 1)
    fits = isinstance(value, int) and not isinstance(value, bool) and -limit <= value < limit
    return (value if fits else None), f"a whole number below {limit}"


def _number(_kind: str, value: Any) -> tuple[Any, str]:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    fits = is_number and abs(value) <= sys.float_info.max
    return (float(value) if fits else None), "a number"


def _day(_kind: str, value: Any) -> tuple[Any, str]:
    fits = isinstance(value, date) and not isinstance(value, datetime)
    return (value if fits else None), "a date"


def _group(_kind: str, value: Any) -> tuple[Any, str]:
    fits = isinstance(value, Mapping) and _is_kept(value)
    return (dict(value) if fits else None), "a group of names and values, without NaN and infinity"


def _is_kept(value: Any) -> bool:
    """Return True if databases can store a value: not NUL, half characters, or NaN in JSON."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        text.encode()
    except (ValueError, RecursionError):
        return False
    return "\\u0000" not in text.replace("\\\\", "")


_CHECKS: tuple[tuple[str, Callable[[str, Any], tuple[Any, str]]], ...] = (
    ("varchar", _text),
    ("enum", _one_of),
    ("bool", _truth),
    (r"int\d", _whole),
    (r"float\d", _number),
    ("date$", _day),
    ("json", _group),
)
