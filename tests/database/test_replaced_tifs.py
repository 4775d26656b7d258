"""Registered tifs that are replaced before they are imported."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from imaging_pipeline.errors import InputError
from imaging_pipeline.schemas import imaging
from tests.makers.folders import COPIED, START, Timeseries, aged, write_folder, write_tif
from tests.makers.lab import Lab, register


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
