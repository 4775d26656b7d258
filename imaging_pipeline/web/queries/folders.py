"""Requests for folders, the newest first, and one of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from imaging_pipeline.errors import NothingFoundError, ParsedMessage, parse_message
from imaging_pipeline.explaining.states import JobState
from imaging_pipeline.schemas import plain_rows
from imaging_pipeline.schemas.register import history, pending_animals
from imaging_pipeline.schemas.register.history import PastRequest
from imaging_pipeline.schemas.table_names import job_table
from imaging_pipeline.schemas.tables import Tables
from imaging_pipeline.web.paging import PER_PAGE, Paged

# A finished job without its row is made again.
_OF_JOB = " ".join(
    f"WHEN job.status = '{state}' THEN '{state}'"
    for state in (JobState.ERROR, JobState.IGNORED, JobState.RUNNING)
)
_STATE = (
    f"CASE WHEN done.basefolder_id IS NOT NULL THEN '{JobState.DONE}' {_OF_JOB} ELSE '{JobState.PENDING}' END"
)


@dataclass(frozen=True)
class Filter:
    """Which requests are wanted; empty texts and None leave everything in.

    Attributes
    ----------
    username, state
        Whose, and how far they are.
    animal
        Name or identifier.
    first_day, last_day
        When they were made, both included.
    """

    username: str = ""
    animal: str = ""
    state: JobState | None = None
    first_day: date | None = None
    last_day: date | None = None


@dataclass(frozen=True)
class FolderRow:
    """A request as the list shows it.

    Attributes
    ----------
    number
        Its identifier.
    state
        How far it is.
    told
        Its error, or what it waits for; None where nothing is said.
    """

    number: int
    username: str
    path: str
    animal: str
    experiment_type: str
    combined: bool
    made: datetime
    state: JobState
    told: ParsedMessage | None


def requests(tables: Tables, wanted: Filter, number: int) -> Paged[FolderRow]:
    """Return a page of the requests, the newest first."""
    where, values = _conditions(wanted)
    asked, beside = tables.imaging.BaseFolder.full_table_name, _beside(tables)
    # What is shown is looked up only of what stands on the page.
    page = (
        f"SELECT asked.basefolder_id FROM {asked} AS asked {beside} {where}"
        f" ORDER BY asked.basefolder_id DESC LIMIT {PER_PAGE + 1} OFFSET {(number - 1) * PER_PAGE}"
    )
    question = (
        "SELECT asked.basefolder_id, asked.username, asked.path, animal.animal_name, asked.awaited_animal,"
        f" asked.experiment_type, asked.combined, asked.basefolder_entry_time, {_STATE} AS state,"
        f" job.error_message FROM ({page}) AS page"
        f" JOIN {asked} AS asked ON asked.basefolder_id = page.basefolder_id {beside}"
        " ORDER BY asked.basefolder_id DESC"
    )
    rows = [_shown(*row) for row in plain_rows.fetch(tables.connection, question, values)]
    return Paged(rows[:PER_PAGE], number, len(rows) > PER_PAGE)


def request(tables: Tables, number: int) -> PastRequest:
    """Return a request and what became of it.

    Raises
    ------
    NothingFoundError
        There is none of this number.
    """
    for found in history.numbered(tables, [number]):
        return found
    raise NothingFoundError(
        "There is no such request", found=number, remedy="Take one from the list of folders."
    )


def inputs_of(tables: Tables, number: int) -> dict[str, Any]:
    """Return a request as it was typed, to be made again.

    Raises
    ------
    NothingFoundError
        There is none of this number.
    """
    row = request(tables, number).request
    columns = (
        "username",
        "path",
        "experiment_type",
        "combined",
        "setup",
        "scope_name",
        "ops_name",
        "sessiontype",
    )
    kept = ("register_uncurated", "base_folder_note")
    animal = row["animal_id"] or pending_animals.said(row)
    return {"animal": animal, **{name: row[name] for name in (*columns, *kept)}}


def _beside(tables: Tables) -> str:
    """Return what is known beside each request; servers leave out of it what a query does not ask for."""
    done = tables.imaging.MakeDatasetSessions.full_table_name
    return (
        f"LEFT JOIN {tables.mlims.Animal.full_table_name} AS animal"
        " ON animal.animal_id = asked.animal_id AND animal.datasource_id = asked.datasource_id"
        f" LEFT JOIN {done} AS done ON done.basefolder_id = asked.basefolder_id"
        f" LEFT JOIN {job_table(done)} AS job ON job.basefolder_id = asked.basefolder_id"
    )


def _conditions(wanted: Filter) -> tuple[str, list[object]]:
    conditions: list[tuple[str, object]] = []
    if wanted.username:
        conditions.append(("asked.username = %s", wanted.username))
    if wanted.animal:
        conditions.append(("%s IN (animal.animal_name, animal.animal_id)", wanted.animal))
    if wanted.state is not None:
        conditions.append((f"{_STATE} = %s", str(wanted.state)))
    if wanted.first_day is not None:
        conditions.append(("asked.basefolder_entry_time >= %s", wanted.first_day))
    if wanted.last_day is not None:
        conditions.append(("asked.basefolder_entry_time < %s", wanted.last_day + timedelta(days=1)))
    text = " AND ".join(condition for condition, _ in conditions)
    return (f"WHERE {text}" if text else ""), [value for _, value in conditions]


def _shown(
    number: int,
    username: str,
    path: str,
    animal: str | None,
    awaited_animal: Any,
    experiment_type: str,
    combined: str,
    made: datetime,
    state: str,
    message: str | None,
) -> FolderRow:
    is_told = message and state != JobState.DONE
    return FolderRow(
        number,
        username,
        path,
        animal or pending_animals.said({"awaited_animal": plain_rows.from_json(awaited_animal)}),
        experiment_type,
        combined == "yes",
        made,
        JobState(state),
        parse_message(message) if is_told and message else None,
    )
