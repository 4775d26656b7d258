"""What a preview says is what carrying out the request then does."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import datajoint as dj
import pytest

from imaging_pipeline import database
from imaging_pipeline.errors import InputError, NamingError, NotMountedError, StillCopyingError
from imaging_pipeline.schemas import imaging, tables
from imaging_pipeline.schemas.administer.administration import add_options, add_scope, add_setup
from imaging_pipeline.schemas.register.preview import Preview
from tests.makers.femtonics import write_femtonics
from tests.makers.folders import (
    COPIED,
    OPEN_FIELD,
    PAGES,
    WHEEL,
    aged,
    write_file,
    write_folder,
    write_tif,
    write_timeseries,
)
from tests.makers.lab import Lab, register, row_counts
from tests.makers.outputs import suite2p_output
from tests.makers.suite2p_output import curate
from tests.makers.toy_tables import ToyConfig, open_connection

PRIVATE = "user_anna_notes"
IMPORTED = (imaging.Tif, imaging.ImagingAnalysis, imaging.Projection, imaging.Cell, imaging.FilteredSpikes)
LATER = COPIED + timedelta(days=1)


class Note(dj.Manual):
    definition = """
    -> imaging.Cell.Rois
    ---
    note : varchar(64)
    """


@pytest.fixture
def own(lab: Lab, tmp_path: Path) -> Iterator[Any]:
    """Return the table of a person's own schema, declared from another machine."""
    dj.Schema(PRIVATE, connection=lab.connection)
    with closing(open_connection(ToyConfig(lab.config, "", tmp_path))) as connection:
        schema = dj.Schema(PRIVATE, context={"imaging": imaging}, connection=connection)
        schema(Note)
        yield Note
        schema.drop(prompt=False)


def imported(lab: Lab, *recorded: Any) -> Path:
    """Return a combined folder with its Suite2p output, imported down to the filtered spikes."""
    folder = write_folder(lab.share / "90218" / "day1", *recorded)
    register(lab, folder, combined=True)
    suite2p_output(lab, combined=True)
    register(lab, folder, combined=True)
    for table in IMPORTED:
        table.populate()
    return folder


def new(lab: Lab) -> dict[str, Any]:
    folder = write_folder(lab.share / "90218" / "day1", OPEN_FIELD, WHEEL)
    write_file(folder / "notes.txt")
    write_file(folder / "Thumbs.db")
    add_options(tables.default_tables(), "mouse", {"tau": 0.7})
    add_scope(tables.default_tables(), "head")
    add_setup(tables.default_tables(), "room", OPEN_FIELD.start.date(), "2Pminiscope_A")
    return lab.request(folder, combined=False) | {"ops_name": "mouse", "setup": "room", "scope_name": "head"}


def measurements(lab: Lab) -> dict[str, Any]:
    folder = write_femtonics(lab.share / "90218" / "day1")
    return lab.request(folder, combined=False) | {"experiment_type": "femtonics"}


def unchanged(lab: Lab) -> dict[str, Any]:
    folder = write_folder(lab.share / "90218" / "day1", OPEN_FIELD, WHEEL)
    register(lab, folder, combined=True)
    return lab.request(folder, combined=True)


def late_session(lab: Lab) -> dict[str, Any]:
    folder = imported(lab, WHEEL)
    Note.insert({**key, "note": "place cell"} for key in imaging.Cell.Rois.keys())  # noqa: SIM118
    write_timeseries(folder, OPEN_FIELD)
    return lab.request(folder, combined=True)


def in_the_way(lab: Lab) -> dict[str, Any]:
    """Return a late session, where a job failed, another was ignored, and a third one runs."""
    request = late_session(lab)
    (key,) = imaging.Cell.keys()
    for table, status in (
        (imaging.Tif, "error"),
        (imaging.Projection, "ignore"),
        (imaging.FilteredSpikes, "reserved"),
    ):
        row = table.keys()[0] if table is not imaging.Projection else key
        process = {"host": "vm7", "pid": 4711, "reserved_time": COPIED.replace(tzinfo=None)}
        table.jobs.insert1({**row, "status": status, "priority": 5, **process})
    failed = {"basefolder_id": 0, "status": "error", "priority": 5, "error_message": "no"}
    imaging.MakeDatasetSessions.jobs.insert1(failed)
    return request


def another_option_set(lab: Lab) -> dict[str, Any]:
    for name, tau in (("fast", 0.7), ("slow", 1.5)):
        add_options(tables.default_tables(), name, {"tau": tau})
    folder = write_folder(lab.share / "90218" / "day1", OPEN_FIELD)
    register(lab, folder, combined=True, ops_name="fast", scope_name=None)
    return lab.request(folder, combined=True) | {"ops_name": "slow"}


def curated(lab: Lab) -> dict[str, Any]:
    folder = imported(lab, OPEN_FIELD, WHEEL)
    Note.insert({**key, "note": "place cell"} for key in imaging.Cell.Rois.keys())  # noqa: SIM118
    (output,) = folder.rglob("plane0")
    curate(output, [True, False, True, False, True])
    return lab.request(folder, combined=True)


def replaced_tif(lab: Lab) -> dict[str, Any]:
    folder = write_folder(lab.share / "90218" / "day1", OPEN_FIELD, WHEEL)
    register(lab, folder, combined=False)
    imaging.Tif.populate()
    aged(write_tif(folder / OPEN_FIELD.tif_names[1], OPEN_FIELD.start, seed=99, frames_before=PAGES), LATER)
    return lab.request(folder, combined=False)


def moved(lab: Lab) -> dict[str, Any]:
    folder = imported(lab, OPEN_FIELD)
    return lab.request(folder.rename(folder.with_name("day2")), combined=True)


def copied(lab: Lab) -> dict[str, Any]:
    register(lab, write_folder(lab.share / "90218" / "day1", OPEN_FIELD), combined=False)
    copy = write_folder(lab.share / "90218" / "copy", OPEN_FIELD)
    return lab.request(copy, combined=False)


OWN = ("basefolder_id", "makedatasetsessions_entry_time")


def comparable(rows: list[dict[str, Any]]) -> Counter[tuple[Any, ...]]:
    return Counter(
        tuple(sorted((name, value) for name, value in row.items() if name not in OWN)) for row in rows
    )


def counted(lab: Lab) -> dict[str, int]:
    return row_counts(lab) | {Note.full_table_name: len(Note())}


def differences(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    return {name: rows - before[name] for name, rows in after.items() if rows != before[name]}


def foreseen(preview: Preview) -> dict[str, int]:
    """Return what becomes of the number of rows in every table that a registration does not write itself."""
    lost = {each.table: -each.num_rows for each in preview.purged}
    return lost | {name: -number for name, number in preview.num_jobs_reset.items()}


WRITTEN = (
    *(imaging.BaseFolder, imaging.MakeDatasetSessions, imaging.MetaSession),
    *(imaging.Session, imaging.Dataset, imaging.PhysicalFile, imaging.Curation),
)
SITUATIONS = (
    *(new, measurements, unchanged, in_the_way, another_option_set),
    *(curated, replaced_tif, moved, copied),
)


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda situation: situation.__name__)
@pytest.mark.usefixtures("own")
def test_the_preview_equals_the_deed(lab: Lab, situation: Callable[[Lab], dict[str, Any]]) -> None:
    inputs = situation(lab)
    before = counted(lab)
    preview = imaging.BaseFolder.preview(**inputs)
    assert counted(lab) == before
    request = imaging.BaseFolder.add(**inputs)
    imaging.MakeDatasetSessions.populate({"basefolder_id": request})
    key = {"basefolder_id": request}
    assert preview.request["basefolder_id"] == request
    assert comparable([preview.report.row]) == comparable([(imaging.MakeDatasetSessions & key).fetch1()])
    for part in database.parts(imaging.MakeDatasetSessions):
        told = preview.report.parts[part.__name__]
        assert comparable(told) == comparable((part & key).to_dicts()), part.__name__
    changed = differences(before, counted(lab))
    written = {each.full_table_name for cls in WRITTEN for each in (cls, *database.parts(cls))}
    assert {name: rows for name, rows in changed.items() if name not in written} == {
        name: rows for name, rows in foreseen(preview).items() if name not in written
    }
    new_sessions = preview.report.row["num_sessions_new"]
    assert changed.get(imaging.Session.full_table_name, 0) == new_sessions
    assert changed.get(imaging.Curation.full_table_name, 0) == len(preview.decision.changes.curations)


def test_a_preview_takes_what_add_takes() -> None:
    of_add, of_preview = (
        inspect.signature(each) for each in (imaging.BaseFolder.add, imaging.BaseFolder.preview)
    )
    assert of_add.parameters == of_preview.parameters


@pytest.mark.usefixtures("own")
def test_a_preview_tells_what_goes_whose_it_is_and_what_runs(lab: Lab) -> None:
    text = str(imaging.BaseFolder.preview(**in_the_way(lab)))
    assert f"Deleted, because session '{OPEN_FIELD.name}' joined (rows of tables)\n" in text
    assert f" 5 {PRIVATE}.Note, of anna\n" in text
    assert "Running on what is deleted, and then made anew: test_imaging.~~FilteredSpikes of" in text
    assert "on vm7, process 4711" in text
    assert "Tried again: 1 failed or ignored job of test_imaging.~~Tif" in text
    assert max(map(len, text.splitlines())) <= 80


def test_a_preview_tells_that_an_earlier_request_of_the_folder_waits(lab: Lab) -> None:
    folder = write_folder(lab.share / "90218" / "day1", OPEN_FIELD)
    done = register(lab, folder, combined=True)
    inputs = lab.request(folder, combined=True)
    assert imaging.BaseFolder.preview(**inputs).waiting == ()
    waiting = imaging.BaseFolder.add(**inputs)
    imaging.BaseFolder.add(**lab.request(write_folder(lab.share / "90218" / "day2", WHEEL), combined=True))
    preview = imaging.BaseFolder.preview(**inputs)
    assert preview.waiting == (waiting,)
    assert f"Carried out before this one, and not foreseen here: request {waiting} of this folder\n" in str(
        preview
    )
    row = {"basefolder_id": waiting, "priority": 5, "status": "error"}
    imaging.MakeDatasetSessions.jobs.insert1(row)
    assert imaging.BaseFolder.preview(**inputs).waiting == ()
    assert done != waiting


def test_a_preview_lists_every_file_in_order_and_why_others_are_left_out(lab: Lab) -> None:
    preview = imaging.BaseFolder.preview(**new(lab))
    assert [line.strip() for line in str(preview).splitlines() if line.strip() in OPEN_FIELD.tif_names] == [
        *OPEN_FIELD.tif_names
    ]
    assert "  ignored  a file of the operating system\n           Thumbs.db\n" in str(preview)
    assert "  unknown  no file of this experiment type ends in '.txt'\n           notes.txt\n" in str(preview)
    assert "  ignored  Thumbs.db: a file of the operating system\n" in preview.text(with_files=False)
    assert "notes.txt" in preview.text(with_files=False)


def test_a_preview_ends_with_the_error_that_the_request_would_have(lab: Lab) -> None:
    folder = write_folder(lab.share / "90218" / "day1", OPEN_FIELD)
    inputs = lab.request(folder, combined=True)
    with pytest.raises(InputError, match="Ana"):
        imaging.BaseFolder.preview(**inputs | {"username": "Ana"})
    add_setup(tables.default_tables(), "room", date(2030, 1, 1), "2Pminiscope_A")
    with pytest.raises(InputError, match="2024-05-17.*2030-01-01"):
        imaging.BaseFolder.preview(**inputs | {"setup": "room"})
    write_tif(folder / f"{OPEN_FIELD.name}_00004_00001.tif")
    with pytest.raises(NamingError, match="acquisition"):
        imaging.BaseFolder.preview(**inputs)
    (folder / OPEN_FIELD.tif_names[0]).touch()
    with pytest.raises(StillCopyingError, match=OPEN_FIELD.tif_names[0]):
        imaging.BaseFolder.preview(**inputs)
    lab.share.rename(lab.share.with_name("away"))
    with pytest.raises(NotMountedError, match="moser"):
        imaging.BaseFolder.preview(**inputs)
    assert len(imaging.BaseFolder()) == 0
