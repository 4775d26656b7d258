"""Folders that are no recordings, or not whole ones: told clearly, and nothing is half done."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from imaging_pipeline.errors import InputError, PathError, Responsible
from imaging_pipeline.schemas import imaging
from tests.makers.folders import (
    OPEN_FIELD,
    Timeseries,
    aged,
    write_companions,
    write_file,
    write_folder,
    write_tif,
)
from tests.makers.lab import Lab
from tests.makers.refusals import assert_refused, assert_told, assert_waits, carried_out, snapshot

SPLIT = Timeseries("mouse", files=(4,))


@pytest.fixture
def folder(lab: Lab) -> Path:
    """Return the place of a folder that is not there yet."""
    return lab.share / "90218" / "2024-05-17"


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("Q:\\moser\\90218", ("lies in no repository", "Allowed: N:\\moser (moser)", "Check the spelling")),
        ("N:\\moser2\\90218", ("lies in no repository", "Allowed: N:\\moser (moser)", "Check the spelling")),
        ("N:\\moser\\..\\payroll", ("leaves its repository", "without '..'")),
        ("N:\\moser\\90218\\..\\..\\payroll", ("leaves its repository", "without '..'")),
        ("N:\\moser", ("a whole repository", "Found: the repository 'moser'", "a folder below it")),
        ("n:/MOSER/90218/..", ("a whole repository", "Found: the repository 'moser'", "a folder below it")),
        ("N:\\moser\\con\\day1", ("no folder can have", "Found: 'con'", "Correct the spelling")),
        ("2024-05-17", ("not the whole path", "Allowed: N:\\folder", "Copy the path")),
    ],
)
def test_a_path_to_no_folder_of_a_repository_is_refused_at_once(
    lab: Lab, folder: Path, path: str, told: tuple[str, ...]
) -> None:
    before = snapshot(lab)
    with pytest.raises(PathError) as error:
        imaging.BaseFolder.insert1({**lab.request(folder, combined=False), "path": path})
    assert_told(str(error.value), f"File: {path}.", *told)
    assert error.value.responsible is Responsible.EXPERIMENTER
    assert snapshot(lab) == before
    assert len(imaging.BaseFolder()) == 0


@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        ({"path": "N:\\moser\\90218" + "\\" * 1011}, "The path is longer than the database takes"),
        ({"path": "N:\\moser" + "\\a" * 520}, "The path is longer than the database takes"),
        ({"base_folder_note": "x" * 4097}, "The base_folder_note is longer than the database takes"),
        ({"base_folder_note": "a\0b"}, "The base_folder_note is longer than the database takes, or no text"),
    ],
)
def test_what_no_column_takes_is_refused_at_once(
    lab: Lab, folder: Path, inputs: dict[str, str], told: str
) -> None:
    request = {**lab.request(folder, combined=False), **inputs}
    for ask in (imaging.BaseFolder.insert1, lambda row: imaging.BaseFolder.preview(**row)):
        with pytest.raises(PathError if "path" in inputs else InputError, match=told):
            ask(request)
    assert len(imaging.BaseFolder()) == 0


@pytest.mark.skipif(os.name == "nt", reason="Windows has shorter paths by default")
@pytest.mark.parametrize(
    ("below", "found"),
    [
        # 90218/2024-05-17 before it, and notes.txt behind it.
        ("/".join(["y" * 200] * 5), "1031 characters below the repository. Allowed: at most 1024"),
        ("/".join("d" * 101), "more than 100 levels. Allowed: at most 100 levels of folders"),
    ],
)
def test_a_folder_with_a_path_that_no_column_takes_is_refused(
    lab: Lab, folder: Path, below: str, found: str
) -> None:
    write_folder(folder, OPEN_FIELD)
    write_file(folder / below / "notes.txt")
    assert_refused(lab, folder, f"Found: {found}", "The experimenter's move")
    with pytest.raises(PathError, match=found):
        imaging.BaseFolder.preview(**lab.request(folder, combined=False))


@pytest.mark.skipif(os.name == "nt", reason="Windows has shorter paths by default")
def test_a_folder_whose_outputs_would_have_longer_paths_is_refused(lab: Lab) -> None:
    folder = lab.share / "/".join(["y" * 200] * 4) / ("z" * 90)
    write_folder(folder, OPEN_FIELD)
    assert_refused(lab, folder, "A path is longer than the database takes", "Allowed: at most 896")


@pytest.mark.skipif(os.name == "nt", reason="making a link needs a privilege on Windows")
def test_a_link_that_leaves_the_repository_is_refused_with_where_it_leads(
    lab: Lab, folder: Path, tmp_path: Path
) -> None:
    elsewhere = write_folder(tmp_path / "elsewhere", OPEN_FIELD)
    folder.parent.mkdir()
    folder.symlink_to(elsewhere)
    told = (f"File: {folder}", f"Found: it leads to {elsewhere}", "without links")
    assert_refused(lab, folder, "leaves its repository", *told)
    folder.unlink()
    elsewhere.rename(folder)
    assert carried_out(lab, folder)["status"] == "success"


def test_a_folder_that_is_not_there_is_refused_until_it_is(lab: Lab, folder: Path) -> None:
    assert_refused(lab, folder, "There is no such folder", f"File: {folder}", "Check the spelling")
    write_folder(folder, OPEN_FIELD)
    assert carried_out(lab, folder)["status"] == "success"


def test_a_folder_that_is_a_file_is_refused(lab: Lab, folder: Path) -> None:
    write_file(folder)
    assert_refused(lab, folder, "This is a file and no folder", f"File: {folder}", r"in: N:\moser\90218")


def test_an_empty_folder_is_refused_until_a_recording_is_in_it(lab: Lab, folder: Path) -> None:
    (folder / "suite2p").mkdir(parents=True)
    assert_refused(lab, folder, "The folder is empty", f"File: {folder}", "Copy the recording into it")
    write_folder(folder, OPEN_FIELD)
    assert carried_out(lab, folder)["status"] == "success"


def test_a_folder_with_nothing_of_its_experiment_type_is_refused_with_what_is_there(
    lab: Lab, folder: Path
) -> None:
    write_file(folder / "notes.txt")
    write_file(folder / "ThorImage_001.raw")
    write_companions(folder, "mouse", 1)
    found = ("Found: 6 files: ThorImage_001.raw (no file of this experiment type ends in '.raw')",)
    assert_refused(lab, folder, "no recording of type 2Pminiscope_A", f"File: {folder}", *found, "Check the")


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("x_12345_00001.tif", "'x_12345' before 00001"),
        ("x_00001_00002_00003.tif", "'x' before 00001 and 00002 and 00003"),
    ],
)
def test_a_name_whose_counters_are_ambiguous_is_refused_until_it_is_renamed(
    lab: Lab, folder: Path, name: str, found: str
) -> None:
    write_folder(folder, OPEN_FIELD)
    odd = write_tif(folder / name, OPEN_FIELD.start.replace(hour=9))
    told = (f"File: {odd}", f"Found: {found}", "Allowed: NAME_<acquisition>_<file>.tif", "Rename the file")
    assert_refused(lab, folder, "does not say certainly", *told)
    assert len(imaging.Session()) == 0
    odd.rename(folder / "x-12345_00001_00001.tif")
    assert carried_out(lab, folder)["status"] == "success"
    assert len(imaging.Session()) == 2


@pytest.mark.parametrize(
    ("series", "away", "told"),
    [
        (SPLIT, 1, ("Files of acquisition 1 of 'mouse' are missing", "files 1, 3, 4, without 2")),
        (
            Timeseries("mouse", files=(1, 1, 1)),
            1,
            ("Acquisitions of 'mouse' are missing", "acquisitions 1, 3, without 2"),
        ),
        (SPLIT, 0, ("Files of acquisition 1 of 'mouse' are missing", "files 2, 3, 4, without 1")),
    ],
)
def test_a_gap_in_the_numbers_is_named_until_it_is_filled(
    lab: Lab, folder: Path, series: Timeseries, away: int, told: tuple[str, ...]
) -> None:
    write_folder(folder, series)
    left_behind = (folder / series.tif_names[away]).rename(lab.share / "left behind.tif")
    assert_refused(lab, folder, *told, f"File: {folder / series.tif_names[-1]}", "Copy the missing")
    left_behind.rename(folder / series.tif_names[away])
    assert carried_out(lab, folder)["status"] == "success"
    assert imaging.MakeDatasetSessions().fetch1("num_files_used") == len(series.tif_names)


def test_files_that_are_still_being_copied_make_the_request_wait_and_not_fail(lab: Lab, folder: Path) -> None:
    write_folder(folder, OPEN_FIELD)
    arriving = folder / OPEN_FIELD.tif_names[-1]
    arriving.touch()
    told = ("Files are still being copied", f"File: {arriving}", "Found: 1 written in the last 120 s")
    job = assert_waits(lab, folder, *told, "Nothing; the request waits")
    aged(arriving)
    imaging.MakeDatasetSessions.populate({"basefolder_id": job["basefolder_id"]})
    assert imaging.MakeDatasetSessions().fetch1("num_sessions_new") == 1


def test_an_error_of_an_earlier_request_is_tried_again_after_a_new_one(lab: Lab, folder: Path) -> None:
    failed = assert_refused(lab, folder, "There is no such folder")
    write_folder(folder, OPEN_FIELD)
    carried_out(lab, folder)
    jobs = imaging.MakeDatasetSessions().jobs & {"basefolder_id": failed["basefolder_id"]}
    assert len(jobs) == 0
    imaging.MakeDatasetSessions.populate(reserve_jobs=True)
    assert len(imaging.MakeDatasetSessions()) == 2
    assert len(imaging.Session()) == 1
