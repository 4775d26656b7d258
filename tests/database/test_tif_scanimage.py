"""What is kept of stacks of ScanImage: volumes, channels, fields of view, and old versions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from imaging_pipeline.demo.scanimage_settings import ScanImageSettings
from imaging_pipeline.schemas import imaging
from tests.makers import scanimage
from tests.makers.folders import START, aged
from tests.makers.lab import Lab, register
from tests.makers.scanimage_fields import LINES_BETWEEN, Field, write_fields_tif

VOLUMES = replace(ScanImageSettings(20.0), start=START, num_planes=3, flyback_frames=1, channels=(1, 3))


@pytest.fixture
def folder(lab: Lab) -> Path:
    folder = lab.share / "90218" / "2024-05-17"
    folder.mkdir(parents=True)
    return folder


def imported(lab: Lab, folder: Path) -> dict:
    """Register a folder of tifs that were copied long ago, import them, and give what is told of them."""
    for path in folder.iterdir():
        aged(path)
    register(lab, folder, combined=False)
    imaging.Tif.populate()
    return (imaging.Tif * imaging.Tif.SI).fetch1()


def test_volumes_keep_their_planes_in_the_order_in_which_they_are_scanned(lab: Lab, folder: Path) -> None:
    header = scanimage.header_with(VOLUMES, hStackManager__zs="[40 -20 0]")
    scanimage.write_tif(folder / "90218-deep_00001.tif", 27, VOLUMES, header=header)

    row = imported(lab, folder)

    assert (row["num_scanning_depths"], row["num_flyback_frames"], row["frames_per_slice"]) == (3, 1, 1)
    assert (row["framerate"], row["volume_rate"], row["tif_rate_hz"]) == (20, 5, 5)
    assert (row["num_channels"], row["channels_saved"], row["num_frames"]) == (2, [1, 3], 13)
    planes = imaging.Tif.Plane().to_dicts(order_by="tif_plane")
    assert [(plane["tif_plane"], plane["plane_z_um"]) for plane in planes] == [(0, 40), (1, -20), (2, 0)]
    assert {(plane["field_height"], plane["field_width_um"]) for plane in planes} == {(scanimage.HEIGHT, 225)}
    # Of the first channel of the first plane.
    assert row["mean_image"].load().mean() == np.mean([0, 8, 16, 24])


def test_fields_of_view_keep_their_place_in_the_page_and_in_the_sample(lab: Lab, folder: Path) -> None:
    fields = (Field(20, 16, top=5), Field(12, 16, left=40))
    settings = replace(VOLUMES, channels=(1,), num_planes=2, flyback_frames=0)
    images = [np.full((field.height, field.width), 7, np.int16) for field in fields]
    write_fields_tif(folder / "90218-wide_00001.tif", fields, [images] * 4, settings)

    row = imported(lab, folder)

    assert (row["num_fields"], row["height"], row["width_scanimage_micro"]) == (2, 32 + LINES_BETWEEN, None)
    planes = imaging.Tif.Plane().to_dicts(order_by="tif_plane")
    assert [(plane["plane_depth"], plane["plane_z_um"]) for plane in planes] == [(0, 0)] * 2 + [(1, 20)] * 2
    columns = ("field_first_line", "field_height", "field_x", "field_y", "field_width_um")
    for plane, expected in zip(planes, [(0, 20, 0, 5, 24), (24, 12, 40, 0, 24)] * 2, strict=True):
        assert tuple(plane[column] for column in columns) == expected


@pytest.mark.parametrize(
    ("lines", "header", "version", "expected_s"),
    [
        ("", scanimage.HEADER_3, "3.8", np.arange(3) / 3.90625),
        (scanimage.FRAME_LINES_4, scanimage.HEADER_4, "4.2", np.array([0, 0.05, 0.1])),
    ],
)
def test_times_that_a_version_does_not_write_are_computed_and_said_to_be(
    lab: Lab, folder: Path, lines: str, header: str, version: str, expected_s: np.ndarray
) -> None:
    scanimage.write_classic_tif(folder / "90218-old_00001.tif", lines, header)

    row = imported(lab, folder)

    assert row["version"] == version
    assert row["are_times_computed"] == True  # noqa: E712  # MySQL gives 1
    np.testing.assert_allclose(row["frame_timestamps_s"].load(), expected_s)


@pytest.mark.parametrize(
    ("lines", "header", "version"),
    [
        (scanimage.FRAME_LINES_50, scanimage.HEADER_50, "5.0"),
        (scanimage.FRAME_LINES_51, scanimage.HEADER_51, "5.1"),
    ],
)
def test_versions_from_5_0_on_write_their_times(
    lab: Lab, folder: Path, lines: str, header: str, version: str
) -> None:
    scanimage.write_classic_tif(folder / "90218-old_00001.tif", lines, header)

    row = imported(lab, folder)

    assert row["version"] == version
    assert row["are_times_computed"] == False  # noqa: E712  # MySQL gives 0
    np.testing.assert_allclose(row["frame_timestamps_s"].load(), np.arange(row["num_frames"]) / 30, atol=1e-8)
    assert imaging.Tif.Acquisition().fetch1("raw_start_s") == pytest.approx(1 / 30)
