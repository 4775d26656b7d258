"""Requests whose animal is not in the database yet: they wait, and are carried out when it is."""

from __future__ import annotations

import warnings
from typing import Any

from imaging_pipeline.errors import InputError, NotYetHereError, PipelineError
from imaging_pipeline.schemas import plain_rows
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.schemas.register import animals
from imaging_pipeline.schemas.table_changes import count_change
from imaging_pipeline.schemas.table_names import job_table
from imaging_pipeline.schemas.tables import Tables

_IS_PENDING = "animal_id IS NULL"


class PendingAnimalWarning(UserWarning):
    """A request was made, but cannot be carried out before its animal is in the database."""


def pending(base_folder: Any) -> Any:
    """Return the requests of the table ``BaseFolder`` whose animal is pending."""
    return base_folder & _IS_PENDING


def ready(base_folder: Any) -> Any:
    """Return the requests of the table ``BaseFolder`` whose animal is in the database."""
    return base_folder & f"NOT {_IS_PENDING}"


def resolve_pending(tables: Tables) -> tuple[int, ...]:
    """Fill in the animals that have come since, and return the identifiers of their requests."""
    base_folder = tables.imaging.BaseFolder
    resolved = []
    withdrawn = _withdrawn(tables)
    for request in pending(base_folder).to_dicts(order_by="basefolder_id"):
        keys = animals.matching(tables, request["awaited_animal"])
        # A later request takes its place, so that a misspelt name does not come true when an animal gets it.
        is_valid = request["basefolder_id"] not in withdrawn and _successor(tables, request) is None
        # Where several animals have the name, a person has to say which; `why_waiting` tells them.
        if len(keys) == 1 and is_valid:
            base_folder.update1({"basefolder_id": request["basefolder_id"], **keys[0]})
            resolved.append(int(request["basefolder_id"]))
    if resolved:
        count_change(tables.imaging.TableChange, base_folder)
    return tuple(resolved)


def why_waiting(tables: Tables, request: Row) -> PipelineError | None:
    """Return why a request is pending; None where its animal is in the database, or where it is withdrawn.

    Returns
    -------
    PipelineError or None
        `NotYetHereError` where the animal may still come; else what the experimenter has to do.
    """
    if request["animal_id"] is not None or request["basefolder_id"] in _withdrawn(tables):
        return None
    later = _successor(tables, request)
    if later is not None:
        return InputError(
            f"Request {later} for the same folder names another animal, and took the place of this one",
            found=f"the animal {typed_name(request)!r} was not here",
            remedy="Nothing.",
        )
    return animals.missing_animal(tables, request["awaited_animal"])


def warn(number: int, reason: NotYetHereError, *, stacklevel: int) -> None:
    """Warn that a request waits; ``stacklevel`` is that of the caller who made it, counted from here."""
    warnings.warn(f"Request {number} waits. {reason}", PendingAnimalWarning, stacklevel=stacklevel)


def typed_name(request: Row) -> str:
    """Return the name of the animal of a pending request, as it was typed."""
    typed = request["awaited_animal"]
    return str(next(typed[name] for name in animals.TYPED if name in typed))


def _withdrawn(tables: Tables) -> set[int]:
    """Return the identifiers of withdrawn requests, whose jobs are ignored."""
    jobs = job_table(tables.full_name(tables.imaging.MakeDatasetSessions))
    statement = f"SELECT basefolder_id FROM {jobs} WHERE status = 'ignore'"
    return {int(number) for (number,) in plain_rows.fetch(tables.connection, statement)}


def _successor(tables: Tables, request: Row) -> int | None:
    """Return a later request for the same folder that names another animal."""
    location = {name: request[name] for name in ("repository_name", "folder")}
    later = tables.imaging.BaseFolder & location & f"basefolder_id > {int(request['basefolder_id'])}"
    rows = later.proj("animal_id", "awaited_animal").to_dicts(order_by="basefolder_id")
    others = (row for row in rows if row["awaited_animal"] != request["awaited_animal"])
    return next((int(row["basefolder_id"]) for row in others), None)
