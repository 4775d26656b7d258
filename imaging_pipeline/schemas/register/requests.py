"""Requests: what a person typed, checked and completed to a row of ``BaseFolder``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from imaging_pipeline.errors import InputError, NotYetHereError, PathError, Responsible
from imaging_pipeline.experiments.registry import experiment_type
from imaging_pipeline.ingest.damaged_tifs import DamagedTifs
from imaging_pipeline.paths import RepositoryPath, Root, resolve
from imaging_pipeline.schemas import plain_rows
from imaging_pipeline.schemas.checked_rows import (
    exclusive,
    existing,
    next_number,
    refuse_long,
    refuse_unknown,
)
from imaging_pipeline.schemas.register import animals
from imaging_pipeline.schemas.register.consent import NO_CONSENT
from imaging_pipeline.schemas.table_changes import count_change
from imaging_pipeline.schemas.table_names import job_table
from imaging_pipeline.schemas.tables import Tables

_REQUIRED = ("username", "path", "experiment_type", "combined")
_OPTIONAL = (
    *("setup", "scope_name", "ops_name", "sessiontype", "register_uncurated", "damaged_tifs"),
    "base_folder_note",
)
_COMBINED = {True: "yes", False: "no", "yes": "yes", "no": "no"}


OnWait = Callable[[int, NotYetHereError], None]
"""Called with the identifier of a request whose animal is pending, and why it waits."""


def insert(
    tables: Tables,
    rows: Iterable[Mapping[str, Any]],
    *,
    consent: Mapping[str, int] | None = None,
    on_wait: OnWait = lambda number, reason: None,
) -> list[int]:
    """Check, complete and insert requests; all of them or none.

    Parameters
    ----------
    tables
        The database.
    rows
        Columns as ``BaseFolder.add`` takes them; ``animal_name``, or ``animal_id`` with
        ``datasource_id``, serve for ``animal``.
    consent
        Full name of a table → the most rows of it that may be deleted; by default all that is out of date.
    on_wait
        Called for each request that waits for its animal.

    Returns
    -------
    list of int
        The identifiers of the requests.
    """
    completion = Completion(tables)
    completed = [{**completion.complete(row), "consent": consent} for row in rows]
    # All are checked before any is inserted.
    numbers = _append(tables, completed)
    for number, row in zip(numbers, completed, strict=True):
        reason = completion.why_waiting(row)
        if reason is not None:
            on_wait(number, reason)
    return numbers


def copy(tables: Tables, base_folder: Mapping[str, Any], *, note: str) -> int:
    """Insert a request like an earlier one, whose row is given, and return its identifier.

    The consent to the earlier one is not consent to this one, which a program makes: it deletes nothing.
    """
    # The animal is here by now, so that the copy awaits none.
    own = ("basefolder_id", "basefolder_entry_time", "awaited_animal")
    copied = {name: value for name, value in base_folder.items() if name not in own}
    return _append(tables, [{**copied, "base_folder_note": note, "consent": NO_CONSENT}])[0]


def _append(tables: Tables, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Insert complete rows under the next identifiers; other processes that insert wait."""
    with exclusive(tables):
        first = next_request(tables)
        numbered = [{"basefolder_id": first + i, **row} for i, row in enumerate(rows)]
        # Not by the table class, whose `insert` calls this module.
        plain_rows.insert(tables.imaging.BaseFolder, numbered)
        count_change(tables.imaging.TableChange, tables.imaging.BaseFolder)
    return [row["basefolder_id"] for row in numbered]


def next_request(tables: Tables) -> int:
    """Return the identifier of the next request."""
    # The number of a deleted request is not used again: its job may still be there.
    jobs = job_table(tables.full_name(tables.imaging.MakeDatasetSessions))
    return next_number(tables, "basefolder_id", tables.full_name(tables.imaging.BaseFolder), jobs)


class Completion:
    """Checks the inputs of requests, and completes them to the columns of ``BaseFolder``.

    Values that several requests have in common are looked up once.
    """

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._results: dict[str, Any] = {}

    def complete(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Check and complete one request.

        Raises
        ------
        InputError, PathError
            A value is missing, unknown or not allowed, or the folder is in no repository.
        """
        _check_columns(row)
        imaging = self._tables.imaging
        location = _folder(str(row["path"]), self._once("roots", self._tables.roots))
        completed = {
            "username": self._existing(imaging.User & {"is_active": True}, "username", row),
            "path": str(row["path"]),
            "repository_name": location.repository_name,
            "folder": location.path,
            **self._animal(row),
            "experiment_type": self._existing(imaging.ExperimentType, "experiment_type", row),
            "combined": _combined(row["combined"]),
            "setup": None,
            "scope_name": None,
            "ops_name": None,
            "sessiontype": None,
            "register_uncurated": _truth(row.get("register_uncurated", False)),
            "damaged_tifs": _damaged_tifs(row.get("damaged_tifs") or DamagedTifs.REFUSE),
            "base_folder_note": row.get("base_folder_note") or "",
        }
        refuse_long(imaging.BaseFolder, completed, "path", "folder", error=PathError)
        refuse_long(imaging.BaseFolder, completed, "base_folder_note")
        _check_combinable(completed)
        _check_damaged(completed)
        if row.get("setup"):
            completed["setup"] = _setup(imaging.Setup, row["setup"], completed["experiment_type"])
        named = {
            "scope_name": imaging.Scope,
            "ops_name": imaging.Suite2pyOps,
            "sessiontype": imaging.SessionType,
        }
        for column, table in named.items():
            if row.get(column):
                completed[column] = self._existing(table, column, row)
        return completed

    def _existing(self, table: Any, column: str, row: Mapping[str, Any]) -> str:
        value = row[column]
        look_up = partial(existing, table, column, value, responsible=Responsible.EXPERIMENTER)
        return str(self._once(f"{column} {value!r}", look_up))

    def _animal(self, row: Mapping[str, Any]) -> dict[str, Any]:
        typed = animals.typed(row)
        keys = self._once(f"animal {typed!r}", partial(animals.matching, self._tables, typed))
        if len(keys) == 1:
            return {**keys[0], "awaited_animal": None}
        reason = self._once(f"missing {typed!r}", partial(animals.missing_animal, self._tables, typed))
        if not isinstance(reason, NotYetHereError):
            raise reason
        return {"animal_id": None, "datasource_id": None, "awaited_animal": typed}

    def why_waiting(self, completed: Mapping[str, Any]) -> NotYetHereError | None:
        """Return why a completed request has to wait for its animal; None where it need not."""
        return self._results.get(f"missing {completed['awaited_animal']!r}")

    def _once(self, name: str, look_up: Callable[[], Any]) -> Any:
        if name not in self._results:
            self._results[name] = look_up()
        return self._results[name]


def _check_columns(row: Mapping[str, Any]) -> None:
    if not isinstance(row, Mapping):
        raise InputError(
            "A request is no dictionary", found=repr(row), remedy='Give {"username": "anna", "path": …, …}.'
        )
    allowed = (*_REQUIRED, *animals.TYPED, *_OPTIONAL)
    refuse_unknown(row, allowed, what="A request", responsible=Responsible.EXPERIMENTER)
    # `combined` may be False.
    missing = [name for name in _REQUIRED if not row.get(name) and row.get(name) is not False]
    if not any(row.get(name) for name in ("animal", "animal_name", "animal_id")):
        missing.append("animal")
    if missing:
        raise InputError(
            f"The request lacks {', '.join(missing)}",
            found=", ".join(name for name, value in row.items() if value not in (None, "")) or "nothing",
            remedy="Give a value for each.",
            field=missing[0],
        )


def _folder(typed: str, roots: Sequence[Root]) -> RepositoryPath:
    """Resolve the path of a folder; a whole repository is refused, since it holds many recordings."""
    location = resolve(typed, roots)
    if not location.path:
        raise PathError(
            "The path is that of a whole repository, not of a recording's folder",
            path=typed,
            found=f"the repository '{location.repository_name}'",
            allowed="a folder below it",
            remedy="give the folder in which the files of the recording lie.",
            field="path",
        )
    return location


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise InputError(
            "register_uncurated is True or False",
            found=repr(value),
            allowed="True, False",
            remedy="Say True or False.",
            field="register_uncurated",
        )
    return value


def _combined(value: object) -> str:
    # The type is checked as well, because 1 equals True and would be found.
    if not isinstance(value, (bool, str)) or value not in _COMBINED:
        raise InputError(
            "combined is yes or no",
            found=repr(value),
            allowed="'yes', 'no', True, False",
            remedy="Say yes or no.",
            field="combined",
        )
    return _COMBINED[value]


def _check_combinable(row: Mapping[str, Any]) -> None:
    name = row["experiment_type"]
    reason = experiment_type(name).refuses_combined
    if reason and row["combined"] == "yes":
        raise InputError(
            f"Sessions of {name} are not combined: {reason}",
            found="combined = yes",
            allowed="combined = no",
            remedy="Request the folder with combined = no.",
            field="combined",
        )


def _damaged_tifs(value: object) -> str:
    if value not in list(DamagedTifs):
        raise InputError(
            "damaged_tifs says what becomes of a tif that is damaged",
            found=repr(value),
            allowed=", ".join(map(repr, map(str, DamagedTifs))),
            remedy="Say one of these.",
            field="damaged_tifs",
        )
    return str(value)


def _check_damaged(row: Mapping[str, Any]) -> None:
    name = row["experiment_type"]
    reason = experiment_type(name).refuses_damaged
    if reason and row["damaged_tifs"] != DamagedTifs.REFUSE:
        raise InputError(
            f"Damaged tifs of {name} are neither cut nor left out: {reason}",
            found=f"damaged_tifs = {row['damaged_tifs']}",
            allowed=f"damaged_tifs = {DamagedTifs.REFUSE}",
            remedy="Request the folder with the default, and export tifs that are damaged again.",
            field="damaged_tifs",
        )


def _setup(setups: Any, value: object, experiment_type: str) -> str:
    name = existing(setups, "setup_name", value, responsible=Responsible.EXPERIMENTER, field="setup")
    types = sorted({str(found) for found in (setups & {"setup_name": name}).to_arrays("experiment_type")})
    if experiment_type not in types:
        raise InputError(
            f"The setup {name} is not one for {experiment_type}",
            found=f"{name} is for {', '.join(types)}",
            remedy="Take another setup or another experiment type.",
            field="setup",
        )
    return name
