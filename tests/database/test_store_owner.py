"""Whose a store is, and what other databases and older states of this one do to its arrays."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import datajoint as dj
import numpy as np
import pytest
from click.testing import CliRunner, Result

from imaging_pipeline import database
from imaging_pipeline.cli import main
from imaging_pipeline.config.config import Config
from imaging_pipeline.config.stores import file_store
from imaging_pipeline.errors import StoreError
from imaging_pipeline.schemas import imaging, tables
from imaging_pipeline.schemas.administer import store_claims, store_sweep
from imaging_pipeline.store.owner import owner_file
from tests.makers.config_file import write_config
from tests.makers.lab import Lab, emptied_lab
from tests.makers.notes import noted_cells
from tests.makers.own_store import age, objects, own_store, use_store
from tests.makers.recordings import IMPORTED, OBJECT, import_all, populate
from tests.makers.suite2p_output import curate

CELLS = {0, 2, 4}

Notes = Callable[[], dj.FreeTable]


@pytest.fixture
def store(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return own_store(tmp_path / "store", monkeypatch)


@pytest.fixture
def output(lab: Lab, store: Path) -> Path:
    """Return a curated output that was imported; its arrays are old, and one more is unused."""
    root = import_all(lab, OBJECT, is_cell=[True, False, True, False, True])
    imaging.FilteredSpikes().delete(prompt=False)
    populate("FilteredSpikes")
    age(store, objects(store))
    return root


@pytest.fixture
def notes(lab: Lab, output: Path) -> Iterator[Notes]:
    with noted_cells(lab) as table:
        yield table


@pytest.fixture
def run(lab: Lab, store: Path, tmp_path: Path) -> Callable[..., Result]:
    """Return a function that runs a command on the lab's database and store."""
    config = dataclasses.replace(lab.config, stores=file_store(store))
    path = write_config(config, tmp_path / "dj_local_conf.json")
    return lambda *arguments: CliRunner().invoke(main, ["--config", str(path), *arguments])


def assert_all_is_there(notes: Notes) -> None:
    """Read every array of every curated cell that a person noted."""
    traces = (imaging.Cell.Traces * notes()).to_arrays("df_f")
    assert [len(each) for each in traces] == [OBJECT.num_frames] * len(CELLS)
    assert set(imaging.Cell.Rois().to_arrays("cell_id")) == CELLS
    assert len(imaging.FilteredSpikes.Cell().to_arrays("filtered_spikes")) == len(CELLS)
    assert imaging.Projection.Plane().fetch1("mean_image").load().shape == (48, 64)


def other_server(lab: Lab, request: pytest.FixtureRequest) -> Config:
    """Return the configuration of a server of the other backend."""
    embedded: Config = request.getfixturevalue("embedded_lab_config")
    if lab.config.embedded_folder is None:
        return embedded
    configured: Config = request.getfixturevalue("mariadb_server").configured(embedded, lab.share)
    return configured


def test_another_database_of_that_prefix_does_not_sweep_the_store(
    lab: Lab,
    store: Path,
    notes: Notes,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = objects(store)
    (tmp_path / "other").mkdir()
    other = emptied_lab(other_server(lab, request), tmp_path / "other")
    assert other.connection is not lab.connection
    use_store(store, monkeypatch)
    for refused in (store_sweep.plan_sweep, store_sweep.sweep):
        with pytest.raises(
            StoreError, match=r"(?s)belongs to another database.*test_imaging on .*store claim"
        ):
            refused(tables.default_tables())
    database.init_db(dataclasses.replace(other.config, stores=file_store(store)))
    with pytest.raises(StoreError, match="belongs to another database"):
        store_sweep.sweep(tables.default_tables())
    assert objects(store) == before
    database.connect(dataclasses.replace(lab.config, stores=file_store(store)))
    assert_all_is_there(notes)


def test_a_database_that_was_copied_from_another_server_does_not_sweep_the_store(
    lab: Lab, store: Path, notes: Notes
) -> None:
    imaging.Store.update1({"store_name": "main", "store_server": "0" * 16})
    with pytest.raises(StoreError, match="copied or moved from another server"):
        store_sweep.sweep(tables.default_tables())
    store_claims.claim(tables.default_tables())
    assert len(store_sweep.sweep(tables.default_tables()).unused) > 0
    assert_all_is_there(notes)


def test_a_database_from_before_the_last_sweep_does_not_sweep_the_store(
    lab: Lab, store: Path, notes: Notes
) -> None:
    backup = imaging.Store().fetch1()
    store_sweep.sweep(tables.default_tables())
    swept = objects(store)
    imaging.Store.update1(backup)
    with pytest.raises(StoreError, match=r"(?s)older than its store.*state 1 in the database, state 2 of"):
        store_sweep.sweep(tables.default_tables())
    assert objects(store) == swept
    assert_all_is_there(notes)


def test_a_database_from_before_the_newest_arrays_does_not_sweep_the_store(
    lab: Lab, store: Path, output: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = objects(store)
    (tmp_path / "restored").mkdir()
    emptied_lab(lab.config, tmp_path / "restored")
    use_store(store, monkeypatch)
    imaging.User.update1({"username": "anna", "user_entry_time": "2024-05-17 10:00:00"})
    with pytest.raises(
        StoreError, match=r"(?s)arrays were written after all that it knows of.*newer than any row"
    ):
        store_sweep.sweep(tables.default_tables())
    assert objects(store) == before


def test_a_store_with_arrays_that_a_database_does_not_know_is_not_taken_by_declaring(
    lab: Lab, store: Path, output: Path
) -> None:
    owner_file(store, "test_imaging").unlink()
    imaging.Store().delete_quick()
    imaging.Cell().delete(prompt=False)
    imaging.Tif().delete(prompt=False)
    imaging.Projection().delete(prompt=False)
    told = store_claims.claim_new_store(tables.default_tables())
    assert "Nearly all arrays" in str(told)
    assert not owner_file(store, "test_imaging").exists()
    assert len(imaging.Store()) == 0


def test_declaring_takes_a_store_whose_arrays_the_database_knows(lab: Lab, store: Path, output: Path) -> None:
    owner_file(store, "test_imaging").unlink()
    imaging.Store().delete_quick()
    assert store_claims.claim_new_store(tables.default_tables()) is None
    written = json.loads(owner_file(store, "test_imaging").read_text())
    assert written["identity"] == imaging.Store().fetch1("store_identity")
    assert store_sweep.plan_sweep(tables.default_tables()).num_objects > 0


def test_a_damaged_file_of_the_owner_is_told(lab: Lab, store: Path) -> None:
    owner_file(store, "test_imaging").write_text('{"identity": 5}')
    with pytest.raises(StoreError, match=r"(?s)is damaged.*identity.*store claim"):
        store_sweep.sweep(tables.default_tables())


def test_sweeping_shows_counts_and_asks(store: Path, notes: Notes, run: Callable[..., Result]) -> None:
    before = objects(store)
    shown = run("store", "sweep", "--dry-run")
    assert shown.exit_code == 0
    assert f"1 of {len(before)} arrays are named by no row" in shown.stdout
    (unused,) = store_sweep.plan_sweep(tables.default_tables()).unused
    assert f"  {unused}" in shown.stdout.splitlines()
    assert run("store", "sweep").exit_code == 1
    assert "Say --yes to agree" in run("store", "sweep").stderr
    assert objects(store) == before
    assert "Moved aside: 1 of traces" in run("store", "sweep", "--yes").stdout
    assert before - objects(store) == {unused}
    assert_all_is_there(notes)


def test_a_store_is_claimed_by_a_command(
    lab: Lab, store: Path, notes: Notes, run: Callable[..., Result]
) -> None:
    assert run("store", "claim").stdout == "The store belongs to this database.\n"
    imaging.Store.update1({"store_name": "main", "store_identity": "another"})
    refused = run("store", "claim")
    assert refused.exit_code == 1
    assert "belongs to another database" in refused.stdout
    assert run("store", "claim", "--yes").exit_code == 0
    assert run("store", "sweep", "--yes").exit_code == 0
    assert_all_is_there(notes)


def test_arrays_that_are_gone_are_made_again_and_what_people_noted_stays(
    lab: Lab, store: Path, notes: Notes, run: Callable[..., Result]
) -> None:
    before = (imaging.Cell.Traces & {"cell_id": 2}).fetch1("df_f")
    gone = objects(store)
    for name in gone:
        (store / name).unlink()
    shown = run("store", "reimport", "--dry-run").stdout
    assert "1 of test_imaging.FilteredSpikes" in shown
    assert "5 of test_imaging.Cell" in shown
    assert run("store", "reimport").exit_code == 1
    assert objects(store) == set()
    told = run("store", "reimport", "--yes")
    assert told.exit_code == 0
    assert "Deleted" not in told.stdout
    assert_all_is_there(notes)
    assert_cells_are_noted(notes)
    np.testing.assert_array_equal((imaging.Cell.Traces & {"cell_id": 2}).fetch1("df_f"), before)
    assert imaging.Tif.SI().fetch1("frame_numbers").load().shape == (OBJECT.num_frames,)
    assert run("store", "reimport").stdout == "All arrays that rows name are in the store.\n"


def test_rows_that_would_be_others_now_are_imported_again_with_a_yes(
    lab: Lab, store: Path, notes: Notes, output: Path, run: Callable[..., Result]
) -> None:
    for name in imaging.Cell().fetch1("trace_objects")["primary"].values():
        (store / name).unlink()
    curate(output / "plane0", [True] * 5)
    told = run("store", "reimport", "--yes").stdout
    assert "iscell.npy was written since it was registered" in told.replace("\n", " ")
    assert "3 user_anna_notes.Note, of anna" in told
    assert len(notes()) == 0
    populate(*IMPORTED)
    assert len(imaging.Cell.Traces().to_arrays("df_f")) == 5


def assert_cells_are_noted(notes: Notes) -> None:
    assert len(notes()) == len(notes() * imaging.Cell.Rois) == len(CELLS)


def test_rows_whose_files_are_gone_too_stay(
    store: Path, output: Path, notes: Notes, run: Callable[..., Result]
) -> None:
    for name in imaging.Cell().fetch1("trace_objects")["primary"].values():
        (store / name).unlink()
    output.rename(output.with_name("archived"))
    told = run("store", "reimport", "--yes")
    assert told.exit_code == 0
    assert str(output / "plane0" / "F.npy") in told.stdout.replace("\n", "")
    assert_cells_are_noted(notes)


def test_arrays_of_a_table_that_this_program_does_not_fill_are_told(
    lab: Lab, store: Path, notes: Notes, run: Callable[..., Result]
) -> None:
    class Picture(dj.Manual):
        definition = """
        picture_id : int32
        ---
        picture : <npy@main>
        """

    dj.Schema("test_imaging", connection=lab.connection)(Picture)
    try:
        Picture.insert1({"picture_id": 0, "picture": np.zeros((2, 2), np.float32)})
        (name,) = (each for each in objects(store) if "picture" in each)
        (store / name).unlink()
        told = run("store", "reimport", "--yes")
        assert told.exit_code == 0
        assert "does not fill these tables: test_imaging.Picture" in told.stdout
    finally:
        tables.default_tables().connection.query(f"DROP TABLE {Picture.full_table_name}")
    assert_all_is_there(notes)
