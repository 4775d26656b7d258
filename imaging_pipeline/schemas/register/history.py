"""Past requests for a folder or a session: who made each, when, and what it did."""

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
        Its row of ``BaseFolder``, with ``animal_name``; for a pending animal that is what was typed.
    state
        Its state.
    message
        What it waits for, or its error; may be empty.
    report
        What it did; None unless it is done.
    """

    request: Row
    state: JobState
    message: str
    report: Report | None


def history(tables: Tables, typed: str) -> tuple[PastRequest, ...]:
    """Return the requests for a folder, or those that registered a session, in their order.

    Parameters
    ----------
    tables
        The database.
    typed
        A folder as typed, or below its repository; the name of a session, of a MetaSession or of a
        timeseries.

    Raises
    ------
    InputError
        There is no such request; the error names what looks like the text.
    """
    numbers = requests_for_folder(tables, typed) | _of_session(tables, typed)
    if not numbers:
        raise _unknown(tables, typed)
    return numbered(tables, numbers)


def numbered(tables: Tables, numbers: Iterable[int]) -> tuple[PastRequest, ...]:
    """Return requests by their identifiers, without those that do not exist."""
    keys = [{"basefolder_id": number} for number in numbers]
    # A left join, because a request whose animal is pending has none.
    requests = (tables.imaging.BaseFolder & keys).join(tables.mlims.Animal.proj("animal_name"), left=True)
    rows = requests.to_dicts(order_by="basefolder_id")
    return tuple(_past(tables, row) for row in rows)


def not_carried_out(tables: Tables, repository_name: str, folders: Iterable[str]) -> tuple[int, ...]:
    """Return the identifiers of waiting requests for a folder, which may have several spellings."""
    done = tables.imaging.MakeDatasetSessions
    spellings = [{"repository_name": repository_name, "folder": folder} for folder in folders]
    left = (pending_animals.ready(tables.imaging.BaseFolder) & spellings) - done.proj()
    given_up = done.jobs & [{"status": status} for status in ("error", "ignore")]
    numbers = set(left.to_arrays("basefolder_id").tolist())
    return tuple(sorted(numbers - set(given_up.to_arrays("basefolder_id").tolist())))


def _of_session(tables: Tables, typed: str) -> set[int]:
    columns = ("reported_session", "reported_metasession", "reported_timeseries")
    reported = tables.imaging.MakeDatasetSessions.Session & [{column: clean(typed)} for column in columns]
    return {int(number) for number in reported.to_arrays("basefolder_id")}


def _past(tables: Tables, request: Row) -> PastRequest:
    reason = pending_animals.why_waiting(tables, request)
    if request["animal_id"] is None:
        request = {**request, "animal_name": pending_animals.typed_name(request)}
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


def _unknown(tables: Tables, typed: str) -> InputError:
    existing = {
        *map(str, tables.imaging.BaseFolder().to_arrays("folder")),
        *map(str, tables.imaging.MakeDatasetSessions.Session().to_arrays("reported_timeseries")),
    }
    return InputError(
        "No request is known of this folder or session",
        found=with_alike(typed, near(typed.replace("\\", "/"), existing)),
        remedy="give a folder that was added, or the name of a session or timeseries.",
    )
