"""A lab with something on every page of the site."""

from __future__ import annotations

import os
import tempfile
from datetime import date
from pathlib import Path

from imaging_pipeline.colony.sources.csv_file import CsvFile
from imaging_pipeline.colony.sync import sync
from imaging_pipeline.errors import PipelineError
from imaging_pipeline.lanes import Need
from imaging_pipeline.living_worker import Lack
from imaging_pipeline.schemas import imaging, tables
from imaging_pipeline.schemas.administer import administration
from imaging_pipeline.schemas.administer.change_log import recorded_change
from tests.makers.lab import Lab, register
from tests.makers.living import add_worker
from tests.makers.recordings import OBJECT, OPEN_FIELD, import_all, populate, session_key, write_recording
from tests.makers.worker import worked

PARTS = {
    "Sync": [
        {"sync_name": "frames", "generic_name": "frames_imaging", "polarity": "rising", "master": True},
        {"sync_name": "cam", "generic_name": "frames_tracking", "polarity": "falling", "tolerance": 0.5},
    ],
    "Tracking1D": {"encoder_steps": 1024},
    "Labview": {"labview_config": {"rate": 100, "lines": ["a", "b"]}},
}


def furnish(lab: Lab) -> None:
    """Register and import a recording, and add what an administrator would."""
    bound = tables.default_tables()
    administration.add_options(bound, "mouse", {"tau": 1.5, "nonrigid": False, "combined": True})
    administration.add_options(bound, "brisk", {"tau": 0.7})
    administration.add_setup(bound, "wheel room", date(2026, 3, 14), "2Pminiscope_A", parts=PARTS)
    with recorded_change(bound, "bob", "added the microscope", "mini2p", {"notes": "the second one"}):
        administration.add_scope(bound, "mini2p", notes="the second one")
    administration.add_apparatus(bound, "wheel", "treadmill", note="10 cm wide")
    compare_with_colony()
    import_all(lab, OBJECT)
    populate("SNR")
    fail(lab)
    lack = Lack(Need.SUITE2P, "suite2p", "Suite2p is not installed", "Install it.")
    add_worker(imaging.Worker, "pc1", "ingest,imported", processes={4711: "Tif of 90218"}, lacks=(lack,))


def fail(lab: Lab) -> None:
    """Register a recording whose tif is cut short before it is imported."""
    folder = lab.share / "90218" / "2024-05-18"
    write_recording(folder, OPEN_FIELD)
    register(lab, folder, combined=False)
    tif = folder / OPEN_FIELD.tif_names[0]
    tif.write_bytes(tif.read_bytes()[:-100])
    (key,) = (imaging.Session.Data - imaging.Tif & session_key(OPEN_FIELD)).keys()
    worked(imaging.Tif(), key)


def compare_with_colony() -> None:
    """Compare the animals with a colony twice, in which one is renamed and a row is wrong; then with none."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "animals.csv"
        for text in ("b1,90300,female", "b1,90300b,female\nb2,90301,perhaps", ""):
            file.write_text(f"animal_id,animal_name,animal_sex\n{text}\n")
            an_hour_ago = file.stat().st_mtime - 3600
            os.utime(file, (an_hour_ago, an_hour_ago))
            try:
                sync(tables.default_tables(), CsvFile(file, datasource_id=1))
            except PipelineError:
                assert not text
