"""What people noted of a session: kept when it is retired, and restored once it is registered again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from imaging_pipeline.errors import InputError
from imaging_pipeline.ingest.folder_changes import FolderChanges, SessionVerdict
from imaging_pipeline.ingest.records import Request
from imaging_pipeline.schemas.locks import in_transaction
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.schemas.tables import Tables
from imaging_pipeline.wording import counted

OF_SESSION = ("SessionType", "Apparatus", "ArenaObject", "CueCard", "Intervention")
"""Parts of ``Session`` in which people note something."""

_OF_METASESSION = "Note"
# Values that the database sets, and that JSON does not know.
_TIMES = ("entry_time_note",)


@dataclass(frozen=True)
class RetiredNote:
    """A row that a person noted.

    Attributes
    ----------
    session_name
        Of which session; empty where it is of its MetaSession.
    table
        Such as ``Session.SessionType``.
    row
        Its columns, without those that name session and MetaSession.
    """

    session_name: str
    table: str
    row: Row

    def __str__(self) -> str:
        values = ", ".join(
            f"{value}" for name, value in self.row.items() if value != "" and "hash" not in name
        )
        return f"{self.table.partition('.')[2]}: {values}"


def collect(
    tables: Tables, sessions: Iterable[Row], deleted_metasessions: Iterable[str]
) -> tuple[RetiredNote, ...]:
    """Return what was noted of sessions, and of MetaSessions of which none is left.

    Parameters
    ----------
    tables
        The database.
    sessions
        Rows of ``Session``.
    deleted_metasessions
        Names of the MetaSessions that are deleted.
    """
    keys = [{name: row[name] for name in ("metasession_name", "session_name")} for row in sessions]
    notes = [
        RetiredNote(row["session_name"], f"Session.{part}", _content(row))
        for part in OF_SESSION
        for row in (getattr(tables.imaging.Session, part) & keys).to_dicts()
    ]
    owners = [{"metasession_name": name} for name in deleted_metasessions]
    notes += [
        RetiredNote("", f"MetaSession.{_OF_METASESSION}", _content(row))
        for row in (tables.imaging.MetaSession.Note & owners).to_dicts()
    ]
    return tuple(notes)


def _content(row: Row) -> Row:
    keys = ("metasession_name", "session_name", *_TIMES)
    # Dates, such as that of a calibration, as text: the database reads them.
    return {
        name: value if value is None or isinstance(value, (str, int, float)) else str(value)
        for name, value in row.items()
        if name not in keys
    }


def findings(tables: Tables, request: Request, changes: FolderChanges) -> tuple[str, ...]:
    """Return a finding for each new session of which something was noted before it was retired."""
    new = [each.session for each in changes.sessions if each.verdict is not SessionVerdict.KNOWN]
    texts = []
    for session in new:
        found = _kept(tables, request.repository_name, request.folder, session.timeseries_name, session.start)
        if found:
            texts.append(
                f"of {session.timeseries_name} {counted(len(found), 'note')} were kept when it was retired"
                f" ({'; '.join(map(str, found))}); to restore them:"
                f" imaging-pipeline restore-notes {session.session_name}"
            )
    return tuple(texts)


def restore(tables: Tables, session_name: str) -> tuple[RetiredNote, ...]:
    """Insert again what was noted of a session before it was retired the last time.

    Returns
    -------
    notes
        All that was noted; what is there already is left as it is.

    Raises
    ------
    InputError
        There is no such session, or nothing was kept of it.
    """
    imaging = tables.imaging
    rows = (imaging.Session * imaging.MetaSession & {"session_name": session_name}).to_dicts()
    if not rows:
        raise InputError(
            "There is no session of this name",
            found=repr(session_name),
            remedy="Register its folder again, and take the name from the report.",
        )
    (session,) = rows
    columns = ("repository_name", "metasession_folder", "timeseries_name", "session_timestamp")
    notes = _kept(tables, *(session[name] for name in columns))
    if not notes:
        raise InputError(
            "Nothing was kept of this session",
            found=session_name,
            remedy="Look at imaging.Retirement.Note, whether it is noted of another session.",
        )
    key = {"metasession_name": session["metasession_name"]}
    with in_transaction(tables.connection):
        for note in notes:
            master, _, part = note.table.partition(".")
            own = {**key, "session_name": session_name} if note.session_name else key
            getattr(getattr(imaging, master), part).insert1({**own, **note.row}, skip_duplicates=True)
    return tuple(notes)


def _kept(
    tables: Tables, repository: str, folder: str, timeseries: str, start: object
) -> Sequence[RetiredNote]:
    """Return what was noted of a recording when it was retired the last time.

    Animal and label are part of a session's name, and may have been what was wrong.
    """
    imaging = tables.imaging
    recording = {
        "retired_repository": repository,
        "retired_folder": folder,
        "retired_timeseries": timeseries,
        "retired_start": start,
    }
    retired = (imaging.Retirement.Session & recording).to_dicts(order_by="retirement_id DESC", limit=1)
    if not retired:
        return ()
    of_last = {"retirement_id": retired[0]["retirement_id"]}
    rows = (imaging.Retirement.Note & of_last).to_dicts(order_by="note_number")
    wanted = ("", retired[0]["retired_session"])
    return [
        RetiredNote(row["noted_session"], row["noted_table"], row["noted_row"])
        for row in rows
        if row["noted_session"] in wanted
    ]
