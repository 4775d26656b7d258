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

# Rows say what is finished. A finished job whose row was purged is made again, so it counts as pending.
_OF_JOB = " ".join(
    f"WHEN job.status = '{state}' THEN '{state}'"
    for state in (JobState.ERROR, JobState.IGNORED, JobState.RUNNING)
)
_STATE = (
    f"CASE WHEN done.basefolder_id IS NOT NULL THEN '{JobState.DONE}' {_OF_JOB} ELSE '{JobState.PENDING}' END"
)


@dataclass(frozen=True)
class Criteria:
    """Which requests to list; empty texts and None do not restrict.

    Attributes
    ----------
    username, state
        Who made them, and their state.
    animal
        Name or identifier.
    first_day, last_day
        Days on which they were made, both included.
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
        Its ``basefolder_id``.
    made
        By the server's clock.
    message
        Its error, or what it waits for; None where there is neither.
    """

    number: int
    username: str
    path: str
    animal: str
    experiment_type: str
    combined: bool
    made: datetime
    state: JobState
    message: ParsedMessage | None


def requests(tables: Tables, criteria: Criteria, page_number: int) -> Paged[FolderRow]:
    """Return a page of the requests, the newest first."""
    where, values = _conditions(criteria)
    base_folder, joined = tables.imaging.BaseFolder.full_table_name, _joined(tables)
    # Selected first: all other columns are read only for the rows of this page.
    page = (
        f"SELECT request.basefolder_id FROM {base_folder} AS request {joined} {where}"
        # One row more than is shown says whether there is another page.
        f" ORDER BY request.basefolder_id DESC LIMIT {PER_PAGE + 1} OFFSET {(page_number - 1) * PER_PAGE}"
    )
    query = (
        "SELECT request.basefolder_id, request.username, request.path, animal.animal_name,"
        " request.awaited_animal,"
        f" request.experiment_type, request.combined, request.basefolder_entry_time, {_STATE} AS state,"
        f" job.error_message FROM ({page}) AS page"
        f" JOIN {base_folder} AS request ON request.basefolder_id = page.basefolder_id {joined}"
        " ORDER BY request.basefolder_id DESC"
    )
    rows = [_row(*row) for row in plain_rows.fetch(tables.connection, query, values)]
    return Paged(rows[:PER_PAGE], page_number, len(rows) > PER_PAGE)


def request(tables: Tables, number: int) -> PastRequest:
    """Return a request and its result.

    Raises
    ------
    NothingFoundError
        There is none of this number.
    """
    for past_request in history.numbered(tables, [number]):
        return past_request
    raise NothingFoundError(
        "There is no such request", found=number, remedy="Take one from the list of folders."
    )


def inputs_of(tables: Tables, number: int) -> dict[str, Any]:
    """Return the inputs of a request, so that it can be made again.

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
        "register_uncurated",
        "damaged_tifs",
        "base_folder_note",
    )
    animal = row["animal_id"] or pending_animals.typed_name(row)
    return {"animal": animal, **{name: row[name] for name in columns}}


def _joined(tables: Tables) -> str:
    """Return the joins to animal, result and job; servers skip those of which a query uses no column."""
    done = tables.imaging.MakeDatasetSessions.full_table_name
    return (
        f"LEFT JOIN {tables.mlims.Animal.full_table_name} AS animal"
        " ON animal.animal_id = request.animal_id AND animal.datasource_id = request.datasource_id"
        f" LEFT JOIN {done} AS done ON done.basefolder_id = request.basefolder_id"
        f" LEFT JOIN {job_table(done)} AS job ON job.basefolder_id = request.basefolder_id"
    )


def _conditions(criteria: Criteria) -> tuple[str, list[object]]:
    conditions: list[tuple[str, object]] = []
    if criteria.username:
        conditions.append(("request.username = %s", criteria.username))
    if criteria.animal:
        conditions.append(("%s IN (animal.animal_name, animal.animal_id)", criteria.animal))
    if criteria.state is not None:
        conditions.append((f"{_STATE} = %s", str(criteria.state)))
    if criteria.first_day is not None:
        conditions.append(("request.basefolder_entry_time >= %s", criteria.first_day))
    if criteria.last_day is not None:
        conditions.append(("request.basefolder_entry_time < %s", criteria.last_day + timedelta(days=1)))
    text = " AND ".join(condition for condition, _ in conditions)
    return (f"WHERE {text}" if text else ""), [value for _, value in conditions]


def _row(
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
    has_message = message and state != JobState.DONE
    return FolderRow(
        number,
        username,
        path,
        animal or pending_animals.typed_name({"awaited_animal": plain_rows.from_json(awaited_animal)}),
        experiment_type,
        combined == "yes",
        made,
        JobState(state),
        parse_message(message) if has_message and message else None,
    )
