"""A store that is full, read-only or away: what is told, what is left, and the job afterwards."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path

import datajoint as dj
import pytest

from imaging_pipeline import database
from imaging_pipeline.errors import Responsible, StoreError
from imaging_pipeline.schemas import imaging
from imaging_pipeline.workers.messages import Outcome
from imaging_pipeline.workers.policies.waiting import Waiting
from tests.makers.lab import Lab
from tests.makers.recordings import IMPORTED, OBJECT, populate, register_all
from tests.makers.small_disk import SmallDisk, small_disk

LONG = dataclasses.replace(OBJECT, frames=((400,),))
# What the tables before need is less, and what each needs is more than one page of memory.
FULL_BYTES, ROOMY_BYTES = 4096, 4_000_000


@pytest.fixture
def disk(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallDisk]:
    """Return a small disk that the store is on."""
    with small_disk(tmp_path / "disk", ROOMY_BYTES) as disk:
        monkeypatch.setitem(dj.config.stores, "main", {"protocol": "file", "location": str(disk.path)})
        yield disk


def import_before(table: str) -> None:
    populate(*IMPORTED[: IMPORTED.index(table)])


def files_of(disk: SmallDisk) -> set[Path]:
    return {path for path in disk.path.rglob("*") if path.is_file()}


def num_rows(table: str) -> int:
    cls = getattr(imaging, table)
    return sum(len(each()) for each in (cls, *database.parts(cls)))


def fill(disk: SmallDisk, free_bytes: int) -> None:
    """Write a file that leaves so much room."""
    room = os.statvfs(disk.path)
    (disk.path / "somebody else's").write_bytes(b"-" * (room.f_bavail * room.f_frsize - free_bytes))


@pytest.mark.parametrize("table", ["Tif", "Projection", "Cell", "FilteredSpikes"])
def test_a_full_store_is_named_nothing_is_left_and_the_job_is_made_when_there_is_room(
    lab: Lab, disk: SmallDisk, table: str
) -> None:
    register_all(lab, LONG, num_rois=40)
    import_before(table)
    fill(disk, FULL_BYTES)
    before = files_of(disk)
    with pytest.raises(StoreError) as caught:
        populate(table)
    error = caught.value
    assert "no room for arrays in the store 'main'" in error.what
    assert error.path == str(disk.path)
    assert "No space left on device" in str(error.found)
    assert "MB needed, 0.00 MB free" in str(error.found)
    assert "Make room there" in error.remedy
    assert error.responsible is Responsible.RETRY
    assert Waiting().decide(error).outcome is Outcome.WAITING
    assert num_rows(table) == 0
    assert files_of(disk) == before
    (disk.path / "somebody else's").unlink()
    populate(table)
    assert len(getattr(imaging, table)()) == 1


@pytest.mark.parametrize("table", ["Tif", "Projection", "Cell", "FilteredSpikes"])
def test_a_read_only_store_is_the_administrators_move(lab: Lab, disk: SmallDisk, table: str) -> None:
    register_all(lab, OBJECT)
    import_before(table)
    before = files_of(disk)
    disk.remount("ro")
    with pytest.raises(StoreError) as caught:
        populate(table)
    error = caught.value
    assert "may not write to the store 'main'" in error.what
    assert error.path == str(disk.path)
    assert "Read-only file system" in str(error.found)
    assert "mount the store with the right to write" in error.remedy
    assert error.responsible is Responsible.ADMINISTRATOR
    assert Waiting().decide(error) is None
    assert num_rows(table) == 0
    assert files_of(disk) == before
    disk.remount("rw")
    populate(table)
    assert len(getattr(imaging, table)()) == 1


@pytest.mark.parametrize("table", ["Tif", "Projection", "Cell", "FilteredSpikes"])
def test_a_store_that_is_not_mounted_is_waited_for_and_never_made(
    lab: Lab, table: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    register_all(lab, OBJECT)
    import_before(table)
    place = tmp_path / "mount point" / "store"
    place.parent.mkdir()
    with monkeypatch.context() as patch:
        patch.setitem(dj.config.stores, "main", {"protocol": "file", "location": str(place)})
        with pytest.raises(StoreError) as caught:
            populate(table)
    error = caught.value
    assert str(place) in str(error)
    assert error.responsible is Responsible.RETRY
    assert Waiting().decide(error).outcome is Outcome.WAITING
    assert num_rows(table) == 0
    assert list(place.parent.iterdir()) == []
    populate(table)
    assert len(getattr(imaging, table)()) == 1


def test_connecting_does_not_make_a_store_outside_the_embedded_servers_folder(
    lab: Lab, tmp_path: Path
) -> None:
    place = tmp_path / "not mounted" / "store"
    stores = {"default": "main", "main": {"protocol": "file", "location": str(place)}}
    database.connect(dataclasses.replace(lab.config, stores=stores))
    assert not place.parent.exists()
