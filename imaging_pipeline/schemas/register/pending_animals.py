"""Requests for an animal that is not here yet: they wait, and are carried out when it is."""

from __future__ import annotations

import warnings

from imaging_pipeline.errors import InputError, NotYetHereError, PipelineError
from imaging_pipeline.schemas import plain_rows
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.schemas.register import animals
from imaging_pipeline.schemas.table_changes import count_change
from imaging_pipeline.schemas.table_names import job_table
from imaging_pipeline.schemas.tables import Tables

WAITS = "animal_id IS NULL"


class AwaitedAnimalWarning(UserWarning):
    """A request was made, but cannot be carried out before its animal is here."""


def take_up(tables: Tables) -> tuple[int, ...]:
    """Fill in the animals that are here by now, and give the identifiers of their requests."""
    base_folder = tables.imaging.BaseFolder
    taken_up = []
    withdrawn = _withdrawn(tables)
    for request in (base_folder & WAITS).to_dicts(order_by="basefolder_id"):
        keys = animals.matching(tables, request["awaited_animal"])
        is_wanted = request["basefolder_id"] not in withdrawn and _successor(tables, request) is None
        if len(keys) == 1 and is_wanted:
            base_folder.update1({"basefolder_id": request["basefolder_id"], **keys[0]})
            taken_up.append(int(request["basefolder_id"]))
    if taken_up:
        count_change(tables.imaging.TableChange, base_folder)
    return tuple(taken_up)


def why_waiting(tables: Tables, request: Row) -> PipelineError | None:
    """Return what a request waits for that has no animal yet; None for one that has, or that is withdrawn.

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
            found=f"the animal {said(request)!r} was not here",
            remedy="Nothing.",
        )
    return animals.refusal(tables, request["awaited_animal"])


def warn(number: int, reason: NotYetHereError, *, stacklevel: int) -> None:
    """Warn that a request waits; ``stacklevel`` is that of who made it, seen from here."""
    warnings.warn(f"Request {number} waits. {reason}", AwaitedAnimalWarning, stacklevel=stacklevel)


def said(request: Row) -> str:
    """Return what was typed of the animal of a request that waits."""
    typed = request["awaited_animal"]
    return str(next(typed[name] for name in animals.TYPED if name in typed))


def _withdrawn(tables: Tables) -> set[int]:
    """Return the requests that are left alone."""
    jobs = job_table(tables.full_name(tables.imaging.MakeDatasetSessions))
    question = f"SELECT basefolder_id FROM {jobs} WHERE status = 'ignore'"
    return {int(number) for (number,) in plain_rows.fetch(tables.connection, question)}


def _successor(tables: Tables, request: Row) -> int | None:
    """Return a later request for the same folder that says another animal."""
    place = {name: request[name] for name in ("repository_name", "folder")}
    later = tables.imaging.BaseFolder & place & f"basefolder_id > {int(request['basefolder_id'])}"
    rows = later.proj("animal_id", "awaited_animal").to_dicts(order_by="basefolder_id")
    others = (row for row in rows if row["awaited_animal"] != request["awaited_animal"])
    return next((int(row["basefolder_id"]) for row in others), None)
