"""Retiring sessions: a person deletes them with all that was derived from them, and a row notes it.

The files stay where they are. They may be registered again: for another animal, under another label, or
without the files that are gone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from imaging_pipeline.errors import InputError
from imaging_pipeline.ingest.folder_changes import Purge, PurgeSeed
from imaging_pipeline.paths import resolve
from imaging_pipeline.schemas.checked_rows import exclusive, existing, next_number
from imaging_pipeline.schemas.locks import in_transaction, lock_rows
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.schemas.register import purge
from imaging_pipeline.schemas.register.consent import Consent, check_consent
from imaging_pipeline.schemas.register.purge import Purged
from imaging_pipeline.schemas.register.retired_notes import RetiredNote, collect
from imaging_pipeline.schemas.table_changes import count_change
from imaging_pipeline.schemas.tables import Tables

_NAME = re.compile("[0-9a-f]{16}")
_REASON = "retired"


@dataclass(frozen=True)
class Retirement:
    """The sessions that are retired, and what is deleted with them.

    Attributes
    ----------
    sessions
        Rows of ``Session`` joined with ``MetaSession``, by their start.
    purged
        Rows that are deleted, by table.
    notes
        What people noted of the sessions; it is kept with the retirement.
    """

    sessions: tuple[Row, ...]
    purged: tuple[Purged, ...]
    notes: tuple[RetiredNote, ...]


def preview(tables: Tables, named: str) -> Retirement:
    """Return what `retire` would delete; writes nothing.

    Parameters
    ----------
    tables
        The database.
    named
        Name of a session or of a MetaSession, or a folder as a person types it.

    Raises
    ------
    InputError, PathError
        Nothing of that name is registered, or the folder in more than one way, or in no repository.
    """
    sessions = _sessions(tables, named)
    purges = _purges(tables, sessions)
    return Retirement(sessions, purge.find(tables, purges).counted, _notes(tables, sessions, purges))


def check(tables: Tables, username: str, reason: str) -> None:
    """Raise InputError where a retirement could not be noted; called before a person is asked.

    Raises
    ------
    InputError
        The user is not known, or there is no reason.
    """
    existing(tables.imaging.User, "username", username)
    if not reason.strip():
        raise InputError("Retiring needs a reason", found=repr(reason), remedy="say why in a few words.")


def retire(
    tables: Tables, named: str, *, username: str, reason: str, consent: Consent | None = None
) -> Retirement:
    """Delete sessions with all that was derived from them and note who did it, in one transaction.

    Where other sessions of a MetaSession stay, its Suite2p output is out of date and is deleted as well.

    Parameters
    ----------
    tables, named
        As for `preview`.
    username
        The person who retires them; a row of ``User``.
    reason
        Why.
    consent
        The rows to which the person agreed; None agrees to all.

    Raises
    ------
    InputError, PathError
        As for `preview` and `check`, or more would be deleted than was agreed to.
    DatabaseError
        Rows lie in a private schema where this account may not delete.
    """
    check(tables, username, reason)
    with in_transaction(tables.connection):
        # Twice: the first result says what to lock, and may be out of date before it is locked.
        lock_as_registering(tables, _sessions(tables, named))
        sessions = _sessions(tables, named)
        purges = _purges(tables, sessions)
        to_delete = purge.find(tables, purges)
        check_consent(consent, to_delete.counted)
        notes = _notes(tables, sessions, purges)
        retired = Retirement(sessions, to_delete.delete_rows(), notes)
        _renumber(tables, {row["metasession_name"] for row in sessions})
        _note(tables, retired, username, reason.strip())
        count_change(tables.imaging.TableChange, tables.imaging.MetaSession)
    return retired


def retired(tables: Tables, session_names: Iterable[str]) -> list[Row]:
    """Return the rows that note the retirement of sessions, one for each session, in order of time."""
    retirements = tables.imaging.Retirement * tables.imaging.Retirement.Session
    restriction = [{"retired_session": name} for name in session_names]
    rows: list[Row] = (retirements & restriction).to_dicts(order_by="retirement_id, retired_start")
    return rows


def lock_as_registering(tables: Tables, metasessions: Sequence[Row]) -> None:
    """Lock what registrations of these MetaSessions lock, in their order, so that they wait.

    The rows may be joined with others.
    """
    for name in sorted({row["repository_name"] for row in metasessions}):
        lock_rows(tables.imaging.Repository & {"repository_name": name})
    animals = {(row["animal_id"], row["datasource_id"]) for row in metasessions}
    for animal_id, datasource_id in sorted(animals):
        lock_rows(tables.mlims.Animal & {"animal_id": animal_id, "datasource_id": datasource_id})


def _sessions(tables: Tables, named: str) -> tuple[Row, ...]:
    sessions = tables.imaging.Session * tables.imaging.MetaSession
    by_name = sessions & [{"session_name": named}, {"metasession_name": named}]
    rows = by_name.to_dicts(order_by="session_timestamp")
    if not rows and _NAME.fullmatch(named):
        raise InputError(
            "There is no session or MetaSession of this name",
            found=repr(named),
            remedy="Check the spelling, or take the name from a report.",
        )
    return tuple(rows or _in_folder(tables, sessions, named))


def _in_folder(tables: Tables, sessions: Any, typed: str) -> list[Row]:
    location = resolve(typed, tables.roots())
    of_folder = {"repository_name": location.repository_name, "metasession_folder": location.path}
    rows: list[Row] = (sessions & of_folder).to_dicts(order_by="session_timestamp")
    if not rows:
        raise InputError(
            "Nothing of this folder is registered",
            path=typed,
            found=f"no session in {location.path} of {location.repository_name}",
            remedy="check the spelling, or give the name of a session, as reports have it.",
        )
    identities = {(row["animal_id"], row["datasource_id"], row["combined"]) for row in rows}
    if len(identities) > 1:
        raise InputError(
            "The folder is registered in more than one way",
            path=typed,
            found="; ".join(_described(row) for row in rows),
            remedy="name the sessions or the MetaSession to retire.",
        )
    return rows


def _described(row: Row) -> str:
    combined = "combined" if row["combined"] == "yes" else "not combined"
    return (
        f"session {row['session_name']} of MetaSession {row['metasession_name']}, {combined},"
        f" animal {row['animal_id']}"
    )


def _purges(tables: Tables, sessions: Sequence[Row]) -> list[Purge]:
    return [
        each
        for name in sorted({row["metasession_name"] for row in sessions})
        for each in _of_metasession(
            tables, name, {row["session_name"] for row in sessions if row["metasession_name"] == name}
        )
    ]


def _of_metasession(tables: Tables, metasession_name: str, retired: set[str]) -> Iterator[Purge]:
    """Yield the purges of sessions with all their datasets; shared outputs are out of date without them."""
    imaging, key = tables.imaging, {"metasession_name": metasession_name}
    links = (imaging.Session.Data & key).to_dicts()
    for name in sorted({row["dataset_name"] for row in links if row["session_name"] in retired}):
        yield Purge(PurgeSeed.DATASET, metasession_name, _REASON, dataset_name=name)
    if retired.issuperset((imaging.Session & key).to_arrays("session_name").tolist()):
        yield Purge(PurgeSeed.METASESSION, metasession_name, _REASON)
    else:
        yield Purge(PurgeSeed.RUN, metasession_name, _REASON)
        yield Purge(PurgeSeed.SESSIONS, metasession_name, _REASON, tuple(sorted(retired)))


def _renumber(tables: Tables, metasession_names: set[str]) -> None:
    """Renumber the remaining sessions from 0."""
    session = tables.imaging.Session
    for name in sorted(metasession_names):
        remaining = (session & {"metasession_name": name}).keys(order_by="session_order")
        for number, key in enumerate(remaining):
            session.update1({**key, "session_order": number})


def _note(tables: Tables, retired: Retirement, username: str, reason: str) -> None:
    table = tables.imaging.Retirement
    # Late in the transaction, which keeps this lock until it ends: all who add something wait for it.
    with exclusive(tables):
        key = {"retirement_id": next_number(tables, "retirement_id", tables.full_name(table))}
        table.insert1({**key, "retirement_username": username, "retirement_reason": reason})
    table.Session.insert({**key, **_noted_columns(row)} for row in retired.sessions)
    table.Note.insert(
        {
            **key,
            "note_number": number,
            "noted_session": note.session_name,
            "noted_table": note.table,
            "noted_row": note.row,
        }
        for number, note in enumerate(retired.notes)
    )
    table.Purge.insert(
        {**key, "retired_table": each.table, "num_rows_retired": each.num_rows} for each in retired.purged
    )


def _notes(tables: Tables, sessions: Sequence[Row], purges: Sequence[Purge]) -> tuple[RetiredNote, ...]:
    deleted = sorted({each.metasession_name for each in purges if each.seed is PurgeSeed.METASESSION})
    return collect(tables, sessions, deleted)


def _noted_columns(row: Row) -> Row:
    columns = {
        "retired_session": "session_name",
        "retired_metasession": "metasession_name",
        "retired_timeseries": "timeseries_name",
        "retired_start": "session_timestamp",
        "retired_combined": "combined",
        "retired_animal": "animal_id",
        "retired_datasource": "datasource_id",
        "retired_repository": "repository_name",
        "retired_folder": "metasession_folder",
    }
    return {name: row[column] for name, column in columns.items()}
