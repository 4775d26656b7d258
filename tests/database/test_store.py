"""What is left in the store."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import datajoint as dj
import pytest

from imaging_pipeline.errors import StoreError
from imaging_pipeline.schemas import imaging, tables
from imaging_pipeline.schemas.administer import store_sweep
from tests.makers.folders import aged
from tests.makers.lab import Lab, register
from tests.makers.own_store import age, objects, own_store
from tests.makers.recordings import OBJECT, OPEN_FIELD, import_all, populate, register_all, write_recording
from tests.makers.scanimage import header_with, write_tif
from tests.makers.suite2p_output import curate

LONG = replace(OBJECT, frames=((400,),))
# A little more than a day.
OLD_S = 25 * 3600


@pytest.fixture
def store(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return own_store(tmp_path / "store", monkeypatch)


def test_traces_of_a_rolled_back_job_are_swept_after_a_day_and_not_before(lab: Lab, store: Path) -> None:
    register_all(lab, OBJECT)
    populate("Tif", "ImagingAnalysis")
    before = objects(store)
    # All arrays are written when the transaction begins, which the server may then refuse or lose.
    (key,) = imaging.ImagingAnalysis().keys()
    imaging.Cell().make_compute(key, *imaging.Cell().make_fetch(key))
    assert len(imaging.Cell()) + len(imaging.Cell.Rois()) == 0
    left = objects(store) - before
    assert {Path(name).name.partition("_")[2] for name in left} == {
        *("primary_fluo.npy", "primary_neuropil.npy", "primary_fcorr.npy", "primary_df_f.npy", "spikes.npy")
    }
    store_sweep.sweep(tables.default_tables())
    assert left <= objects(store)
    age(store, left, OLD_S)
    store_sweep.sweep(tables.default_tables())
    assert not left & objects(store)


def test_images_of_a_rolled_back_job_are_swept_after_a_day_and_not_before(lab: Lab, store: Path) -> None:
    import_all(lab, OPEN_FIELD)
    folder = lab.share / "90218" / "2024-05-18"
    (path,) = write_recording(folder, OBJECT)
    powers = f"[{' '.join(['12.5'] * 100)}]"
    # More than the column of the part takes: its master's row and image are written by then.
    aged(write_tif(path, header=header_with(OBJECT.settings, hBeams__powers=powers)))
    register(lab, folder, combined=False)
    before = objects(store)
    with pytest.raises(Exception, match="(?i)too long"):
        imaging.Tif.populate()
    assert len(imaging.Tif()) == 1
    left = objects(store) - before
    assert any(Path(name).name.startswith("mean_image") for name in left)
    store_sweep.sweep(tables.default_tables())
    assert left <= objects(store)
    age(store, left, OLD_S)
    store_sweep.sweep(tables.default_tables())
    assert not left & objects(store)


def test_a_purge_leaves_objects_to_the_sweep(lab: Lab, store: Path) -> None:
    root = import_all(lab, OBJECT)
    key = imaging.Cell().keys()[0]
    names = imaging.Cell().fetch1("trace_objects")["primary"].values()
    purged = set(names)
    curate(root / "plane0", [True, False, True, True, True])
    register(lab, lab.share / "90218" / "2024-05-17", combined=False)
    populate("ImagingAnalysis", "Projection", "Cell", "FilteredSpikes")
    assert purged <= objects(store)
    age(store, objects(store), OLD_S)
    store_sweep.sweep(tables.default_tables())
    assert not purged & objects(store)
    assert imaging.Cell.array(key, "df_f").shape == (4, OBJECT.num_frames)
    assert imaging.Projection.Plane().fetch1("mean_image").load().shape == (48, 64)


def test_a_store_that_takes_no_large_file_is_told_and_leaves_no_row_and_no_object(
    lab: Lab, store: Path
) -> None:
    resource = pytest.importorskip("resource")
    register_all(lab, LONG, num_rois=40)
    populate("Tif", "ImagingAnalysis")
    before = objects(store)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    # The arrays need 64 kB each.
    resource.setrlimit(resource.RLIMIT_FSIZE, (32_768, limits[1]))
    try:
        with pytest.raises(StoreError, match="takes no file of that size"):
            imaging.Cell.populate()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert len(imaging.Cell()) + len(imaging.Cell.Rois()) == 0
    assert objects(store) == before


def test_traces_of_a_store_that_is_not_mounted_here_are_told_with_their_place(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_all(lab, OBJECT)
    place = str(lab.share.parent / "not mounted")
    monkeypatch.setitem(dj.config.stores, "main", {"protocol": "file", "location": place})
    with pytest.raises(StoreError, match=r"not mounted/traces/.*_primary_df_f.npy"):
        (imaging.Cell.Traces & {"cell_id": 1}).fetch1("df_f")
    with pytest.raises(StoreError, match="not mounted"):
        imaging.Cell.array(imaging.Cell().keys()[0], "spikes")
