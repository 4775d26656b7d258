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
def noted_cells(lab: Lab) -> Iterator[Callable[[], dj.FreeTable]]:
    """Declare the table in a schema of the person's own, with a row for each cell that is imported.

    Yields a function that returns it on the present connection: commands make a new one.
    """
    own = dj.Schema(_SCHEMA, context={"imaging": imaging}, connection=lab.connection)
    own(Note)
    Note.insert({**key, "note": "place cell"} for key in imaging.Cell.Rois().keys())  # noqa: SIM118
    name = Note.full_table_name
    try:
        yield lambda: dj.FreeTable(tables.default_tables().connection, name)
    finally:
        dj.Schema(_SCHEMA, connection=tables.default_tables().connection).drop(prompt=False)
