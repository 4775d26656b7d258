"""A curated cell, and a row of a person's own that refers to it, through what people do to a folder."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import datajoint as dj
import pytest

from imaging_pipeline.errors import InputError
from imaging_pipeline.ingest.fingerprint import fingerprint
from imaging_pipeline.schemas import imaging, suite2p_jobs, tables
from imaging_pipeline.schemas.administer.administration import add_options
from tests.makers.folders import OPEN_FIELD, WHEEL, aged, write_folder, write_tif
from tests.makers.lab import Lab, register
from tests.makers.notes import Note, declared_notes, note_all_cells
from tests.makers.outputs import suite2p_output
from tests.makers.suite2p_output import curate

CURATED = [True, False, True, False, True]
CELLS = {0, 2, 4}


@pytest.fixture
def ops_name(lab: Lab, request: pytest.FixtureRequest) -> str | None:
    """Return the option set of the requests."""
    name = getattr(request, "param", "fast")
    if name is not None:
        add_options(tables.default_tables(), name, {"tau": 1.0})
    return name


@pytest.fixture
def folder(lab: Lab) -> Path:
    return write_folder(lab.share / "90218" / "day1", OPEN_FIELD, WHEEL)


def populate() -> None:
    for table in (imaging.Tif, imaging.ImagingAnalysis, imaging.Cell):
        table.populate()


@pytest.fixture
def place(folder: Path, request: pytest.FixtureRequest) -> Path | None:
    """Return the folder of the output, or None for that of our own runs."""
    name = getattr(request, "param", None)
    return None if name is None else folder / name


@pytest.fixture
def output(lab: Lab, folder: Path, ops_name: str | None, place: Path | None) -> Path:
    """Return an output that was imported, curated and imported again."""
    register(lab, folder, combined=True, ops_name=ops_name)
    root = suite2p_output(lab, combined=True)
    if place is not None:
        root = root.rename(place)
    register(lab, folder, combined=True, ops_name=ops_name)
    populate()
    curate(root / "plane0", CURATED)
    register(lab, folder, combined=True, ops_name=ops_name)
    populate()
    return root


@pytest.fixture
def notes(lab: Lab, output: Path) -> Iterator[type[Note]]:
    """Return a table of a person's own with a row a curated cell."""
    with declared_notes(lab) as table:
        note_all_cells()
        yield table


def assert_all_is_there(notes: type[Note]) -> None:
    assert set(imaging.Cell.Rois().to_arrays("cell_id")) == CELLS
    assert len(imaging.Cell.Rois()) == len(notes()) == len(notes() * imaging.Cell.Rois) == 2 * len(CELLS)


def findings(request: int) -> list[str]:
    return list((imaging.MakeDatasetSessions.Finding & {"basefolder_id": request}).to_arrays("finding"))


@pytest.mark.parametrize(
    ("ops_name", "name"),
    [("fast", "fast - Copy"), ("fast", "Suite2p_old"), (None, "a copy of fast"), (None, "fast.bak")],
    indirect=["ops_name"],
)
def test_a_copy_from_before_the_curation_replaces_nothing_and_is_named(
    lab: Lab, folder: Path, output: Path, notes: type[Note], ops_name: str | None, name: str
) -> None:
    copy = shutil.copytree(output.parent, output.parent.with_name(name)) / "suite2p" / "plane0"
    curate(copy, [True] * 5)
    aged(copy / "iscell.npy")
    preview = imaging.BaseFolder.preview(**lab.request(folder, combined=True), ops_name=ops_name)
    assert preview.purged == ()
    request = register(lab, folder, combined=True, ops_name=ops_name)
    populate()
    assert_all_is_there(notes)
    (finding,) = findings(request)
    assert all(str(path.relative_to(folder)) in finding for path in (output, copy.parent))


def test_the_copy_is_taken_once_a_person_has_moved_the_other_away(
    lab: Lab, folder: Path, output: Path, ops_name: str | None
) -> None:
    shutil.copytree(output.parent, output.parent.with_name("fast - Copy"))
    output.parent.rename(lab.share / "away")
    register(lab, folder, combined=True, ops_name=ops_name)
    populate()
    assert set(imaging.Cell.Rois().to_arrays("cell_id")) == CELLS
    assert len(imaging.Cell()) == 2


def test_of_new_equal_outputs_that_in_the_place_of_our_runs_is_used(
    lab: Lab, folder: Path, ops_name: str | None
) -> None:
    register(lab, folder, combined=True, ops_name=ops_name)
    root = suite2p_output(lab, combined=True)
    shutil.copytree(root.parent, root.parent.with_name("a copy of fast"))
    register(lab, folder, combined=True, ops_name=ops_name)
    paths = (imaging.PhysicalFile & "file_path LIKE '%%.npy'").to_arrays("file_path")
    assert {"a copy of fast" in path for path in paths} == {False}


@pytest.mark.parametrize(("ops_name", "place"), [(None, "suite2p"), (None, "by hand")], indirect=True)
def test_an_output_that_gets_an_option_set_keeps_all_that_is_derived(
    lab: Lab, folder: Path, output: Path, notes: type[Note], ops_name: str | None
) -> None:
    for name in ("fast", "equal"):
        add_options(tables.default_tables(), name, {"tau": 1.0})
        preview = imaging.BaseFolder.preview(**lab.request(folder, combined=True), ops_name=name)
        assert preview.purged == ()
        register(lab, folder, combined=True, ops_name=name, register_uncurated=True)
        suite2p_jobs.Suite2Py.populate()
        imaging.MakeDatasetSessions.populate()
        populate()
        assert_all_is_there(notes)
    assert suite2p_jobs.Suite2Py().fetch1("ops_name", "adopted") == ("fast", True)
    assert output.is_dir()


@pytest.mark.parametrize("ops_name", [None, "fast"], indirect=True)
@pytest.mark.parametrize("is_curated", [False, True])
def test_an_output_whose_folder_is_renamed_keeps_all_that_is_derived(
    lab: Lab, folder: Path, output: Path, notes: type[Note], ops_name: str | None, is_curated: bool
) -> None:
    plane = output.parent.rename(folder / "renamed") / "suite2p" / "plane0"
    if is_curated:
        # Written again as it is, which is no other choice.
        curate(plane, CURATED)
    preview = imaging.BaseFolder.preview(**lab.request(folder, combined=True), ops_name=ops_name)
    assert preview.purged == ()
    register(lab, folder, combined=True, ops_name=ops_name)
    populate()
    assert_all_is_there(notes)
    assert {
        "renamed" in path
        for path in (imaging.PhysicalFile & "file_path LIKE '%%.npy'").to_arrays("file_path")
    } == {True}


@pytest.mark.parametrize("table", [imaging.Session, imaging.MetaSession, imaging.Session.Data])
def test_what_a_person_deleted_in_a_notebook_is_registered_again(
    lab: Lab, folder: Path, output: Path, ops_name: str | None, table: type[dj.Table]
) -> None:
    files = imaging.PhysicalFile().to_dicts(order_by="dataset_name, file_order")
    table().delete(prompt=False, part_integrity="cascade" if issubclass(table, dj.Part) else "enforce")
    preview = imaging.BaseFolder.preview(**lab.request(folder, combined=True), ops_name=ops_name)
    assert preview.purged == ()
    register(lab, folder, combined=True, ops_name=ops_name)
    populate()
    assert set(imaging.Cell.Rois().to_arrays("cell_id")) == CELLS
    assert len(imaging.Session()) == len(imaging.Cell()) == 2
    assert imaging.PhysicalFile().to_dicts(order_by="dataset_name, file_order") == files


def test_a_tif_that_was_replaced_after_its_session_was_deleted_is_the_new_one(lab: Lab, folder: Path) -> None:
    register(lab, folder, combined=False)
    imaging.Session().delete(prompt=False)
    write_tif(folder / OPEN_FIELD.tif_names[0], OPEN_FIELD.start, seed=99)
    aged(folder / OPEN_FIELD.tif_names[0])
    register(lab, folder, combined=False)
    (row,) = (imaging.PhysicalFile & f"file_path LIKE '%%{OPEN_FIELD.tif_names[0]}'").to_dicts()
    assert row["fingerprint"] == fingerprint(folder / OPEN_FIELD.tif_names[0])


@pytest.mark.usefixtures("output")
def test_a_person_with_sessions_is_not_deleted(lab: Lab) -> None:
    with pytest.raises(InputError, match=r"anna: 1 MetaSession.*users disable"):
        (imaging.User & "username = 'anna'").delete(prompt=False)
    assert len(imaging.Cell()) == 2
    imaging.User.insert1({"username": "ben"})
    (imaging.User & "username = 'ben'").delete(prompt=False)
    assert "ben" not in imaging.User().to_arrays("username")
