"""Which folders of a share look like recordings."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from imaging_pipeline.ingest.recording_search import find_recordings
from tests.makers.femtonics import FIRST, LATER, STACK, export_tifs, write_femtonics
from tests.makers.folders import OPEN_FIELD, WHEEL, deep_folders, write_file, write_folder, write_suite2p
from tests.makers.mesc import write_mesc
from tests.makers.suite2p_output import Suite2pSpec


def test_a_folder_of_tifs_is_told_with_its_type_and_its_numbers(tmp_path: Path) -> None:
    write_folder(tmp_path / "90218" / "day1", OPEN_FIELD, WHEEL)
    os.utime(tmp_path / "90218" / "day1" / WHEEL.tif_names[0], (0, datetime(2025, 3, 1).timestamp()))
    (found,) = find_recordings(tmp_path).recordings
    assert (found.folder, found.experiment_type) == ("90218/day1", "2Pminiscope_A")
    assert (found.num_timeseries, found.num_files) == (2, 4)
    assert (found.newest, found.problem) == (datetime(2025, 3, 1), "")


def test_a_recording_below_another_is_one_of_its_own(tmp_path: Path) -> None:
    write_folder(tmp_path / "day1", OPEN_FIELD)
    write_folder(tmp_path / "day1" / "evening", WHEEL)
    assert [each.folder for each in find_recordings(tmp_path).recordings] == ["day1", "day1/evening"]


def test_exported_tifs_of_a_mesc_file_are_no_recording_of_their_own(tmp_path: Path) -> None:
    write_femtonics(tmp_path / "day1")
    (found,) = find_recordings(tmp_path).recordings
    assert (found.folder, found.experiment_type) == ("day1", "femtonics")


def test_notes_outputs_hidden_folders_and_links_look_like_nothing(tmp_path: Path) -> None:
    share = tmp_path / "share"
    write_file(share / "notes" / "plan.txt")
    write_suite2p(share / "day1" / "suite2p", Suite2pSpec())
    write_folder(share / ".trash", OPEN_FIELD)
    write_folder(tmp_path / "elsewhere", OPEN_FIELD)
    (share / "link").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    assert find_recordings(share).recordings == ()


def test_a_folder_that_could_not_be_registered_is_told_with_what_is_wrong(tmp_path: Path) -> None:
    write_file(tmp_path / "day1" / "a_00001_00001_00001.tif")
    (found,) = find_recordings(tmp_path).recordings
    assert found.folder == "day1"
    assert "which numbers are the acquisition and the file" in found.problem


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read every folder")
def test_a_folder_that_may_not_be_read_is_told_and_the_others_are_looked_at(tmp_path: Path) -> None:
    write_folder(tmp_path / "day1", OPEN_FIELD)
    (tmp_path / "private").mkdir(mode=0)
    found = find_recordings(tmp_path)
    assert found.unread == ("private",)
    assert len(found.recordings) == 1


def test_exported_tifs_are_none_of_their_own_where_two_mesc_files_leave_open_whose_they_are(
    tmp_path: Path,
) -> None:
    folder = write_femtonics(tmp_path / "day1")
    write_mesc(folder / "90853.mesc", replace(FIRST, start=LATER.start))
    (found,) = find_recordings(tmp_path).recordings
    assert (found.folder, found.num_timeseries) == ("day1", 3)


def test_exported_tifs_of_what_is_no_time_series_are_no_recording_of_their_own(tmp_path: Path) -> None:
    folder = write_femtonics(tmp_path / "day1")
    export_tifs(folder / "MUnit_1", STACK)
    (found,) = find_recordings(tmp_path).recordings
    assert found.folder == "day1"


def test_a_mesc_file_that_cannot_be_read_is_told_and_its_tifs_are_no_recording_of_their_own(
    tmp_path: Path,
) -> None:
    folder = write_femtonics(tmp_path / "day1")
    write_file(folder / "90218.mesc", b"no HDF5")
    (found,) = find_recordings(tmp_path).recordings
    assert (found.folder, found.experiment_type) == ("day1", "femtonics")
    assert "90218.mesc" in found.problem


@pytest.mark.skipif(os.name == "nt", reason="folders are made from open ones, which Windows cannot")
def test_folders_that_lie_too_deep_are_told_and_the_others_are_looked_at(tmp_path: Path) -> None:
    write_folder(tmp_path / "day1", OPEN_FIELD)
    with deep_folders(tmp_path / "mistake", 1900):
        found = find_recordings(tmp_path)
    assert [each.folder for each in found.recordings] == ["day1"]
    assert found.unread == ("mistake" + "/d" * 100,)
