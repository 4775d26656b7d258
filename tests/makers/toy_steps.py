"""A step of every kind of change, from version 3, and corrections, as a later version may have them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from imaging_pipeline.upgrade.changes import AddedColumn, AddedReference, ChangedColumn
from imaging_pipeline.upgrade.correction import Correction
from imaging_pipeline.upgrade.step import Step

_OF_METASESSION = (
    "SELECT m.{} FROM {{imaging.MetaSession}} AS m WHERE m.metasession_name = r.metasession_name"
)

CHANGES = (
    AddedColumn(
        "imaging.BaseFolder", "damaged_tifs='refuse' : enum('refuse', 'trim')  # Anna's \"bad\" tifs"
    ),
    AddedColumn("imaging.PhysicalFile", "doubled_bytes : int64  # twice", "2 * r.size_bytes"),
    AddedColumn("imaging.Session", "kind=null : varchar(64)", _OF_METASESSION.format("experiment_type")),
    AddedColumn("imaging.Dataset", "is_kept=1 : bool  # until it is not"),
    AddedReference(
        "imaging.Session",
        "-> mlims.Animal",
        {name: _OF_METASESSION.format(name) for name in ("animal_id", "datasource_id")},
    ),
    AddedReference("imaging.Worker", "-> [nullable] SessionType", {}),
    ChangedColumn("imaging.JobAction", "jobaction : enum('retry', 'ignore', 'prioritise', 'withdraw')"),
    ChangedColumn("imaging.Cell", "num_cells=null : int32  # of them marked as cells, if known"),
    ChangedColumn("imaging.BaseFolder", 'setup="" : varchar(100)', "''"),
)

IMAGEJ = Correction(
    "ImageJ's pages",
    "of ImageJ's stacks one frame was read",
    "imaging.Tif",
    "tif_entry_time",
    lambda handle: "num_frames = 1",
)
MERGED = Correction(
    "merged regions",
    "regions that were merged are cells",
    "imaging.Cell",
    "cell_entry_time",
    lambda handle: handle.imaging.MetaSession & "metasession_folder = '90218/merged'",
)
NONE = Correction("nothing", "nothing is", "imaging.Tif", "tif_entry_time", lambda handle: "num_frames < 0")

STEPS = (Step(4, CHANGES, (IMAGEJ, MERGED, NONE)),)

_WRITING = re.compile(r"\s*(ALTER|COMMENT|CREATE|INSERT|UPDATE)\b")


class Killed(BaseException):
    """Stands for the end of the process."""


@contextmanager
def killed_after(connection: Any, number: int) -> Iterator[None]:
    """End the enclosed code before it writes more often than this."""
    send, left = connection.query, number

    def query(statement: str, *args: Any, **how: Any) -> Any:
        nonlocal left
        if _WRITING.match(statement):
            if not left:
                raise Killed
            left -= 1
        return send(statement, *args, **how)

    connection.query = query
    try:
        yield
    finally:
        del connection.query
