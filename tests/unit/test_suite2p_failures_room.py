"""Scratch or share without room, before a run and in the midst of it, on real small disks."""

import shutil
from dataclasses import replace

import pytest

from imaging_pipeline.demo.scanimage_file import ScanImageSettings
from imaging_pipeline.errors import Responsible, StoreError
from imaging_pipeline.suite2p_runner import run as run_module
from tests.makers.small_disk import small_disk
from tests.makers.stand_in_suite2p import stand_in_suite2p
from tests.makers.suite2p_runs import assert_told, write_runs

SCRATCH_REMEDY = "custom.suite2p.scratch in the configuration, or let another machine do this run"


def fill(disk, leave_bytes=0):
    """Let somebody else write to a disk until it is full, but for so many bytes."""
    other = disk / "other.bin"
    free_bytes = shutil.disk_usage(disk).free
    other.write_bytes(bytes(free_bytes - leave_bytes))


@pytest.fixture
def runs(tmp_path, monkeypatch):
    return write_runs(tmp_path, stand_in_suite2p(tmp_path / "packages", monkeypatch))


@pytest.fixture
def small_scratch(tmp_path, runs):
    with small_disk(tmp_path / "small", 2_000_000) as disk:
        yield disk, replace(runs, request=replace(runs.request, scratch=disk.path / "scratch"))


def test_a_scratch_disk_that_is_too_small_is_told_before_the_run(small_scratch):
    disk, runs = small_scratch

    error = runs.failed()

    assert isinstance(error, StoreError)
    assert error.allowed == "0.501 GB or more"
    assert_told(
        error,
        path=runs.request.scratch,
        found="0.002 GB free",
        remedy=SCRATCH_REMEDY,
        responsible=Responsible.ADMINISTRATOR,
    )
    assert not runs.request.scratch.exists()
    runs.assert_place_is_untouched()
    disk.remount("size=900m")
    runs.assert_it_succeeds_now()


@pytest.mark.parametrize("way", ["fill", "save", "map"])
def test_a_scratch_disk_that_fills_up_is_told_however_it_shows(small_scratch, monkeypatch, way):
    """As the system's error number, as numpy's error without one, and as a signal where a file is mapped."""
    disk, runs = small_scratch
    monkeypatch.setattr(run_module, "_SPARE_BYTES", 0)
    runs.stand_in.order(way, "registration")

    error = runs.failed()

    assert isinstance(error, StoreError)
    assert "filled up" in error.what
    assert_told(
        error,
        path=runs.request.scratch,
        found={"fill": "No space left on device", "save": "requested and", "map": "SIGBUS"}[way],
        remedy=SCRATCH_REMEDY,
        responsible=Responsible.RETRY,
    )
    assert "0.000 GB free" in str(error.found)
    runs.assert_nothing_is_left()
    runs.assert_it_succeeds_now()


@pytest.fixture
def small_share(tmp_path, monkeypatch):
    """Return a disk to which the output belongs."""
    stand_in = stand_in_suite2p(tmp_path / "packages", monkeypatch)
    with small_disk(tmp_path / "small", 4_000_000) as disk:
        yield disk, write_runs(tmp_path, stand_in, output_share=disk.path)


def test_a_share_that_is_too_small_is_told_before_the_run(small_share):
    disk, runs = small_share
    fill(disk.path, leave_bytes=100_000)

    error = runs.failed()

    assert isinstance(error, StoreError)
    assert "GB or more" in str(error.allowed)
    assert_told(
        error,
        path=runs.request.target,
        found="0.000 GB free",
        remedy="Make room on the share",
        responsible=Responsible.RETRY,
    )
    assert not runs.request.scratch.exists()
    runs.assert_place_is_untouched()
    (disk.path / "other.bin").unlink()
    runs.assert_it_succeeds_now()


def test_a_share_that_fills_up_amid_the_copy_keeps_the_finished_run_for_later(small_share):
    disk, runs = small_share

    def somebody_else_fills_the_share(step):
        if step.step == "copying the output" and not (disk.path / "other.bin").exists():
            fill(disk.path)

    error = runs.failed(somebody_else_fills_the_share)

    assert "The share filled up while the output of Suite2p was copied" in error.what
    assert_told(
        error,
        path=runs.request.target,
        found="No space left on device",
        remedy="Make room on the share",
        responsible=Responsible.RETRY,
    )
    runs.assert_place_is_untouched()
    (disk.path / "other.bin").unlink()
    runs.assert_the_finished_run_is_copied_now()


def test_a_share_that_may_not_be_written_to_is_the_administrator_s_to_open(small_share):
    disk, runs = small_share

    error = runs.failed(lambda step: step.step == "checking the output" and disk.remount("ro"))

    assert_told(
        error,
        path=runs.request.target,
        found="Read-only file system",
        remedy="Let this account write there",
        responsible=Responsible.ADMINISTRATOR,
    )
    runs.assert_place_is_untouched()
    disk.remount("rw")
    runs.assert_the_finished_run_is_copied_now()


def test_a_recording_s_folder_in_which_nothing_can_be_made_is_told(small_share):
    disk, runs = small_share
    shutil.rmtree(runs.request.target.parent)

    error = runs.failed(lambda step: step.step == "checking the output" and disk.remount("ro"))

    assert_told(
        error,
        path=runs.request.target,
        found="Read-only file system",
        remedy="Let this account write there",
        responsible=Responsible.ADMINISTRATOR,
    )
    assert list(runs.request.target.parent.parent.iterdir()) == []


def test_a_scratch_disk_that_fills_up_before_suite2p_begins_is_told(tmp_path, small_scratch, monkeypatch):
    """While the whole volumes of a tif are copied there."""
    disk, planar = small_scratch
    monkeypatch.setattr(run_module, "_SPARE_BYTES", 0)
    settings = ScanImageSettings(20.0, num_planes=2)
    runs = write_runs(tmp_path / "planes", planar.stand_in, pages=(25, 25), settings=settings)
    runs = replace(runs, request=replace(runs.request, scratch=planar.request.scratch))

    error = runs.failed(lambda step: step.step.startswith("copying the tif") and fill(disk.path))

    assert "filled up" in error.what
    assert_told(
        error,
        path=runs.request.scratch,
        found="No space left on device",
        remedy=SCRATCH_REMEDY,
        responsible=Responsible.RETRY,
    )
    runs.assert_nothing_is_left()
