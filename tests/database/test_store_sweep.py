"""What a sweep takes out of the store, and what it must never touch."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from imaging_pipeline.errors import StoreError
from imaging_pipeline.schemas import imaging, tables
from imaging_pipeline.schemas.administer import store_sweep
from imaging_pipeline.store import traces as trace_store
from tests.makers.folders import WHEEL, write_folder, write_suite2p
from tests.makers.lab import Lab, register
from tests.makers.own_store import age, objects, own_store
from tests.makers.suite2p_output import Suite2pSpec


@pytest.fixture
def store(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return own_store(tmp_path / "store", monkeypatch)


@pytest.fixture
def imported(lab: Lab, store: Path) -> Path:
    """Return the store of a lab with one session whose arrays are all there, and old."""
    folder = write_folder(lab.share / "90218" / "2024-05-17", WHEEL)
    register(lab, folder, combined=False)
    row = imaging.MetaSession().fetch1()
    spec = Suite2pSpec(file_list=list(WHEEL.tif_names), frames_per_file=[4])
    write_suite2p(lab.share / row["suite2p_folder"] / "fast" / "suite2p", spec)
    register(lab, folder, combined=False)
    for table in ("Tif", "ImagingAnalysis", "Projection", "Cell", "FilteredSpikes"):
        getattr(imaging, table).populate()
    age(store, objects(store))
    return store


def sweep_of(store: Path) -> Path:
    """Return the folder of the only sweep whose objects are still there."""
    (folder,) = (store / "swept" / "test_imaging").iterdir()
    return folder


def test_what_a_row_names_stays_however_old_it_is(imported: Path) -> None:
    before = objects(imported)
    assert store_sweep.sweep(tables.default_tables()).is_empty
    assert objects(imported) == before
    assert (imaging.Cell.Traces & {"cell_id": 1}).fetch1("df_f").shape == (4,)
    assert (imaging.FilteredSpikes.Cell & {"cell_id": 1}).fetch1("filtered_spikes").shape == (4,)
    assert imaging.Tif.SI().fetch1("frame_numbers").load().shape == (4,)
    assert imaging.Projection.Plane().fetch1("mean_image").load().ndim == 2


def test_what_no_row_names_any_more_is_moved_aside(imported: Path) -> None:
    traces = {name for group in imaging.Cell().fetch1("trace_objects").values() for name in group.values()}
    spikes = set(imaging.FilteredSpikes().fetch1("spike_objects").values())
    imaging.Projection().delete(prompt=False)
    imaging.Cell().delete(prompt=False)

    swept = store_sweep.sweep(tables.default_tables())

    assert set(swept.traces) == traces | spikes
    assert {Path(name).name.split("_")[0] for name in swept.arrays} == {
        "mean",
        "max",
        "vcorr",
        "x",
        "y",
        "bad",
    }
    assert not objects(imported) & set(swept.unused)
    assert {*swept.unused} == {
        path.relative_to(sweep_of(imported)).as_posix()
        for path in sweep_of(imported).rglob("*")
        if path.is_file()
    }
    assert imaging.Tif.SI().fetch1("frame_numbers").load().shape == (4,)


def test_what_was_moved_aside_is_deleted_by_a_sweep_a_month_later_and_not_before(imported: Path) -> None:
    imaging.FilteredSpikes().delete(prompt=False)
    store_sweep.sweep(tables.default_tables())
    moved = sweep_of(imported)
    for days, is_there in ((29, True), (31, False)):
        earlier = datetime.now(UTC) - timedelta(days=days)
        moved = moved.rename(moved.with_name(earlier.strftime("%Y-%m-%dT%H%M%SZ")))
        store_sweep.sweep(tables.default_tables())
        assert moved.exists() is is_there


def test_what_was_moved_aside_and_is_named_by_a_row_is_put_back(imported: Path) -> None:
    row = imaging.FilteredSpikes().fetch1()
    parts = imaging.FilteredSpikes.Cell().proj("spike_threshold", "num_invalid_spikes").to_dicts()
    (name,) = row["spike_objects"].values()
    cells = [
        {**part, "filtered_spikes": {"object": name, "row": number}} for number, part in enumerate(parts)
    ]
    imaging.FilteredSpikes().delete(prompt=False)
    assert set(store_sweep.sweep(tables.default_tables()).unused) == {name}
    # As a newer backup of the database is restored.
    imaging.FilteredSpikes.insert1(row, allow_direct_insert=True)
    imaging.FilteredSpikes.Cell.insert(cells, allow_direct_insert=True)
    assert store_sweep.plan_sweep(tables.default_tables()).put_back == (name,)
    store_sweep.sweep(tables.default_tables())
    assert name in objects(imported)
    assert imaging.FilteredSpikes.Cell().to_arrays("filtered_spikes")[0].shape == (4,)


def test_nothing_but_what_was_shown_is_moved(imported: Path) -> None:
    imaging.FilteredSpikes().delete(prompt=False)
    shown = store_sweep.plan_sweep(tables.default_tables())
    imaging.Projection().delete(prompt=False)
    assert store_sweep.sweep(tables.default_tables(), shown).unused == shown.unused
    assert len(store_sweep.plan_sweep(tables.default_tables()).unused) > 0


def test_nearly_everything_is_never_swept(imported: Path) -> None:
    before = objects(imported)
    for table in (imaging.Cell, imaging.Projection, imaging.Tif):
        table().delete(prompt=False)
    with pytest.raises(StoreError, match=f"{len(before)} of {len(before)} arrays"):
        store_sweep.sweep(tables.default_tables())
    assert objects(imported) == before


def test_what_is_young_stays_although_no_row_names_it_yet(imported: Path) -> None:
    array = imported / "_schema" / "test_imaging" / "tif" / "session=1" / "mean_image_x.npy"
    array.parent.mkdir(parents=True)
    array.write_bytes(b"array")
    block = np.zeros((1, 3), np.float32)
    traces = trace_store.write_arrays("test_imaging", ("fluo",), block.shape, [{"fluo": block}])["fluo"]
    young = {traces, array.relative_to(imported).as_posix()}

    assert store_sweep.sweep(tables.default_tables()).is_empty

    assert young <= objects(imported)
    age(imported, young)
    assert set(store_sweep.sweep(tables.default_tables()).unused) == young
