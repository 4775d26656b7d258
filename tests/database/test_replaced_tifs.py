"""Registered files that are replaced before they are imported."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from imaging_pipeline.errors import InputError
from imaging_pipeline.schemas import imaging
from tests.makers.femtonics import FIRST, LATER, SECOND, STACK, write_femtonics
from tests.makers.folders import COPIED, START, Timeseries, aged, write_folder, write_tif
from tests.makers.lab import Lab, register
from tests.makers.mesc import add_to_mesc, write_mesc
from tests.makers.plain_tifs import write_plain_tifs, write_session_json


@pytest.fixture
def folder(lab: Lab) -> Path:
    """Return a registered folder of which nothing is imported."""
    folder = write_folder(lab.share / "day1", Timeseries("mouse", files=(1,)))
    register(lab, folder, combined=False)
    return folder


def test_a_tif_that_is_not_the_registered_one_is_not_imported(lab: Lab, folder: Path) -> None:
    write_tif(folder / "mouse_00001_00001.tif", START + timedelta(days=3), seed=7)
    with pytest.raises(InputError, match=r"mouse_00001_00001\.tif.*Register the folder again"):
        imaging.Tif.populate()
    assert len(imaging.Tif()) == 0


def test_a_replaced_tif_is_imported_when_its_folder_is_registered_again(lab: Lab, folder: Path) -> None:
    aged(write_tif(folder / "mouse_00001_00001.tif", seed=8), COPIED + timedelta(days=1))
    register(lab, folder, combined=False)
    imaging.Tif.populate()
    assert len(imaging.Tif()) == 1


def test_a_description_that_is_not_the_registered_one_is_not_taken(lab: Lab) -> None:
    folder = write_plain_tifs(lab.share / "day1")
    register(lab, folder, combined=False, experiment_type="plain tifs")
    write_session_json(folder, frame_rate_hz=15.0)
    with pytest.raises(InputError, match=r"session\.json.*Register the folder again"):
        imaging.Tif.populate()


def test_a_measurement_that_is_not_the_registered_one_is_not_imported(lab: Lab) -> None:
    folder = write_femtonics(lab.share / "day1")
    register(lab, folder, combined=False, experiment_type="femtonics")
    write_mesc(folder / "90218.mesc", replace(FIRST, seed=9), STACK, replace(SECOND, seed=9))
    for table in (imaging.Mesc, imaging.Tif):
        with pytest.raises(InputError, match=r"90218\.mesc.*Register the folder again"):
            table.populate()


def test_a_measurement_stays_the_registered_one_when_another_is_recorded_into_its_file(lab: Lab) -> None:
    folder = write_femtonics(lab.share / "day1")
    register(lab, folder, combined=False, experiment_type="femtonics")
    add_to_mesc(folder / "90218.mesc", LATER)
    imaging.Mesc.populate()
    imaging.Tif.populate()
    assert len(imaging.Mesc()) == len(imaging.Tif()) == 2
