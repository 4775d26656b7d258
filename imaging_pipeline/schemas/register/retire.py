"""Retiring sessions: a person has them deleted, with all that was derived of them, and it is noted.

The files stay where they are. Registered again, they are sessions as any others: of another animal, under
another label, or without the files that are gone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import datajoint as dj

from imaging_pipeline.errors import InputError
from imaging_pipeline.ingest.folder_changes import Purge, PurgeSeed
from imaging_pipeline.paths import resolve
from imaging_pipeline.schemas.inserting import alone, known
from imaging_pipeline.schemas.locks import in_transaction, lock_rows
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.schemas.register import purge
from imaging_pipeline.schemas.register.consent import Consent, refuse_more
from imaging_pipeline.schemas.register.purge import Purged
from imaging_pipeline.schemas.table_changes import count_change
from imaging_pipeline.schemas.tables import Tables

_NAME = re.compile("[0-9a-f]{16}")
_REASON = "retired"


@dataclass(frozen=True)
class Retiring:
    """What is retired.

    Attributes
    ----------
    sessions
        Rows of ``Session`` joined with ``MetaSession``, by their start.
    purged
        Rows that are deleted, by table.
    """

    sessions: tuple[Row, ...]
    purged: tuple[Purged, ...]


def preview(tables: Tables, named: str) -> Retiring:
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
        Nothing of that name is registered, the folder is in two ways, or lies in no repository.
    """
    sessions = _sessions(tables, named)
    return Retiring(sessions, purge.find(tables, _purges(tables, sessions)).counted)


def check(tables: Tables, username: str, reason: str) -> None:
    """Refuse what could not be noted of a retirement, before a person is asked.

    Raises
    ------
    InputError
        The user is not known, or there is no reason.
    """
    known(tables.imaging.User, "username", username)
    if not reason.strip():
        raise InputError("Retiring needs a reason", found=repr(reason), remedy="say why in a few words.")


def retire(
    tables: Tables, named: str, *, username: str, reason: str, consent: Consent | None = None
) -> Retiring:
    """Delete sessions and all that was derived of them, and note who asked for it, in one transaction.

    Suite2p output of a MetaSession that keeps other sessions is out of date, and goes too.

    Parameters
    ----------
    tables, named
        As for `preview`.
    username
        Who asks; a row of ``User``.
    reason
        Why.
    consent
        What the person was shown and agreed to; None agrees to all.

    Raises
    ------
    InputError, PathError
        As of `preview`; the user is not known, there is no reason, or more would be deleted than was shown.
    DatabaseError
        Rows lie in a private schema where this account may not delete.
    """
    check(tables, username, reason)
    with in_transaction(tables.connection):
        _lock(tables, _sessions(tables, named))
        sessions = _sessions(tables, named)
        doomed = purge.find(tables, _purges(tables, sessions))
        refuse_more(consent, doomed.counted)
        retired = Retiring(sessions, doomed.remove())
        _close_ranks(tables, {row["metasession_name"] for row in sessions})
        _note(tables, retired, username, reason.strip())
        count_change(tables.imaging.TableChange, tables.imaging.MetaSession)
    return retired


def retired(tables: Tables, session_names: Iterable[str]) -> list[Row]:
    """Return what was noted of the retirement of sessions, a row a session, in order of time."""
    noted = tables.imaging.Retirement * tables.imaging.Retirement.Session
    named = [{"retired_session": name} for name in session_names]
    rows: list[Row] = (noted & named).to_dicts(order_by="retirement_id, retired_start")
    return rows


def _sessions(tables: Tables, named: str) -> tuple[Row, ...]:
    sessions = tables.imaging.Session * tables.imaging.MetaSession
    found = sessions & [{"session_name": named}, {"metasession_name": named}]
    rows = found.to_dicts(order_by="session_timestamp")
    if not rows and _NAME.fullmatch(named):
        raise InputError(
            "There is no session or MetaSession of this name",
            found=repr(named),
            remedy="Check the spelling, or take the name from a report.",
        )
    return tuple(rows or _in_folder(tables, sessions, named))


def _in_folder(tables: Tables, sessions: Any, typed: str) -> list[Row]:
    place = resolve(typed, tables.roots())
    of_folder = {"repository_name": place.repository_name, "metasession_folder": place.path}
    rows: list[Row] = (sessions & of_folder).to_dicts(order_by="session_timestamp")
    if not rows:
        raise InputError(
            "Nothing of this folder is registered",
            path=typed,
            found=f"no session in {place.path} of {place.repository_name}",
            remedy="check the spelling, or give the name of a session, as reports have it.",
        )
    identities = {(row["animal_id"], row["datasource_id"], row["combined"]) for row in rows}
    if len(identities) > 1:
        raise InputError(
            "The folder is registered in more than one way",
            path=typed,
            found="; ".join(_told(row) for row in rows),
            remedy="name the sessions or the MetaSession that are to go.",
        )
    return rows


def _told(row: Row) -> str:
    combined = "combined" if row["combined"] == "yes" else "not combined"
    return (
        f"session {row['session_name']} of MetaSession {row['metasession_name']}, {combined},"
        f" animal {row['animal_id']}"
    )


def _lock(tables: Tables, sessions: Sequence[Row]) -> None:
    """Let registrations wait; in the order in which they lock."""
    places = sorted({row["repository_name"] for row in sessions})
    for name in places:
        lock_rows(tables.imaging.Repository & {"repository_name": name})
    for animal_id, datasource_id in sorted({(row["animal_id"], row["datasource_id"]) for row in sessions}):
        lock_rows(tables.mlims.Animal & {"animal_id": animal_id, "datasource_id": datasource_id})


def _purges(tables: Tables, sessions: Sequence[Row]) -> list[Purge]:
    return [
        each
        for name in sorted({row["metasession_name"] for row in sessions})
        for each in _of_metasession(
            tables, name, {row["session_name"] for row in sessions if row["metasession_name"] == name}
        )
    ]


def _of_metasession(tables: Tables, metasession_name: str, retired: set[str]) -> Iterator[Purge]:
    """Return the sessions with all their datasets; shared outputs are out of date without them."""
    imaging, key = tables.imaging, {"metasession_name": metasession_name}
    links = (imaging.Session.Data & key).to_dicts()
    for name in sorted({row["dataset_name"] for row in links if row["session_name"] in retired}):
        yield Purge(PurgeSeed.DATASET, metasession_name, _REASON, dataset_name=name)
    if retired.issuperset((imaging.Session & key).to_arrays("session_name").tolist()):
        yield Purge(PurgeSeed.METASESSION, metasession_name, _REASON)
    else:
        yield Purge(PurgeSeed.RUN, metasession_name, _REASON)
        yield Purge(PurgeSeed.SESSIONS, metasession_name, _REASON, tuple(sorted(retired)))


def _close_ranks(tables: Tables, metasession_names: set[str]) -> None:
    """Return the sessions that stay their places from 0."""
    session = tables.imaging.Session
    for name in sorted(metasession_names):
        remaining = (session & {"metasession_name": name}).keys(order_by="session_order")
        for number, key in enumerate(remaining):
            session.update1({**key, "session_order": number})


def _note(tables: Tables, retired: Retiring, username: str, reason: str) -> None:
    table = tables.imaging.Retirement
    with alone(tables):
        newest = dj.U().aggr(table(), newest="max(retirement_id)").fetch1("newest")
        key = {"retirement_id": 0 if newest is None else int(newest) + 1}
        table.insert1({**key, "retirement_username": username, "retirement_reason": reason})
    table.Session.insert({**key, **_named(row)} for row in retired.sessions)
    table.Purge.insert(
        {**key, "retired_table": each.table, "num_rows_retired": each.num_rows} for each in retired.purged
    )


def _named(row: Row) -> Row:
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
