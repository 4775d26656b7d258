"""Requests: what a person typed, checked and completed to a ``BaseFolder`` row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import datajoint as dj

from imaging_pipeline.errors import InputError, near
from imaging_pipeline.paths import resolve
from imaging_pipeline.schemas.locks import in_transaction, lock_rows
from imaging_pipeline.schemas.tables import Tables

_REQUIRED = ("username", "path", "experiment_type", "combined")
_ANIMAL = ("animal", "animal_name", "animal_id", "datasource_id")
_OPTIONAL = ("setup", "scope_name", "ops_name", "register_uncurated", "base_folder_note")
_COMBINED = {True: "yes", False: "no", "yes": "yes", "no": "no"}


def add(
    tables: Tables,
    *,
    username: str,
    path: str,
    animal: str,
    experiment_type: str,
    combined: bool | str,
    setup: str | None = None,
    scope_name: str | None = None,
    ops_name: str | None = None,
    register_uncurated: bool = False,
    base_folder_note: str = "",
) -> int:
    r"""Request that a folder is looked at.

    Parameters
    ----------
    tables
        The database.
    username
        Who asks; a row of ``User``.
    path
        The folder as you see it, for example ``N:\moser\90218\2026-03-14``; quotes around it do no harm.
    animal
        Name or identifier of the animal.
    experiment_type
        Which files mean what; a row of ``ExperimentType``.
    combined
        Whether all sessions of the folder are analysed as one long recording.
    setup
        Name of the ``Setup``; the calibration of the day is taken.
    scope_name
        The microscope head.
    ops_name
        Suite2p option set to run with.
    register_uncurated
        Register the folder again by itself as soon as Suite2p has run.
    base_folder_note
        Anything worth keeping.

    Returns
    -------
    int
        The identifier of the request.

    Raises
    ------
    InputError
        A value is not known; it lists those that look like it.
    PathError
        The folder lies in no repository, or in two.
    """
    row = {
        "username": username,
        "path": path,
        "animal": animal,
        "experiment_type": experiment_type,
        "combined": combined,
        "setup": setup,
        "scope_name": scope_name,
        "ops_name": ops_name,
        "register_uncurated": register_uncurated,
        "base_folder_note": base_folder_note,
    }
    return insert(tables, [row])[0]


def insert(tables: Tables, rows: Iterable[Mapping[str, Any]]) -> list[int]:
    """Check, complete and insert requests; all of them or none.

    Parameters
    ----------
    tables
        The database.
    rows
        Columns as in `add`; ``animal_name``, or ``animal_id`` with ``datasource_id``, serve for ``animal``.

    Returns
    -------
    list of int
        The identifiers of the requests.
    """
    return _append(tables, [complete(tables, row) for row in rows])


def copy(tables: Tables, base_folder: Mapping[str, Any], *, note: str) -> int:
    """Insert a request like an earlier one, whose row is given, and give its identifier."""
    own = ("basefolder_id", "basefolder_entry_time")
    again = {name: value for name, value in base_folder.items() if name not in own}
    return _append(tables, [{**again, "base_folder_note": note}])[0]


def _append(tables: Tables, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Insert complete rows under the next identifiers; whoever else does waits."""
    base_folder = tables.imaging.BaseFolder()
    with in_transaction(tables.connection):
        lock_rows(tables.imaging.Lab())
        newest = dj.U().aggr(base_folder, newest="max(basefolder_id)").fetch1("newest")
        first = 0 if newest is None else int(newest) + 1
        numbered = [{"basefolder_id": first + i, **row} for i, row in enumerate(rows)]
        dj.Table.insert(base_folder, numbered)
    return [row["basefolder_id"] for row in numbered]


def complete(tables: Tables, row: Mapping[str, Any]) -> dict[str, Any]:
    """Check the inputs of one request and complete them to the columns of ``BaseFolder``.

    Raises
    ------
    InputError, PathError
    """
    _check_columns(row)
    imaging = tables.imaging
    place = resolve(str(row["path"]), tables.roots())
    completed = {
        "username": _known(imaging.User & {"is_active": True}, "username", row["username"]),
        "path": str(row["path"]),
        "repository_name": place.repository_name,
        "folder": place.path,
        **_animal(tables.mlims.Animal, row),
        "experiment_type": _known(imaging.ExperimentType, "experiment_type", row["experiment_type"]),
        "combined": _combined(row["combined"]),
        "setup": None,
        "scope_name": None,
        "ops_name": None,
        "register_uncurated": bool(row.get("register_uncurated", False)),
        "base_folder_note": row.get("base_folder_note") or "",
    }
    if row.get("setup"):
        completed["setup"] = _setup(imaging.Setup, row["setup"], completed["experiment_type"])
    for column, table in (("scope_name", imaging.Scope), ("ops_name", imaging.Suite2pyOps)):
        if row.get(column):
            completed[column] = _known(table, column, row[column])
    return completed


def _check_columns(row: Mapping[str, Any]) -> None:
    allowed = (*_REQUIRED, *_ANIMAL, *_OPTIONAL)
    unknown = [name for name in row if name not in allowed]
    if unknown:
        raise InputError(
            f"A request has no column {unknown[0]!r}",
            found=unknown[0],
            allowed=", ".join(near(unknown[0], allowed) or allowed),
            remedy="Correct the name.",
        )
    missing = [name for name in _REQUIRED if not row.get(name) and row.get(name) is not False]
    if not any(row.get(name) for name in ("animal", "animal_name", "animal_id")):
        missing.append("animal")
    if missing:
        raise InputError(
            f"The request lacks {', '.join(missing)}", found=", ".join(row), remedy="Give a value for each."
        )


def _combined(value: object) -> str:
    if not isinstance(value, (bool, str)) or value not in _COMBINED:
        raise InputError("combined is yes or no", found=repr(value), allowed="'yes', 'no', True, False")
    return _COMBINED[value]


def _known(table: Any, column: str, value: object) -> str:
    """Give the value if the table has it, else raise with those that look like it."""
    text = str(value)
    if table & {column: text}:
        return text
    known = [str(name) for name in table.to_arrays(column)]
    raise _not_known(column, text, known)


def _not_known(what: str, value: str, known: list[str]) -> InputError:
    shown = near(value, known) or sorted(known)[:10]
    return InputError(
        f"There is no {what} {value!r}",
        found=value,
        allowed=", ".join(shown) or "none is there yet",
        remedy="Take one that is there, or ask the administrator to add it.",
    )


def _setup(setups: Any, value: object, experiment_type: str) -> str:
    name = _known(setups, "setup_name", value)
    types = sorted({str(found) for found in (setups & {"setup_name": name}).to_arrays("experiment_type")})
    if experiment_type not in types:
        raise InputError(
            f"The setup {name} is not one for {experiment_type}",
            found=f"{name} is for {', '.join(types)}",
            remedy="Take another setup or another experiment type.",
        )
    return name


def _animal(animals: Any, row: Mapping[str, Any]) -> dict[str, Any]:
    value = str(row.get("animal") or row.get("animal_id") or row.get("animal_name"))
    candidates = animals()
    if row.get("datasource_id") is not None:
        candidates &= {"datasource_id": int(row["datasource_id"])}
    columns = [column for column in ("animal_id", "animal_name") if "animal" in row or column in row]
    keys = (candidates & [{column: value} for column in columns]).to_dicts()
    if not keys:
        names = [str(found) for column in columns for found in candidates.to_arrays(column)]
        raise _not_known("animal", value, names)
    if len(keys) > 1:
        raise InputError(
            f"The animal {value!r} is not one but {len(keys)}",
            found="; ".join(
                f"{key['animal_name']}: animal_id {key['animal_id']}, datasource_id {key['datasource_id']},"
                f" born {key['animal_dob']}"
                for key in keys
            ),
            remedy="Give the animal_id (and the datasource_id) of the one that you mean.",
        )
    return {name: keys[0][name] for name in ("animal_id", "datasource_id")}
