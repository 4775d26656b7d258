"""Tifs that are cut off, or unlike the others of their session: found when the folder is registered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from imaging_pipeline.ingest import copying
from imaging_pipeline.schemas import imaging
from tests.makers import scanimage
from tests.makers.folders import (
    HEIGHT,
    PAGES,
    START,
    WHEEL,
    WIDTH,
    Timeseries,
    aged,
    write_file,
    write_folder,
    write_pages,
    write_timeseries,
    write_unlike_tif,
)
from tests.makers.lab import Lab
from tests.makers.refusals import assert_refused, assert_told, assert_waits, carried_out, snapshot
from tests.makers.worker import worked

SPLIT = Timeseries("mouse", files=(3,))
FIRST, MIDDLE, LAST = SPLIT.tif_names
COPY_AGAIN = "Copy the file again from the microscope's computer, then register the folder again"


@pytest.fixture
def folder(lab: Lab) -> Path:
    return write_folder(lab.share / "90218" / "2024-05-17", WHEEL, SPLIT)


@pytest.fixture
def nothing_comes_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let files that arrived a moment ago count as those of an hour ago: no program can set that time."""
    monkeypatch.setattr(copying, "PATIENCE_S", 0.0)


def cut(path: Path) -> str:
    """Take the last 50 bytes away, and give what is told of it."""
    size_bytes = path.stat().st_size
    aged(scanimage.truncate(path, 50))
    return f"Found: {size_bytes - 50} bytes. Allowed: at least {size_bytes} bytes"


def empty(path: Path) -> str:
    write_file(path, b"")
    return "Found: 0 bytes. Allowed: at least 8 bytes"


def blank(path: Path) -> str:
    """Leave the file its size and half of its content, as a copy that Windows broke off."""
    size_bytes = path.stat().st_size
    aged(scanimage.blank_end(path, size_bytes // 2))
    return f"of {size_bytes}. Allowed: a page up to the end of the file"


@pytest.mark.parametrize(
    ("name", "damage"),
    [(FIRST, cut), (MIDDLE, cut), (LAST, cut), (FIRST, empty), (LAST, empty), (FIRST, blank), (LAST, blank)],
)
def test_a_truncated_tif_waits_while_it_may_grow_and_then_is_refused_until_it_is_whole(
    lab: Lab, folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, damage: Callable[[Path], str]
) -> None:
    whole = (folder / name).read_bytes()
    told = damage(folder / name)
    assert_waits(lab, folder, "still being copied, or was never", f"File: {folder / name}", told, "60 min")
    monkeypatch.setattr(copying, "PATIENCE_S", 0.0)
    assert_refused(lab, folder, "The tif is truncated", f"File: {folder / name}", told, COPY_AGAIN)
    write_file(folder / name, whole)
    assert carried_out(lab, folder)["status"] == "success"
    assert sorted(imaging.Session().to_arrays("timeseries_name")) == [WHEEL.name, SPLIT.name]


def of_another_size(path: Path) -> tuple[str, ...]:
    write_pages(path, (PAGES, 16, 24))
    return (
        "differs from the others",
        "Found: 24 × 16 px",
        "Allowed: 64 × 48 px",
        f"as in {FIRST}",
        "different",
    )


def of_another_type(path: Path) -> tuple[str, ...]:
    write_unlike_tif(path)
    return ("differs from the others", "Found: 64 × 48 px, uint16", "Allowed: 64 × 48 px, int16", "different")


def of_two_channels(path: Path) -> tuple[str, ...]:
    pages = scanimage.numbered_pages(PAGES, HEIGHT, WIDTH)
    aged(scanimage.write_tif(path, settings=replace(scanimage.SETTINGS, channels=(1, 2)), pages=pages))
    return ("differs from the others", "channels: 2", "channels: 1", "different timeseries names")


def without_header(path: Path) -> tuple[str, ...]:
    aged(scanimage.write_tif_without_header(path))
    return ("no ScanImage header", "Found: ", "Allowed: a header of version 3.5 to 2023", "as the microscope")


def with_a_garbage_epoch(path: Path) -> tuple[str, ...]:
    start = datetime(1601, 1, 1, 0, 0, 25, 45_000)
    aged(scanimage.write_tif(path, settings=replace(scanimage.SETTINGS, start=start)))
    return (
        "start time",
        "is no date",
        "Found: 1601 1 1 0 0 25.045",
        "from the year 2000 on",
        "Copy the file",
    )


def no_tif_at_all(path: Path) -> tuple[str, ...]:
    write_file(path, b"\x89HDF\r\n\x1a\n" * 10)
    return ("not a TIFF", "Found: b'\\x89HDF'", "Allowed: II or MM", "as the microscope wrote them")


@pytest.mark.parametrize(
    "damage",
    [of_another_size, of_another_type, of_two_channels, without_header, with_a_garbage_epoch, no_tif_at_all],
)
def test_a_tif_that_is_none_of_its_session_is_refused_until_it_is_replaced(
    lab: Lab, folder: Path, damage: Callable[[Path], tuple[str, ...]]
) -> None:
    whole = (folder / MIDDLE).read_bytes()
    told = damage(folder / MIDDLE)
    assert_refused(lab, folder, f"File: {folder / MIDDLE}", *told)
    write_file(folder / MIDDLE, whole)
    assert carried_out(lab, folder)["status"] == "success"
    assert imaging.MakeDatasetSessions.Session().to_dicts()[0]["session_verdict"] == "new"


def test_what_is_registered_stays_when_a_tif_that_joins_is_refused(
    lab: Lab, folder: Path, nothing_comes_any_more: None
) -> None:
    carried_out(lab, folder)
    imaging.Tif.populate()
    write_timeseries(folder, replace(SPLIT, files=(1,), first_acquisition=2))
    told = cut(folder / "mouse_00002_00001.tif")
    assert_refused(lab, folder, "mouse_00002_00001.tif", told, COPY_AGAIN)
    write_unlike_tif(folder / "mouse_00002_00001.tif")
    assert_refused(lab, folder, "mouse_00002_00001.tif", "uint16", f"as in {FIRST}")
    assert len(imaging.Tif()) == 2


def test_a_tif_that_was_cut_after_it_was_registered_is_an_error_of_its_import_until_it_is_whole(
    lab: Lab, folder: Path
) -> None:
    carried_out(lab, folder)
    whole = (folder / LAST).read_bytes()
    told = cut(folder / LAST)
    before = snapshot(lab)
    session = imaging.Session & {"timeseries_name": SPLIT.name}
    job = worked(imaging.Tif(), dict(session.proj().fetch1()))
    assert job["status"] == "error"
    assert_told(job["error_message"], f"File: {folder / LAST}", told, COPY_AGAIN)
    after = snapshot(lab)
    assert all("~~tif" in name for name, rows in after.rows.items() if rows != before.rows[name])
    assert (after.stored, after.share) == (before.stored, before.share)
    write_file(folder / LAST, whole)
    carried_out(lab, folder)
    imaging.Tif.populate(reserve_jobs=True)
    assert len(imaging.Tif()) == 2


def test_a_recording_of_unsigned_pixels_is_one(lab: Lab) -> None:
    folder = lab.share / "unsigned"
    folder.mkdir()
    write_unlike_tif(folder / "mouse_00001_00001.tif")
    assert carried_out(lab, folder)["status"] == "success"
    imaging.Tif.populate()
    assert imaging.Tif().fetch1("datatype") == "uint16"


def test_a_tif_of_one_frame_is_a_recording_and_the_end_of_one(lab: Lab) -> None:
    folder = write_folder(lab.share / "short", Timeseries("mouse", files=(2,)))
    write_pages(folder / "mouse_00001_00003.tif", (1, HEIGHT, WIDTH), frames_before=2 * PAGES)
    write_pages(folder / "snapshot_00001.tif", (1, HEIGHT, WIDTH), np.int16, START.replace(hour=9))
    assert carried_out(lab, folder)["status"] == "success"
    imaging.Tif.populate()
    frames = (imaging.Session * imaging.Tif).to_dicts(order_by="timeseries_name")
    assert [(row["timeseries_name"], row["num_frames"]) for row in frames] == [
        ("mouse", 2 * PAGES + 1),
        ("snapshot", 1),
    ]
