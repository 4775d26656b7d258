"""What every request for a folder or a session did, when, and who made it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from imaging_pipeline.choices import near, with_alike
from imaging_pipeline.errors import InputError
from imaging_pipeline.explaining.states import JobState
from imaging_pipeline.paths import clean
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.schemas.register import pending_animals
from imaging_pipeline.schemas.register.named_sessions import requests_for_folder
from imaging_pipeline.schemas.register.report import Report
from imaging_pipeline.schemas.tables import Tables

_PARTS = ("Session", "Dataset", "File", "Output", "Purge", "Finding", "JobReset")


@dataclass(frozen=True)
class PastRequest:
    """A request and what became of it.

    Attributes
    ----------
    request
        Its row of ``BaseFolder``, with ``animal_name``, which is what was typed while no such animal is
        here.
    state
        How far it is.
    message
        What it waits for, or its error; empty where nothing is said.
    report
        What it did, where it is done.
    """

    request: Row
    state: JobState
    message: str
    report: Report | None


def history(tables: Tables, wanted: str) -> tuple[PastRequest, ...]:
    """Return the requests that a folder was looked at by, or that met a session, in their order.

    Parameters
    ----------
    tables
        The database.
    wanted
        A folder as typed, or below its repository; the name of a session, of a MetaSession or of a
        timeseries.

    Raises
    ------
    InputError
        No request is known of it; tells what looks like it.
    """
    numbers = requests_for_folder(tables, wanted) | _of_session(tables, wanted)
    if not numbers:
        raise _unknown(tables, wanted)
    return numbered(tables, numbers)


def numbered(tables: Tables, numbers: Iterable[int]) -> tuple[PastRequest, ...]:
    """Return requests by their identifiers, as far as they are there, and what became of each."""
    keys = [{"basefolder_id": number} for number in numbers]
    requests = (tables.imaging.BaseFolder & keys).join(tables.mlims.Animal.proj("animal_name"), left=True)
    rows = requests.to_dicts(order_by="basefolder_id")
    return tuple(_past(tables, row) for row in rows)


def not_carried_out(tables: Tables, repository_name: str, folders: Iterable[str]) -> tuple[int, ...]:
    """Return the identifiers of requests for a folder, in any of its spellings, that are yet to be done."""
    done = tables.imaging.MakeDatasetSessions
    places = [{"repository_name": repository_name, "folder": folder} for folder in folders]
    left = (tables.imaging.BaseFolder & places & f"NOT {pending_animals.WAITS}") - done.proj()
    given_up = done.jobs & [{"status": status} for status in ("error", "ignore")]
    numbers = set(left.to_arrays("basefolder_id").tolist())
    return tuple(sorted(numbers - set(given_up.to_arrays("basefolder_id").tolist())))


def _of_session(tables: Tables, wanted: str) -> set[int]:
    columns = ("reported_session", "reported_metasession", "reported_timeseries")
    met = tables.imaging.MakeDatasetSessions.Session & [{column: clean(wanted)} for column in columns]
    return {int(number) for number in met.to_arrays("basefolder_id")}


def _past(tables: Tables, request: Row) -> PastRequest:
    reason = pending_animals.why_waiting(tables, request)
    if request["animal_id"] is None:
        request = {**request, "animal_name": pending_animals.said(request)}
    if reason is not None:
        return PastRequest(request, JobState.PENDING, str(reason), None)
    done = tables.imaging.MakeDatasetSessions
    key = {"basefolder_id": request["basefolder_id"]}
    rows = (done & key).to_dicts()
    if rows:
        parts = {name: (getattr(done, name) & key).to_dicts(order_by="KEY") for name in _PARTS}
        return PastRequest(request, JobState.DONE, "", Report(rows[0], parts))
    jobs = (done.jobs & key).to_dicts()
    if not jobs:
        return PastRequest(request, JobState.PENDING, "", None)
    # A finished job without its row is made again.
    state = JobState(jobs[0]["status"])
    state = JobState.PENDING if state is JobState.DONE else state
    return PastRequest(request, state, jobs[0]["error_message"], None)


def _unknown(tables: Tables, wanted: str) -> InputError:
    known = {
        *map(str, tables.imaging.BaseFolder().to_arrays("folder")),
        *map(str, tables.imaging.MakeDatasetSessions.Session().to_arrays("reported_timeseries")),
    }
    return InputError(
        "No request is known of this folder or session",
        found=with_alike(wanted, near(wanted.replace("\\", "/"), known)),
        remedy="give a folder that was added, or the name of a session or timeseries.",
    )
