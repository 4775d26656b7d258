"""Which schema version a database has, and whether this program works with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from imaging_pipeline.errors import OtherVersionError
from imaging_pipeline.schemas.plain_rows import fetch
from imaging_pipeline.schemas.tables import Tables, schema_name

SCHEMA_VERSION = 4
"""Stored when a database is initialised or upgraded. A program of another number refuses its tables."""

UPGRADE_COMMAND = "imaging-pipeline upgrade"


@dataclass(frozen=True)
class StoredVersion:
    """The schema version of a database.

    Attributes
    ----------
    number
        The version; while an upgrade is going on it is the one after it.
    is_unfinished
        Whether an upgrade goes on, or was interrupted.
    """

    number: int
    is_unfinished: bool = False


def table_names(connection: Any, database: str) -> set[str]:
    """Return the names of the tables of a schema, as the server has them."""
    query = "SELECT table_name FROM information_schema.tables WHERE table_schema = %s"
    return {str(name) for (name,) in fetch(connection, query, (database,))}


def stored_version(tables: Tables) -> StoredVersion | None:
    """Return the version of a database; None where it is not initialised."""
    imaging = tables.imaging
    stored = table_names(tables.connection, schema_name(tables.config, "imaging"))
    if imaging.Lab.table_name not in stored:
        return None
    number = _number(tables)
    if number is None:
        return None
    has_upgrades = imaging.Upgrade.table_name in stored
    return StoredVersion(number, has_upgrades and bool(imaging.Upgrade & "upgrade_finished IS NULL"))


def check_version(tables: Tables) -> None:
    """Raise `OtherVersionError` for tables of another version, before any of this one is declared there.

    Raises
    ------
    OtherVersionError
        The tables are older or newer than this program, or their upgrade has not come to its end.
    """
    stored = stored_version(tables)
    if stored is None:
        return
    if stored.number != SCHEMA_VERSION:
        raise other_version(tables, stored.number)
    if stored.is_unfinished:
        raise OtherVersionError(
            "The upgrade of the database's tables is not finished",
            path=tables.config.path,
            found=f"schema version {stored.number}, not all of it",
            allowed=f"schema version {SCHEMA_VERSION}",
            remedy=f"Wait for it; where it was interrupted, run again: {UPGRADE_COMMAND}",
        )


def check_version_is_still_ours(tables: Tables) -> None:
    """Raise `OtherVersionError` where the database was upgraded since it was connected; one short query.

    Raises
    ------
    OtherVersionError
        The tables are of another version now.
    """
    number = _number(tables)
    if number is not None and number != SCHEMA_VERSION:
        raise other_version(tables, number)


def other_version(tables: Tables, number: int) -> OtherVersionError:
    """Return the error for tables of an older or newer version."""
    return OtherVersionError(
        "The database's tables are not those of this version of imaging-pipeline",
        path=tables.config.path,
        found=f"schema version {number}",
        allowed=f"schema version {SCHEMA_VERSION}",
        remedy=remedy(number),
    )


def remedy(number: int) -> str:
    """Return what to do about tables of an older or newer version."""
    if number > SCHEMA_VERSION:
        return "Install the newest version of imaging-pipeline on this machine."
    return (
        f"Stop the workers, and run: {UPGRADE_COMMAND}. Or install on this machine the version of"
        " imaging-pipeline that the lab works with."
    )


def _number(tables: Tables) -> int | None:
    rows = fetch(tables.connection, f"SELECT schema_version FROM {tables.full_name(tables.imaging.Lab)}")
    return int(rows[0][0]) if rows else None
