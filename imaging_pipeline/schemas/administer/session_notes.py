"""What people note of sessions that no file says: a text, what the animal did, and where."""

from __future__ import annotations

from collections.abc import Iterable

from imaging_pipeline import names
from imaging_pipeline.errors import InputError, Responsible
from imaging_pipeline.schemas.inserting import alone, existing
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.schemas.tables import Tables

_LONGEST = 4096


def add_note(tables: Tables, metasession_name: str, text: str) -> bool:
    """Keep a note with a MetaSession; False where the same one is kept already.

    Raises
    ------
    InputError
        The note is empty or too long.
    """
    note = text.strip()
    if not 0 < len(note) <= _LONGEST or "\0" in note:
        raise InputError(
            "A note cannot be kept",
            found=f"{len(note)} characters",
            allowed=f"1 to {_LONGEST} characters",
            remedy="Shorten it, or keep it in two.",
        )
    key = {"metasession_name": metasession_name, "note_hash": names.hash16(note)}
    with alone(tables):
        if tables.imaging.MetaSession.Note & key:
            return False
        tables.imaging.MetaSession.Note.insert1({**key, "note": note})
    return True


def set_types(tables: Tables, session: Row, types: Iterable[str]) -> None:
    """Return what the animal did in a session; what was said before goes.

    Raises
    ------
    InputError
        There is no such session type.
    """
    _set(tables, "SessionType", "sessiontype", session, types)


def set_apparatus(tables: Tables, session: Row, apparatus: Iterable[str]) -> None:
    """Say in or on what the animal was in a session; what was said before goes.

    Raises
    ------
    InputError
        There is no such apparatus.
    """
    _set(tables, "Apparatus", "apparatus", session, apparatus)


def _set(tables: Tables, part: str, column: str, session: Row, wanted: Iterable[str]) -> None:
    lookup = getattr(tables.imaging, part)
    values = {existing(lookup, column, value, responsible=Responsible.EXPERIMENTER) for value in wanted}
    key = {name: session[name] for name in ("metasession_name", "session_name")}
    noted = getattr(tables.imaging.Session, part) & key
    with alone(tables):
        there = set(map(str, noted.to_arrays(column)))
        for value in there - values:
            (noted & {column: value}).delete_quick()
        getattr(tables.imaging.Session, part).insert({**key, column: value} for value in values - there)
