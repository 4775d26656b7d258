import os
from datetime import UTC, datetime

import pytest

from imaging_pipeline.errors import NothingFoundError, PathError, Responsible
from imaging_pipeline.ingest.listing import MAX_LEVELS, scan
from tests.makers.folders import COPIED, aged, deep_folders, write_file


def test_every_file_below_a_folder_is_listed_with_size_and_time(tmp_path):
    write_file(tmp_path / "b.tif", b"12345")
    write_file(tmp_path / "a/deep/c.npy", b"1")

    listing = scan(tmp_path)

    copied = datetime(2024, 5, 18, 9, 0, 0, 123_456)
    found = [(file.path, file.size_bytes, file.modified) for file in listing.files]
    assert found == [("a/deep/c.npy", 1, copied), ("b.tif", 5, copied)]
    assert listing.skipped == ()


def test_a_copy_with_the_time_of_its_original_shows_when_it_arrived(tmp_path):
    path = write_file(tmp_path / "a.tif")
    begun = datetime.now(UTC).replace(tzinfo=None)
    aged(path)

    (entry,) = scan(tmp_path).files

    assert entry.modified == COPIED.replace(tzinfo=None)
    assert abs((entry.arrived - begun).total_seconds()) < 60


def test_times_are_utc_in_every_time_zone(tmp_path):
    path = write_file(tmp_path / "a.tif")
    os.utime(path, ns=(0, 1_234_567_890_123_456_789))

    (entry,) = scan(tmp_path).files

    assert entry.modified == datetime(2009, 2, 13, 23, 31, 30, 123_456)


def test_a_missing_folder_is_an_error_that_names_it(tmp_path):
    with pytest.raises(NothingFoundError, match="no such folder.*day9"):
        scan(tmp_path / "day9")


def test_an_empty_folder_is_an_error_and_no_success(tmp_path):
    (tmp_path / "old").mkdir()

    with pytest.raises(NothingFoundError, match="empty"):
        scan(tmp_path)


def test_a_file_is_told_to_be_no_folder_with_the_folder_to_give(tmp_path):
    tif = tmp_path / "day1/a.tif"
    write_file(tif)
    with pytest.raises(NothingFoundError, match=r"is a file.*a\.tif") as caught:
        scan(tif)
    assert caught.value.remedy == f"Give the folder that it is in: {tmp_path / 'day1'}"
    # The person may be at another machine than the worker.
    for typed in (r"N:\moser\day1\a.tif", '"N:\\moser\\day1\\a.tif" ', r"N:/moser\day1\a.tif\\"):
        with pytest.raises(NothingFoundError) as caught:
            scan(tif, typed)
        assert caught.value.remedy.replace("/", "\\") == r"Give the folder that it is in: N:\moser\day1"


@pytest.mark.skipif(os.name == "nt", reason="making a link needs a privilege on Windows")
def test_links_are_told_and_never_followed(tmp_path):
    write_file(tmp_path / "secret/a.tif")
    folder = tmp_path / "day1"
    write_file(folder / "b.tif")
    (folder / "elsewhere").symlink_to(tmp_path / "secret")
    (folder / "round").symlink_to(folder)

    listing = scan(folder)

    assert [file.path for file in listing.files] == ["b.tif"]
    assert [skip.path for skip in listing.skipped] == ["elsewhere", "round"]
    assert "link" in listing.skipped[0].reason


@pytest.mark.skipif(os.name == "nt", reason="Windows has Unicode names only")
def test_a_name_that_no_database_can_hold_is_told(tmp_path):
    (tmp_path / os.fsdecode(b"caf\xe9.tif")).write_bytes(b"")

    (skip,) = scan(tmp_path).skipped

    assert skip.path == "caf\\xe9.tif"
    assert "rename" in skip.reason


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the administrator may read all")
def test_a_folder_that_may_not_be_read_is_the_administrators_to_mend(tmp_path):
    write_file(tmp_path / "locked/a.tif")
    (tmp_path / "locked").chmod(0)

    with pytest.raises(PathError, match="locked") as error:
        scan(tmp_path)

    assert error.value.responsible is Responsible.ADMINISTRATOR


@pytest.mark.skipif(os.name == "nt", reason="folders are made from open ones, which Windows cannot")
@pytest.mark.parametrize("num_levels", [MAX_LEVELS + 1, 700])
def test_folders_that_lie_too_deep_are_an_error_that_names_the_depth(tmp_path, num_levels):
    with deep_folders(tmp_path / "day1", num_levels) as folder:
        write_file(folder / "b.tif")
        with pytest.raises(PathError, match=r"too deep.*day1/d/d/.*at most 100 levels") as raised:
            scan(folder)
    assert raised.value.responsible is Responsible.EXPERIMENTER


@pytest.mark.skipif(os.name == "nt", reason="folders are made from open ones, which Windows cannot")
def test_the_deepest_folders_are_listed(tmp_path):
    with deep_folders(tmp_path / "day1", MAX_LEVELS) as folder:
        (entry,) = scan(folder).files
    assert entry.path == "d/" * MAX_LEVELS + "a.tif"


def test_a_name_that_the_system_does_not_take_is_an_error(tmp_path):
    with pytest.raises(PathError, match="too long.*Give a path that there is, or shorten"):
        scan(tmp_path / ("x" * 300))
