"""What people note about sessions: a text, what the animal did, and where."""

from __future__ import annotations

from collections.abc import Iterable

from imaging_pipeline import names
from imaging_pipeline.errors import InputError, Responsible
from imaging_pipeline.schemas.checked_rows import exclusive, existing
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.schemas.tables import Tables

# As the column of ``MetaSession.Note``.
_MAX_CHARACTERS = 4096


def add_note(tables: Tables, metasession_name: str, text: str) -> bool:
    """Add a note to a MetaSession; return False if it has the same note already.

    Raises
    ------
    InputError
        The note is empty or too long.
    """
    note = text.strip()
    # PostgreSQL stores no NUL in a text.
    if not 0 < len(note) <= _MAX_CHARACTERS or "\0" in note:
        raise InputError(
            "A note cannot be kept",
            found=f"{len(note)} characters",
            allowed=f"1 to {_MAX_CHARACTERS} characters",
            remedy="Shorten it, or keep it in two.",
            field="note",
        )
    # By its hash, because a text of this length is too long for a key on MySQL.
    key = {"metasession_name": metasession_name, "note_hash": names.hash16(note)}
    with exclusive(tables):
        if tables.imaging.MetaSession.Note & key:
            return False
        tables.imaging.MetaSession.Note.insert1({**key, "note": note})
    return True


def set_types(
    tables: Tables, session: Row, types: Iterable[str], *, shown: Iterable[str] | None = None
) -> None:
    """Set what the animal did in a session, instead of what was noted before.

    Parameters
    ----------
    tables, session, types
        The database, the row of the session, and its types.
    shown
        The types that the person saw; None where they saw none.

    Raises
    ------
    InputError
        There is no such session type, or somebody else changed them since they were shown.
    """
    _set(tables, "SessionType", "sessiontype", session, types, shown)


def set_apparatus(
    tables: Tables, session: Row, apparatus: Iterable[str], *, shown: Iterable[str] | None = None
) -> None:
    """Set in or on what the animal was in a session, instead of what was noted before; see `set_types`."""
    _set(tables, "Apparatus", "apparatus", session, apparatus, shown)


def _set(
    tables: Tables,
    part: str,
    column: str,
    session: Row,
    chosen: Iterable[str],
    shown: Iterable[str] | None,
) -> None:
    lookup = getattr(tables.imaging, part)
    values = {existing(lookup, column, value, responsible=Responsible.EXPERIMENTER) for value in chosen}
    key = {name: session[name] for name in ("metasession_name", "session_name")}
    noted = getattr(tables.imaging.Session, part) & key
    with exclusive(tables):
        stored = set(map(str, noted.to_arrays(column)))
        if shown is not None and stored not in (set(shown), values):
            raise InputError(
                "Somebody else has changed what you change, since it was shown to you",
                found=f"now: {_listed(stored)}; yours: {_listed(values)}",
                remedy="Open the session again, and choose from what is there now.",
                field=column,
            )
        for value in stored - values:
            (noted & {column: value}).delete_quick()
        getattr(tables.imaging.Session, part).insert({**key, column: value} for value in values - stored)


def _listed(values: Iterable[str]) -> str:
    return ", ".join(sorted(values)) or "none"
