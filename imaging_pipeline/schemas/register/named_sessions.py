"""The sessions and requests that a person means by a name or a folder."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from imaging_pipeline.choices import near, with_alike
from imaging_pipeline.errors import InputError, PathError
from imaging_pipeline.paths import clean, resolve
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.schemas.register import pending_animals
from imaging_pipeline.schemas.tables import Tables

# The beginning of a name; shorter ones could as well be words.
_BEGINNING = re.compile("[0-9a-f]{4,15}")
_NAME = re.compile("[0-9a-f]{16}")
_OF_FOLDER = ("repository_name", "animal_id", "datasource_id", "combined")
_NUM_SHOWN = 8


@dataclass(frozen=True)
class Named:
    """The sessions and requests that a person means.

    Attributes
    ----------
    sessions
        Rows of ``Session`` joined with ``MetaSession`` and ``animal_name``, by their start.
    requests
        Rows of ``BaseFolder`` with ``animal_name``, which for a pending animal is what was typed; those for
        the sessions' folders, or for the folder that was named, the newest first.
    """

    sessions: tuple[Row, ...]
    requests: tuple[Row, ...]


def named(tables: Tables, typed: str, *, animal: str | None = None) -> Named:
    """Return the sessions and requests that are meant.

    Parameters
    ----------
    tables
        The database.
    typed
        The name of a session or MetaSession, or its beginning; a timeseries; or a folder, as typed or
        below its repository.
    animal
        Name or identifier of the animal, where several have a timeseries of this name.

    Raises
    ------
    InputError
        Nothing has this name, or more than one session; the error names them.
    """
    name = clean(typed)
    rows = _sessions(tables, name, animal)
    if rows:
        return Named(tuple(rows), _requests_of(tables, rows))
    requests = _requests_for(tables, typed)
    if animal is not None:
        requests = tuple(row for row in requests if animal in (row["animal_id"], row["animal_name"]))
    if not requests:
        raise _unknown(tables, name, animal)
    return Named(tuple(_sessions_below(tables, requests)), requests)


def requests_for_folder(tables: Tables, typed: str) -> set[int]:
    """Return the identifiers of the requests for a folder, as typed or below its repository."""
    folders = [{"folder": clean(typed).replace("\\", "/").strip("/")}]
    # What is no whole path may be one below a repository.
    with suppress(PathError):
        location = resolve(typed, tables.roots())
        folders.append({"repository_name": location.repository_name, "folder": location.path})
    # Also as typed, because the root may be retired.
    requests = tables.imaging.BaseFolder & [*folders, {"path": typed}]
    return {int(number) for number in requests.to_arrays("basefolder_id")}


def _sessions(tables: Tables, typed: str, animal: str | None) -> list[Row]:
    if _NAME.fullmatch(typed):
        return _of(tables, [{"session_name": typed}, {"metasession_name": typed}])
    if _BEGINNING.fullmatch(typed):
        for column in ("session_name", "metasession_name"):
            # Only hexadecimal digits, which are safe to quote.
            rows = _of(tables, f"{column} LIKE '{typed}%'")
            if len({row[column] for row in rows}) > 1:
                raise _ambiguous(typed, rows)
            if rows:
                return rows
    # Several animals may have a timeseries of one name, and one animal under both labels.
    rows = _of(tables, {"timeseries_name": typed})
    if animal is not None:
        rows = [row for row in rows if animal in (row["animal_id"], row["animal_name"])]
    if len(rows) > 1:
        raise _ambiguous(typed, rows)
    return rows


def _of(tables: Tables, sessions: Any = (), metasessions: Any = ()) -> list[Row]:
    """Return the sessions that fulfil conditions on ``Session`` and ``MetaSession``.

    The tables are restricted before they are joined: MySQL would join all rows first.
    """
    # In DataJoint an empty list of conditions selects nothing, and True everything.
    session = tables.imaging.Session & (sessions or True)
    metasession = tables.imaging.MetaSession & (metasessions or True)
    whole = session * metasession * tables.mlims.Animal.proj("animal_name")
    rows: list[Row] = whole.to_dicts(order_by="session_timestamp, session_name")
    return rows


def _requests_of(tables: Tables, sessions: Iterable[Row]) -> tuple[Row, ...]:
    folders = [
        {"folder": row["metasession_folder"], **{column: row[column] for column in _OF_FOLDER}}
        for row in sessions
    ]
    return _newest_first(tables, tables.imaging.BaseFolder & folders)


def _requests_for(tables: Tables, typed: str) -> tuple[Row, ...]:
    keys = [{"basefolder_id": number} for number in requests_for_folder(tables, typed)]
    return _newest_first(tables, tables.imaging.BaseFolder & keys) if keys else ()


def _newest_first(tables: Tables, requests: Any) -> tuple[Row, ...]:
    # A left join, because a request whose animal is pending has none.
    with_names = requests.join(tables.mlims.Animal.proj("animal_name"), left=True)
    rows = with_names.to_dicts(order_by="basefolder_id DESC")
    return tuple(
        row if row["animal_id"] is not None else {**row, "animal_name": pending_animals.typed_name(row)}
        for row in rows
    )


def _sessions_below(tables: Tables, requests: Iterable[Row]) -> list[Row]:
    folders = [
        {"metasession_folder": row["folder"], **{column: row[column] for column in _OF_FOLDER}}
        for row in requests
    ]
    return _of(tables, metasessions=folders)


def _ambiguous(typed: str, rows: Sequence[Row]) -> InputError:
    shown = [_described(row) for row in rows[:_NUM_SHOWN]]
    more = len(rows) - len(shown)
    return InputError(
        f"There are {len(rows)} sessions of this name",
        found=typed,
        allowed="; ".join([*shown, *([f"{more} more"] if more else [])]),
        remedy="give the name of one of them: its 16 characters, or enough of the first.",
    )


def _described(row: Row) -> str:
    start = row["session_timestamp"].isoformat(" ", "minutes")
    label = "combined" if row["combined"] == "yes" else "not combined"
    return f"{row['session_name']} of {row['animal_name']}, {start}, {label}"


def _unknown(tables: Tables, typed: str, animal: str | None) -> InputError:
    existing = {
        *map(str, tables.imaging.BaseFolder().to_arrays("folder")),
        *map(str, tables.imaging.Session().to_arrays("timeseries_name")),
    }
    of_animal = "" if animal is None else f" of animal {animal}"
    return InputError(
        f"No session or request is known by this name{of_animal}",
        found=with_alike(typed, near(typed.replace("\\", "/"), existing)),
        remedy="give the name of a session or timeseries, or a folder that was added.",
    )
