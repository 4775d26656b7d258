"""What is left in the store."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import datajoint as dj
import numpy as np
import pytest

from imaging_pipeline.errors import StoreError
from imaging_pipeline.schemas import imaging, tables
from imaging_pipeline.schemas.administer import store_sweep
from tests.makers.folders import aged
from tests.makers.lab import Lab, register
from tests.makers.recordings import OBJECT, import_all, populate, register_all, write_recording
from tests.makers.scanimage import header_with, write_tif
from tests.makers.suite2p_output import curate

LONG = replace(OBJECT, frames=((400,),))


def store_of(lab: Lab) -> Path:
    return Path(lab.config.stores["main"]["location"])


def objects(lab: Lab) -> set[Path]:
    """Return every file of the store, those of earlier tests too."""
    return {path for path in store_of(lab).rglob("*") if path.is_file()}


def age(paths: set[Path]) -> None:
    """Let files be a little older than a day."""
    then = time.time() - 25 * 3600
    for path in paths:
        os.utime(path, (then, then))


def set_store(monkeypatch: pytest.MonkeyPatch, place: Path) -> None:
    monkeypatch.setitem(dj.config.stores, "main", {"protocol": "file", "location": str(place)})


def test_traces_of_a_rolled_back_job_are_swept_after_a_day_and_not_before(lab: Lab) -> None:
    root = register_all(lab, OBJECT)
    populate("Tif", "ImagingAnalysis")
    stat = np.load(root / "plane0" / "stat.npy", allow_pickle=True)
    # No column takes this number: the rows are refused when all arrays are written.
    stat[4]["npix_soma"] = 2**40
    np.save(root / "plane0" / "stat.npy", stat)
    before = objects(lab)
    with pytest.raises(Exception, match="(?i)out of range"):
        imaging.Cell.populate()
    assert len(imaging.Cell()) + len(imaging.Cell.Rois()) == 0
    left = objects(lab) - before
    assert {path.name.partition("_")[2] for path in left} == {
        *("primary_fluo.npy", "primary_neuropil.npy", "primary_fcorr.npy", "primary_df_f.npy", "spikes.npy")
    }
    store_sweep.sweep(tables.default_tables())
    assert left <= objects(lab)
    age(left)
    store_sweep.sweep(tables.default_tables())
    assert not left & objects(lab)


def test_images_of_a_rolled_back_job_are_swept_after_a_day_and_not_before(lab: Lab) -> None:
    folder = lab.share / "90218" / "2024-05-17"
    (path,) = write_recording(folder, OBJECT)
    powers = f"[{' '.join(['12.5'] * 100)}]"
    # More than the column of the part takes: its master's row and image are written by then.
    aged(write_tif(path, header=header_with(OBJECT.settings, hBeams__powers=powers)))
    register(lab, folder, combined=False)
    before = objects(lab)
    with pytest.raises(Exception, match="(?i)too long"):
        imaging.Tif.populate()
    assert len(imaging.Tif()) == 0
    left = objects(lab) - before
    assert any(path.name.startswith("mean_image") for path in left)
    store_sweep.sweep(tables.default_tables())
    assert left <= objects(lab)
    age(left)
    store_sweep.sweep(tables.default_tables())
    assert not left & objects(lab)


def test_a_purge_leaves_objects_to_the_sweep(lab: Lab) -> None:
    root = import_all(lab, OBJECT)
    key = imaging.Cell().keys()[0]
    names = imaging.Cell().fetch1("trace_objects")["primary"].values()
    purged = {store_of(lab) / name for name in names}
    curate(root / "plane0", [True, False, True, True, True])
    register(lab, lab.share / "90218" / "2024-05-17", combined=False)
    populate("ImagingAnalysis", "Projection", "Cell", "FilteredSpikes")
    assert purged <= objects(lab)
    age(objects(lab))
    store_sweep.sweep(tables.default_tables())
    assert not purged & objects(lab)
    assert imaging.Cell.array(key, "df_f").shape == (4, OBJECT.num_frames)
    assert imaging.Projection.Plane().fetch1("mean_image").load().shape == (48, 64)


def test_a_store_that_takes_no_large_file_is_told_and_leaves_no_row_and_no_object(lab: Lab) -> None:
    resource = pytest.importorskip("resource")
    register_all(lab, LONG, num_rois=40)
    populate("Tif", "ImagingAnalysis")
    before = objects(lab)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    # The arrays need 64 kB each.
    resource.setrlimit(resource.RLIMIT_FSIZE, (32_768, limits[1]))
    try:
        with pytest.raises(StoreError, match="takes no file of that size"):
            imaging.Cell.populate()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert len(imaging.Cell()) + len(imaging.Cell.Rois()) == 0
    assert objects(lab) == before


def test_traces_of_a_store_that_is_not_mounted_here_are_told_with_their_place(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_all(lab, OBJECT)
    set_store(monkeypatch, lab.share.parent / "not mounted")
    with pytest.raises(StoreError, match=r"not mounted/traces/.*_primary_df_f.npy"):
        (imaging.Cell.Traces & {"cell_id": 1}).fetch1("df_f")
    with pytest.raises(StoreError, match="not mounted"):
        imaging.Cell.array(imaging.Cell().keys()[0], "spikes")
