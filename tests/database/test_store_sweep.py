"""What a sweep of the store removes, and what it must never touch."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest

from imaging_pipeline.schemas import imaging, tables
from imaging_pipeline.schemas.administer import store_sweep
from imaging_pipeline.schemas.administer.store_sweep import Swept
from imaging_pipeline.store import traces as trace_store
from tests.makers.folders import WHEEL, write_folder, write_suite2p
from tests.makers.lab import Lab, register
from tests.makers.suite2p_output import Suite2pSpec

TWO_DAYS_S = 2 * 24 * 3600


def store_of(lab: Lab) -> Path:
    return Path(lab.config.stores["main"]["location"])


def age(path: Path) -> None:
    """Let a file be two days old."""
    then = time.time() - TWO_DAYS_S
    os.utime(path, (then, then))


def age_everything(lab: Lab) -> None:
    for path in store_of(lab).rglob("*"):
        if path.is_file():
            age(path)


@pytest.fixture
def imported(lab: Lab) -> Lab:
    """Return a lab with one session whose arrays are all in the store, and old."""
    folder = write_folder(lab.share / "90218" / "2024-05-17", WHEEL)
    register(lab, folder, combined=False)
    row = imaging.MetaSession().fetch1()
    spec = Suite2pSpec(file_list=list(WHEEL.tif_names), frames_per_file=[4])
    write_suite2p(lab.share / row["suite2p_folder"] / "fast" / "suite2p", spec)
    register(lab, folder, combined=False)
    for table in ("Tif", "ImagingAnalysis", "Projection", "Cell", "FilteredSpikes"):
        getattr(imaging, table).populate()
    age_everything(lab)
    # Whatever earlier tests left.
    store_sweep.sweep(tables.default_tables())
    return lab


def test_what_a_row_names_stays_however_old_it_is(imported: Lab) -> None:
    assert store_sweep.sweep(tables.default_tables()) == Swept((), ())
    assert (imaging.Cell.Traces & {"cell_id": 1}).fetch1("df_f").shape == (4,)
    assert (imaging.FilteredSpikes.Cell & {"cell_id": 1}).fetch1("filtered_spikes").shape == (4,)
    assert imaging.Tif.SI().fetch1("frame_numbers").load().shape == (4,)
    assert imaging.Projection.Plane().fetch1("mean_image").load().ndim == 2


def test_what_no_row_names_any_more_is_removed(imported: Lab) -> None:
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
    assert not any((store_of(imported) / name).exists() for name in (*swept.traces, *swept.arrays))
    assert imaging.Tif.SI().fetch1("frame_numbers").load().shape == (4,)


def test_what_is_young_stays_although_no_row_names_it_yet(lab: Lab) -> None:
    array = store_of(lab) / "_schema" / "test_imaging" / "tif" / "session=1" / "mean_image_x.npy"
    array.parent.mkdir(parents=True, exist_ok=True)
    array.write_bytes(b"array")
    block = np.zeros((1, 3), np.float32)
    traces = trace_store.write_arrays("test_imaging", ("fluo",), block.shape, [{"fluo": block}])["fluo"]

    store_sweep.sweep(tables.default_tables())

    assert array.exists()
    assert (store_of(lab) / traces).exists()
    age(array)
    age(store_of(lab) / traces)
    swept = store_sweep.sweep(tables.default_tables())
    assert traces in swept.traces
    assert array.relative_to(store_of(lab)).as_posix() in swept.arrays
