"""Lost frames and several acquisitions: what is told, imported and refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from imaging_pipeline.demo.scanimage_settings import ScanImageSettings
from imaging_pipeline.schemas import imaging, suite2p_jobs, tables
from imaging_pipeline.schemas.administer.administration import add_options
from tests.makers import scanimage
from tests.makers.folders import START, aged
from tests.makers.lab import Lab, register
from tests.makers.preprocessed import write_corrected
from tests.makers.refusals import assert_told
from tests.makers.stand_in_suite2p import stand_in_suite2p
from tests.makers.suite2p_runs import RIGID
from tests.makers.worker import worked

PLANAR = ScanImageSettings(30.0, start=START)
LATER = replace(PLANAR, start=START + timedelta(seconds=20), first_timestamp_s=0.25)
NAME = "mouse_00001.tif"


@pytest.fixture
def folder(lab: Lab) -> Path:
    folder = lab.share / "90218" / "2024-05-17"
    folder.mkdir(parents=True)
    return folder


def test_the_gap_of_a_planar_recording_stays_in_its_times_and_is_told(lab: Lab, folder: Path) -> None:
    aged(scanimage.write_tif_with_losses(folder / NAME, 12, (3, 4), PLANAR))
    aged(scanimage.write_tif(folder / "mouse_00002.tif", 6, LATER))

    register(lab, folder, combined=False)
    imaging.Tif.populate()

    (told,) = imaging.MakeDatasetSessions.Finding().to_arrays("finding").tolist()
    assert told.startswith(f"lost frames: of mouse: 2 frames missing, in or before {NAME}; the times of its")
    first, second = imaging.Tif.Acquisition().to_dicts(order_by="acquisition_number")
    frames = [(row["acquisition_first_frame"], row["acquisition_num_frames"]) for row in (first, second)]
    assert (first["acquisition_number"], frames) == (1, [(0, 10), (10, 6)])
    assert (first["num_lost_frames"], second["num_lost_frames"]) == (2, 0)
    assert (first["acquisition_start"], first["acquisition_start_s"], first["raw_start_s"]) == (START, 0, 0)
    assert second["acquisition_start"] == START + timedelta(seconds=20.25)
    assert (second["acquisition_start_s"], second["raw_start_s"]) == (20.25, 0.25)
    scanned = np.array([0, 1, 2, 5, 6, 7, 8, 9, 10, 11])
    times_s = imaging.Tif.SI().fetch1("frame_timestamps_s").load()
    np.testing.assert_allclose(times_s, [*scanned / 30, *(20.25 + np.arange(6) / 30)], atol=1e-8)


def test_volumes_that_lack_a_frame_are_neither_imported_nor_run(
    lab: Lab, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in_suite2p(tmp_path / "packages", monkeypatch)
    add_options(tables.default_tables(), "small", RIGID)
    aged(scanimage.write_tif_with_losses(folder / NAME, 80, (41,), replace(PLANAR, num_planes=4)))
    register(lab, folder, combined=True, ops_name="small")

    jobs = [
        worked(table, {name: key[name] for name in table.primary_key})
        for table in (imaging.Tif(), suite2p_jobs.Suite2Py())
        for key in table.key_source.to_dicts()
    ]

    assert [job["status"] for job in jobs] == ["error", "error"]
    for job in jobs:
        assert_told(
            job["error_message"], "Frames of volumes are missing", NAME, "Found: frame 41 and then 43"
        )
    assert len(imaging.Tif() or suite2p_jobs.Suite2Py()) == 0


def test_corrected_volumes_whose_raw_frames_lack_one_are_not_imported(lab: Lab, folder: Path) -> None:
    settings = replace(PLANAR, num_planes=4)
    aged(scanimage.write_tif_with_losses(folder / NAME, 80, (41,), settings))
    write_corrected(folder, "mouse", 1, np.random.default_rng(0).integers(1, 99, (79, 12, 16), np.int16))
    register(lab, folder, combined=True, experiment_type="2Pminiscope_A preprocessed")

    imaging.Tif.populate(reserve_jobs=True, suppress_errors=True)

    assert len(imaging.Tif()) == 0
    for message in imaging.Tif.jobs.errors.to_arrays("error_message").tolist():
        assert_told(message, "Frames of volumes are missing", NAME, "Found: frame 41 and then 43")
