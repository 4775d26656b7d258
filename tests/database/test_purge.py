"""What a registration purges: counted beforehand as it is done, down to people's own tables."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import datajoint as dj
import pytest

from imaging_pipeline.ingest.folder_changes import Purge, PurgeSeed
from imaging_pipeline.schemas import imaging, tables
from imaging_pipeline.schemas.register import purge
from tests.makers.folders import OPEN_FIELD, WHEEL, write_folder
from tests.makers.lab import Lab, register, row_counts
from tests.makers.outputs import suite2p_output
from tests.makers.toy_tables import ToyConfig, open_connection


@pytest.fixture
def folder(lab: Lab) -> Path:
    """Return a registered folder with its Suite2p output, imported."""
    folder = write_folder(lab.share / "90218" / "day1", OPEN_FIELD, WHEEL)
    register(lab, folder, combined=True)
    suite2p_output(lab, combined=True)
    register(lab, folder, combined=True)
    for table in (imaging.Tif, imaging.ImagingAnalysis, imaging.Projection, imaging.Cell):
        table.populate()
    return folder


class Note(dj.Manual):
    definition = """
    -> imaging.Cell.Rois
    ---
    note : varchar(64)
    """


class FileNote(dj.Manual):
    definition = """
    -> imaging.PhysicalFile
    ---
    note : varchar(64)
    """


@pytest.fixture
def own(lab: Lab, folder: Path, tmp_path: Path) -> Iterator[Any]:
    """Return a person's own schema; one of its tables comes from another machine when this one knows it."""
    dj.Schema("test_anna", connection=lab.connection)
    with closing(open_connection(ToyConfig(lab.config, "", tmp_path))) as connection:
        own = dj.Schema("test_anna", context={"imaging": imaging}, connection=connection)
        own(Note)
        purge.find(tables.default_tables(), output_purges())
        own(FileNote)
        Note.insert({**key, "note": "place cell"} for key in imaging.Cell.Rois().keys())  # noqa: SIM118
        FileNote.insert({**key, "note": "seen"} for key in imaging.PhysicalFile().keys())  # noqa: SIM118
        yield dj.VirtualModule("own", "test_anna", connection=connection)
        own.drop(prompt=False)


def metasession_name() -> str:
    return str(imaging.MetaSession().fetch1("metasession_name"))


def output_purges() -> list[Purge]:
    """Return two reasons that meet at the same rows: one for each session, one for the output."""
    name = metasession_name()
    dataset = str((imaging.Dataset & {"datasettype": "suite2p_python"}).fetch1("dataset_name"))
    sessions = tuple(str(each) for each in imaging.Session().to_arrays("session_name"))
    return [
        Purge(PurgeSeed.LINKS, name, "curated", sessions[:1], dataset),
        Purge(PurgeSeed.DATASET, name, "joined", sessions, dataset),
    ]


def test_what_is_counted_beforehand_is_what_is_deleted(lab: Lab, own: Any) -> None:
    before = row_counts(lab)
    counted = purge.find(tables.default_tables(), output_purges()).counted
    with lab.connection.transaction:
        deleted = purge.find(tables.default_tables(), output_purges()).delete_rows()
    lost = {name: before[name] - rows for name, rows in row_counts(lab).items() if rows != before[name]}
    assert counted == deleted
    private = {"note", "file_note"}
    told = {each.table: each.num_rows for each in counted}
    assert {name: rows for name, rows in told.items() if name in before} == lost
    assert {name.split(".")[-1].strip('`"') for name in told if name not in before} == private
    assert len(own.Note()) == 0


def test_every_reason_that_meets_at_a_table_is_told(lab: Lab, folder: Path) -> None:
    told = {each.table: each.reason for each in purge.find(tables.default_tables(), output_purges()).counted}
    assert told[imaging.Cell.full_table_name] == "curated; joined"
    assert told[imaging.Dataset.full_table_name] == "joined"


def test_a_moved_folder_takes_what_people_noted_of_its_files_along(lab: Lab, folder: Path, own: Any) -> None:
    noted = len(own.FileNote())
    moved = folder.rename(folder.with_name("day2"))
    register(lab, moved, combined=True)
    paths = imaging.PhysicalFile().to_arrays("file_path")
    assert all("/day2/" in path for path in paths)
    assert len(own.FileNote()) == noted
    assert len(own.Note()) > 0
