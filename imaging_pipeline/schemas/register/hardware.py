"""Setup and scope of the MetaSessions of a request."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from imaging_pipeline.errors import InputError
from imaging_pipeline.ingest.folder_changes import FolderChanges
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.schemas.register.folder_request import FolderRequest
from imaging_pipeline.schemas.tables import Tables

# Part table of ``MetaSession`` → its column, and the field of the request.
_PARTS = {"Setup": ("setup_name", "setup"), "Scope": ("scope_name", "scope_name")}


@dataclass(frozen=True)
class HardwareNotes:
    """The setup and scope that are noted.

    Attributes
    ----------
    rows
        Name of a part table of ``MetaSession``, and a row to insert into it.
    findings
        What a person should know.
    """

    rows: tuple[tuple[str, Row], ...]
    findings: tuple[str, ...]


def hardware_notes(tables: Tables, request: FolderRequest, changes: FolderChanges) -> HardwareNotes:
    """Return setup and scope of MetaSessions that have none yet; where others are noted, a finding says so.

    Raises
    ------
    InputError
        The setup has no calibration for the day.
    """
    rows: list[tuple[str, Row]] = []
    findings = []
    for name in changes.metasession_names:
        key = {"metasession_name": name}
        for part, (column, field) in _PARTS.items():
            requested = getattr(request, field)
            if not requested:
                continue
            noted = (getattr(tables.imaging.MetaSession, part) & key).to_arrays(column).tolist()
            if not noted:
                days = (
                    {"setup_date": _calibration(tables, requested, name, changes)} if part == "Setup" else {}
                )
                rows.append((part, {**key, column: requested, **days}))
            elif requested not in noted:
                findings.append(
                    f"MetaSession {name} stays with the {column} {noted[0]}, although the"
                    f" request says {requested}"
                )
    return HardwareNotes(tuple(rows), tuple(findings))


def _calibration(tables: Tables, setup_name: str, metasession_name: str, changes: FolderChanges) -> date:
    """Return the newest calibration of the setup that is not after the start of the first session."""
    day = min(_days(tables, metasession_name, changes))
    calibrations = tables.imaging.Setup & {"setup_name": setup_name}
    dates: list[date] = sorted(calibrations.to_arrays("setup_date").tolist())
    before = [date for date in dates if date <= day]
    if not before:
        raise InputError(
            f"The setup {setup_name} has no calibration for the day of the recording",
            found=f"recorded on {day}, calibrated on {', '.join(str(date) for date in dates)}",
            remedy=f"Add a calibration of {setup_name} with a date not after {day}.",
            field="setup",
        )
    return before[-1]


def _days(tables: Tables, metasession_name: str, changes: FolderChanges) -> Iterator[date]:
    """Yield the days of all sessions that the MetaSession has or gets."""
    registered = tables.imaging.Session & {"metasession_name": metasession_name}
    yield from (start.date() for start in registered.to_arrays("session_timestamp").tolist())
    for each in changes.sessions:
        if each.metasession_name == metasession_name:
            yield each.session.start.date()
