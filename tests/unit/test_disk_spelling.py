from pathlib import Path

import pytest

from imaging_pipeline.disk_spelling import as_on_disk, name_among
from imaging_pipeline.errors import PathError
from imaging_pipeline.paths import RepositoryPath


def spelled(root: Path, typed: str) -> str:
    return as_on_disk(RepositoryPath("moser", typed), {"moser": root}).path


def test_a_folder_that_the_disk_has_is_spelled_as_typed(tmp_path):
    (tmp_path / "90218" / "Day1").mkdir(parents=True)
    assert spelled(tmp_path, "90218/Day1") == "90218/Day1"


def test_folders_that_differ_in_case_alone_are_two_where_the_disk_has_two(tmp_path):
    for name in ("day1", "DAY1"):
        (tmp_path / name).mkdir()
    if (tmp_path / "day1").samefile(tmp_path / "DAY1"):
        pytest.skip("this disk does not tell cases apart")
    assert (spelled(tmp_path, "day1"), spelled(tmp_path, "DAY1")) == ("day1", "DAY1")


def test_a_link_is_the_folder_that_it_leads_to(tmp_path):
    (tmp_path / "90218" / "day1").mkdir(parents=True)
    (tmp_path / "newest").symlink_to(tmp_path / "90218", target_is_directory=True)
    assert spelled(tmp_path, "newest/day1") == "90218/day1"


def test_a_repository_that_is_itself_a_link_is_left_by_no_folder_in_it(tmp_path):
    (tmp_path / "disk" / "day1").mkdir(parents=True)
    (tmp_path / "moser").symlink_to(tmp_path / "disk", target_is_directory=True)
    assert spelled(tmp_path / "moser", "day1") == "day1"


def test_a_folder_that_is_not_there_is_spelled_as_typed(tmp_path):
    assert spelled(tmp_path, "90218/day1") == "90218/day1"


def test_a_link_out_of_the_repository_is_refused(tmp_path):
    root = tmp_path / "moser"
    root.mkdir()
    (root / "elsewhere").symlink_to(tmp_path, target_is_directory=True)
    with pytest.raises(PathError, match="leaves its repository"):
        spelled(root, "elsewhere")


def test_a_name_typed_in_another_case_is_the_one_that_is_there():
    assert name_among("DAY1", ["day1", "day2"]) == "day1"
    assert name_among("straße", ["STRASSE"]) == "STRASSE"
    assert name_among("day1", ["DAY1", "day1"]) == "day1"
    assert name_among("day3", ["day1"]) == "day3"
