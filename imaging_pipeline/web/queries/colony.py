"""Comparisons with the colony system, and what they changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from imaging_pipeline.errors import NothingFoundError, ParsedMessage, parse_message
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.schemas.tables import Tables
from imaging_pipeline.web.paging import Paged, paged


@dataclass(frozen=True)
class RunRow:
    """A comparison.

    Attributes
    ----------
    number
        In order of time.
    source, host
        The source of animals, and the machine that compared with it.
    began
        By the server's clock.
    duration_s
        None while it runs.
    message
        Why it failed; None where it succeeded.
    """

    number: int
    source: str
    host: str
    began: datetime
    duration_s: float | None
    message: ParsedMessage | None
    num_animals: int
    num_added: int
    num_changed: int
    num_gone: int
    num_returned: int
    num_rows_skipped: int


@dataclass(frozen=True)
class FieldRow:
    """A changed value of an animal; None means no value."""

    animal: str
    name: str
    field: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class SkippedRow:
    """A row of the source that was skipped, and why."""

    row: str
    animal: str
    what: str
    found: str
    allowed: str


def runs(tables: Tables, number: int) -> Paged[RunRow]:
    """Return a page of the comparisons, the newest first."""
    return paged(tables.mlims.Sync(), number, order_by="sync_id DESC").map(_run)


def run(tables: Tables, number: int) -> RunRow:
    """Return a comparison.

    Raises
    ------
    NothingFoundError
        There is none of this number.
    """
    for row in (tables.mlims.Sync & {"sync_id": number}).to_dicts():
        return _run(row)
    raise NothingFoundError("There is no such comparison", found=number, remedy="Take one from the list.")


def fields(tables: Tables, number: int, page: int) -> Paged[FieldRow]:
    """Return a page of the values that a comparison changed."""
    changed = paged(tables.mlims.Sync.Change & {"sync_id": number}, page, order_by="change_number")
    keys = [
        {"animal_id": row["changed_animal"], "datasource_id": row["changed_datasource"]}
        for row in changed.rows
    ]
    animals = (tables.mlims.Animal & keys).proj("animal_name").to_dicts()
    names = {(row["animal_id"], row["datasource_id"]): row["animal_name"] for row in animals}
    return changed.map(lambda row: _field(row, names))


def skipped(tables: Tables, number: int) -> list[SkippedRow]:
    """Return the rows that a comparison skipped; only those of the newest comparison are stored."""
    rows = (tables.mlims.Sync.Problem & {"sync_id": number}).to_dicts(order_by="problem_number")
    columns = ("row", "animal", "what", "found", "allowed")
    return [SkippedRow(*(row[f"problem_{column}"] for column in columns)) for row in rows]


def _run(row: Row) -> RunRow:
    return RunRow(
        number=row["sync_id"],
        source=row["sync_source"],
        host=row["sync_host"],
        began=row["sync_started"],
        duration_s=row["sync_duration_s"],
        message=parse_message(row["sync_error"]) if row["sync_error"] else None,
        **{name: row[name] for name in row if name.startswith("num_")},
    )


def _field(row: Row, names: Mapping[tuple[str, int], str]) -> FieldRow:
    return FieldRow(
        row["changed_animal"],
        names.get((row["changed_animal"], row["changed_datasource"]), ""),
        row["changed_field"],
        row["value_before"],
        row["value_after"],
    )
