"""A table of a person's own, with a row for each cell."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import datajoint as dj

from imaging_pipeline.schemas import imaging, tables
from tests.makers.lab import Lab

_SCHEMA = "user_anna_notes"


class Note(dj.Manual):
    """What a person noted of cells."""

    definition = """
    -> imaging.Cell.Rois
    ---
    note : varchar(255)
    """


@contextmanager
def declared_notes(lab: Lab) -> Iterator[type[Note]]:
    """Declare the table in a schema of the person's own, and drop it in the end."""
    own = dj.Schema(_SCHEMA, context={"imaging": imaging}, connection=lab.connection)
    own(Note)
    try:
        yield Note
    finally:
        # Commands make a new connection.
        connection = tables.default_tables().connection
        dj.Schema(_SCHEMA, connection=connection).drop(prompt=False)
        # Else it goes on believing that the table is there.
        connection.dependencies.clear()


def note_all_cells() -> None:
    """Write a note on every cell that has none."""
    keys = (imaging.Cell.Rois - Note).keys()
    Note.insert({**key, "note": "place cell"} for key in keys)


@contextmanager
def noted_cells(lab: Lab) -> Iterator[Callable[[], dj.FreeTable]]:
    """Declare the table with a row for each cell that is imported.

    Yields a function that returns it on the present connection: commands make a new one.
    """
    with declared_notes(lab):
        note_all_cells()
        name = Note.full_table_name
        yield lambda: dj.FreeTable(tables.default_tables().connection, name)
