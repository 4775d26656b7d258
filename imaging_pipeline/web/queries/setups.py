"""Setups, their calibrations and parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from imaging_pipeline.errors import NothingFoundError
from imaging_pipeline.schemas.administer.setup_parts import PARTS
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.schemas.tables import Tables
from imaging_pipeline.web.paging import Paged, paged


@dataclass(frozen=True)
class StreamRow:
    """The meaning of a recorded line.

    Attributes
    ----------
    name
        Name of the line in the raw file.
    meaning
        Name of the signal in the database.
    polarity
        The edge that is the event.
    is_master
        Whether it starts and ends the clock.
    tolerance_s
        Difference that is cut.
    """

    name: str
    meaning: str
    polarity: str
    is_master: bool
    tolerance_s: float


@dataclass(frozen=True)
class SetupRow:
    """A calibration of a setup.

    Attributes
    ----------
    first_day
        The day from which it is valid.
    streams
        The meaning of each recorded line.
    parts
        Name of every other part that it has → columns of that part.
    """

    name: str
    first_day: date
    experiment_type: str
    note: str
    streams: tuple[StreamRow, ...]
    parts: Mapping[str, Mapping[str, Any]]


def setups(tables: Tables, number: int) -> Paged[SetupRow]:
    """Return a page of all calibrations, by setup, the newest first."""
    page = paged(tables.imaging.Setup(), number, order_by=("setup_name", "setup_date DESC"))
    return Paged(_with_parts(tables, list(page.rows)), page.number, page.has_next)


def setup(tables: Tables, name: str, day: str) -> SetupRow:
    """Return a calibration by its name and first day.

    Raises
    ------
    NothingFoundError
        There is none.
    """
    table = tables.imaging.Setup
    # Compared as text: the address may hold anything, and servers refuse what is not a date.
    rows = [row for row in (table & {"setup_name": name}).to_dicts() if str(row["setup_date"]) == day]
    if not rows:
        raise NothingFoundError(
            "There is no such calibration",
            found=f"{name} of {day}",
            remedy="Take one from the list.",
        )
    return _with_parts(tables, rows)[0]


def _with_parts(tables: Tables, rows: list[Row]) -> list[SetupRow]:
    table = tables.imaging.Setup
    keys = [_key(row) for row in rows]
    # A query for each kind of part, however many calibrations the page has.
    parts = {part: (getattr(table, part) & keys).to_dicts(order_by="KEY") for part in PARTS}
    return [
        SetupRow(
            row["setup_name"],
            row["setup_date"],
            row["experiment_type"],
            row["setup_note"],
            tuple(_stream(line) for line in parts["Sync"] if _key(line) == key),
            {
                part: {name: value for name, value in line.items() if name not in key}
                for part, lines in parts.items()
                for line in lines
                if part != "Sync" and _key(line) == key
            },
        )
        for row, key in zip(rows, keys, strict=True)
    ]


def _key(row: Row) -> Row:
    return {name: row[name] for name in ("setup_name", "setup_date")}


def _stream(row: Row) -> StreamRow:
    return StreamRow(
        row["sync_name"], row["generic_name"], row["polarity"], bool(row["master"]), row["tolerance"]
    )
