"""Recordings that broke off at the microscope: what a request may say of them, and what is then stored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from imaging_pipeline.errors import InputError
from imaging_pipeline.ingest import copying
from imaging_pipeline.schemas import imaging, tables
from imaging_pipeline.schemas.register import requests
from tests.makers.folders import PAGES, Timeseries, aged, write_file, write_folder
from tests.makers.lab import Lab
from tests.makers.refusals import assert_refused, carried_out
from tests.makers.scanimage import truncate
from tests.makers.tif_stacks import end_chain_after

SPLIT = Timeseries("mouse", files=(3,))
FIRST, MIDDLE, LAST = SPLIT.tif_names


@pytest.fixture(autouse=True)
def nothing_comes_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let files that arrived a moment ago count as those of an hour ago: no program can set that time."""
    monkeypatch.setattr(copying, "PATIENCE_S", 0.0)


@pytest.fixture
def folder(lab: Lab) -> Path:
    return write_folder(lab.share / "90218" / "2024-05-17", SPLIT)


@pytest.fixture
def whole(folder: Path) -> bytes:
    """Return the content of the last tif, which is then cut within its last image."""
    content = (folder / LAST).read_bytes()
    aged(truncate(folder / LAST, 50))
    return content


def frames() -> list[int]:
    imaging.Tif.populate()
    return list(imaging.Tif().fetch1("frames_per_tif"))


def reports() -> dict[str, tuple[str, str]]:
    newest = max(imaging.MakeDatasetSessions().to_arrays("basefolder_id"))
    rows = (imaging.MakeDatasetSessions.File & {"basefolder_id": int(newest)}).to_dicts()
    return {Path(row["reported_path"]).name: (row["file_verdict"], row["file_reason"]) for row in rows}


def test_a_broken_recording_is_refused_with_the_way_to_register_it(
    lab: Lab, folder: Path, whole: bytes
) -> None:
    assert_refused(lab, folder, LAST, "The tif is truncated", "damaged_tifs = 'cut'", "'leave out'")
    assert imaging.BaseFolder().fetch1("damaged_tifs") == "refuse"


def test_a_chain_of_directories_that_ends_early_is_refused_with_both_sizes(lab: Lab, folder: Path) -> None:
    end_chain_after(folder / LAST, 1)
    size_bytes = (folder / LAST).stat().st_size
    assert_refused(lab, folder, LAST, "1 pages", f"of {size_bytes} bytes", "damaged_tifs = 'cut'")


def test_of_a_cut_recording_the_frames_before_the_damage_are_imported(
    lab: Lab, folder: Path, whole: bytes
) -> None:
    job = carried_out(lab, folder, damaged_tifs="cut")

    assert job["status"] == "success"
    assert frames() == [PAGES, PAGES, PAGES - 1]
    assert len(imaging.Tif.SI().fetch1("frame_timestamps_s")) == 3 * PAGES - 1
    assert reports()[LAST] == (
        "used",
        "tif: acquisition 1 of 'mouse', damaged: only its first 3 pages of all channels are taken",
    )
    assert imaging.PhysicalFile().to_arrays("pages_taken", order_by="file_order").tolist() == [None, None, 3]


def test_the_mean_image_of_a_cut_first_file_is_of_its_whole_frames(lab: Lab, folder: Path) -> None:
    pages = tifffile.imread(folder / FIRST, is_scanimage=False)
    aged(truncate(folder / FIRST, 50))

    carried_out(lab, folder, damaged_tifs="cut")

    assert frames() == [PAGES - 1, PAGES, PAGES]
    np.testing.assert_allclose(imaging.Tif().fetch1("mean_image"), pages[:-1].mean(0), rtol=1e-6)


def test_a_tif_that_is_left_out_is_in_no_dataset(lab: Lab, folder: Path, whole: bytes) -> None:
    carried_out(lab, folder, damaged_tifs="leave out")

    assert frames() == [PAGES, PAGES]
    verdict, reason = reports()[LAST]
    assert (verdict, reason[:42]) == ("ignored", "damaged, and left out as the request says:")


@pytest.mark.parametrize("choice", ["cut", "leave out"])
def test_a_whole_file_in_its_place_is_imported_whole(
    lab: Lab, folder: Path, whole: bytes, choice: str
) -> None:
    carried_out(lab, folder, damaged_tifs=choice)
    frames()
    write_file(folder / LAST, whole)

    carried_out(lab, folder)

    assert frames() == [PAGES] * 3
    assert set(imaging.PhysicalFile().to_arrays("pages_taken").tolist()) == {None}


def test_the_choice_stays_when_the_folder_is_registered_again_by_itself(
    lab: Lab, folder: Path, whole: bytes
) -> None:
    carried_out(lab, folder, damaged_tifs="leave out")
    row = imaging.BaseFolder().fetch1()

    number = requests.copy(tables.default_tables(), row, note="again")
    imaging.MakeDatasetSessions.populate()

    assert (imaging.BaseFolder & {"basefolder_id": number}).fetch1("damaged_tifs") == "leave out"
    assert reports()[LAST][0] == "ignored"


@pytest.mark.parametrize("choice", ["drop", "Cut", True, 1])
def test_another_choice_is_refused_with_those_that_there_are(lab: Lab, folder: Path, choice: object) -> None:
    with pytest.raises(InputError, match="'refuse', 'cut', 'leave out'") as error:
        imaging.BaseFolder.insert1({**lab.request(folder, combined=False), "damaged_tifs": choice})
    assert error.value.field == "damaged_tifs"


def test_exports_that_can_be_made_again_are_neither_cut_nor_left_out(lab: Lab, folder: Path) -> None:
    with pytest.raises(InputError, match="femtonics.*MESc exports them again"):
        imaging.BaseFolder.insert1(
            {
                **lab.request(folder, combined=False),
                "experiment_type": "femtonics",
                "damaged_tifs": "cut",
            }
        )
