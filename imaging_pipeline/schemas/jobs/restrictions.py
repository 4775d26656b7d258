"""Which sessions and requests a person means by an SQL condition, such as ``animal_name='90218'``.

The condition is true or false for a session or for a request. Of a session it sees the columns of
``Session``, ``MetaSession``, ``Animal`` and of the ``BaseFolder`` by which its folder was requested; of a
request those of ``BaseFolder`` and ``Animal``. Of columns with one name the first of these counts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from imaging_pipeline.choices import near, with_alike
from imaging_pipeline.errors import InputError
from imaging_pipeline.schemas.tables import Tables
from imaging_pipeline.server.connection_errors import error_text, is_loss

_TEXT = re.compile(r"'(?:[^']|'')*'")
# MySQL takes texts in double quotes too: a misspelt column in them would be a text, without an error.
_FORBIDDEN = re.compile(r"[\"'`;#]|--|/\*")
_WORD = re.compile(r"[a-z_]\w*", re.IGNORECASE)

_SESSION = ("metasession_name", "session_name")
_REQUEST = ("basefolder_id",)


def key_condition_of(tables: Tables, primary_key: Sequence[str], condition: str) -> str:
    """Return the SQL condition that a row belongs to a session or request that a person's condition selects.

    Parameters
    ----------
    tables
        The database.
    primary_key
        Names of the key's columns, of a table or of its job table.
    condition
        SQL on the columns of sessions or requests; texts stand in single quotes.

    Raises
    ------
    InputError
        The rows belong to no session or request, or the condition is not one on their columns: a condition
        that is not understood never selects everything.
    """
    shared = [name for name in (*_SESSION, *_REQUEST) if name in primary_key]
    if not shared:
        raise InputError(
            "Rows that belong to no session or request cannot be chosen by a condition",
            found=", ".join(primary_key),
            allowed="a key with metasession_name or basefolder_id",
            remedy="leave out the condition, or the lane.",
        )
    parents = _of_requests(tables) if shared == list(_REQUEST) else _of_sessions(tables)
    columns = _columns(parents)
    _check(condition, columns)
    source = _joined(tables, parents, columns)
    key = ", ".join(shared)
    selected = f"SELECT {key} FROM ({source}) AS parents WHERE {_escaped(condition)}"
    # The server says whether it is a condition at all: here, and not in a worker's loop.
    _try(tables, f"{selected} LIMIT 1", condition, columns)
    return f"({key}) IN ({selected})" if len(shared) > 1 else f"{key} IN ({selected})"


def _of_sessions(tables: Tables) -> tuple[Any, ...]:
    imaging = tables.imaging
    return (imaging.Session(), imaging.MetaSession(), tables.mlims.Animal(), imaging.BaseFolder())


def _of_requests(tables: Tables) -> tuple[Any, ...]:
    return (tables.imaging.BaseFolder(), tables.mlims.Animal())


def _columns(parents: Sequence[Any]) -> dict[str, int]:
    """Return for each column the index of the table that it is taken from."""
    columns: dict[str, int] = {}
    for index, parent in enumerate(parents):
        for name in parent.heading.names:
            columns.setdefault(name, index)
    return columns


def _joined(tables: Tables, parents: Sequence[Any], columns: dict[str, int]) -> str:
    selected = ", ".join(f"t{index}.{name}" for name, index in columns.items())
    names = [parent.full_table_name for parent in parents]
    on_animal = "t{0}.animal_id = t{1}.animal_id AND t{0}.datasource_id = t{1}.datasource_id"
    if len(parents) == len(_of_requests(tables)):
        return f"SELECT {selected} FROM {names[0]} AS t0 JOIN {names[1]} AS t1 ON {on_animal.format(0, 1)}"
    return (
        f"SELECT {selected} FROM {names[0]} AS t0"
        f" JOIN {names[1]} AS t1 ON t0.metasession_name = t1.metasession_name"
        f" JOIN {names[2]} AS t2 ON {on_animal.format(1, 2)}"
        # LEFT, since a folder that was moved has no request under its present name. Several requests for a
        # folder repeat its sessions, which does not matter to IN.
        f" LEFT JOIN {names[3]} AS t3 ON {on_animal.format(1, 3)} AND t1.combined = t3.combined"
        " AND t1.repository_name = t3.repository_name AND t1.metasession_folder = t3.folder"
    )


def _check(condition: str, columns: dict[str, int]) -> None:
    bare = _TEXT.sub(" ", condition)
    forbidden = _FORBIDDEN.search(bare)
    if forbidden:
        raise InputError(
            "The condition is not one that can be read for certain",
            found=condition,
            allowed="names of columns, numbers, and texts in single quotes, such as animal_name='90218'",
            remedy=f"Leave out {forbidden[0]!r}, or write the text that it begins in single quotes.",
        )
    # A condition without a column, such as 1 = 1, would be true for everything.
    names = _WORD.findall(bare)
    if not any(word.lower() in columns for word in names):
        alike = [name for word in names for name in near(word, columns, count=1)]
        raise _no_column(condition, columns, with_alike(condition, alike))


def _try(tables: Tables, query: str, condition: str, columns: dict[str, int]) -> None:
    try:
        tables.connection.query(query).fetchall()
    except Exception as error:  # each driver has its own classes
        if is_loss(error):
            raise
        raise _no_column(condition, columns, f"{condition} ({error_text(error)})") from error


def _no_column(condition: str, columns: dict[str, int], found: str) -> InputError:
    what = "sessions" if "session_name" in columns else "requests"
    return InputError(
        f"The condition is none on the columns of {what}",
        found=found,
        allowed=", ".join(sorted(columns)),
        remedy="correct the condition, or name the lanes that it is for: only ingest knows requests.",
    )


def _escaped(condition: str) -> str:
    """Return a condition whose texts are found as they were typed.

    Drivers take ``%`` for a placeholder of a value, and both servers a backslash in a text for an escape.
    """
    return f"({condition.strip()})".replace("%", "%%").replace("\\", "\\\\")
