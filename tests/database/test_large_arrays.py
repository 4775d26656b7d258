"""Large arrays of an output that were written anew after their cells were imported and curated."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import datajoint as dj
import numpy as np
import pytest

from imaging_pipeline.errors import InputError
from imaging_pipeline.ingest.fingerprint import content_hash, fingerprint
from imaging_pipeline.schemas import imaging, tables
from imaging_pipeline.schemas.administer.repository_move import verify_repository
from imaging_pipeline.schemas.register import requests
from tests.makers.folders import COPIED
from tests.makers.lab import Lab, register
from tests.makers.notes import noted_cells
from tests.makers.recordings import IMPORTED, OBJECT, populate, register_all

LONG = replace(OBJECT, frames=((400,),))
# 350 regions of 400 frames, in float32: more than a fingerprint reads whole.
NUM_ROIS = 350
# No block that a fingerprint samples has a sample of this region.
RE_EXTRACTED = 101
CELLS = (3, RE_EXTRACTED, 340)

Notes = Callable[[], dj.FreeTable]


@pytest.fixture
def folder(lab: Lab) -> Path:
    return lab.share / "90218" / "2024-05-17"


@pytest.fixture
def plane(lab: Lab, folder: Path) -> Path:
    """Return the plane of an output that a person curated, and that was imported."""
    curated = [number in CELLS for number in range(NUM_ROIS)]
    plane = register_all(lab, LONG, num_rois=NUM_ROIS, is_cell=curated) / "plane0"
    populate(*IMPORTED)
    return plane


@pytest.fixture
def notes(lab: Lab, plane: Path) -> Iterator[Notes]:
    with noted_cells(lab) as table:
        yield table


def write_later(path: Path, hours: int) -> None:
    """Let a file have been written some hours later."""
    moment = COPIED.timestamp() + 3600 * hours
    os.utime(path, (moment, moment))


def re_extract(plane: Path, name: str = "F.npy") -> None:
    """Write the traces of one region anew, as Suite2p's window does, some hours later."""
    path = plane / name
    before = fingerprint(path)
    traces = np.load(path)
    traces[RE_EXTRACTED] += 1
    np.save(path, traces)
    write_later(path, 3)
    assert fingerprint(path) == before


def assert_noted(notes: Notes) -> None:
    assert tuple(imaging.Cell.Rois().to_arrays("cell_id", order_by="cell_id")) == CELLS
    assert len(notes()) == len(notes() * imaging.Cell.Rois) == len(CELLS)


def test_a_region_that_was_extracted_anew_is_imported_again_with_the_consent_of_a_person(
    lab: Lab, folder: Path, plane: Path, notes: Notes
) -> None:
    re_extract(plane)
    preview = imaging.BaseFolder.preview(**lab.request(folder, combined=False))
    shown = {each.table.replace("`", "").replace('"', ""): each for each in preview.purged}
    assert shown["user_anna_notes.note"].num_rows == len(CELLS)
    assert "replaced F.npy" in shown["user_anna_notes.note"].reason
    inputs = lab.request(folder, combined=False)
    (request,) = requests.insert(tables.default_tables(), [inputs], consent={})
    with pytest.raises(InputError, match="3 rows of user_anna_notes.Note"):
        imaging.MakeDatasetSessions.populate({"basefolder_id": request})
    assert_noted(notes)
    register(lab, folder, combined=False)
    populate(*IMPORTED)
    fluo = (imaging.Cell.Traces & {"cell_id": RE_EXTRACTED}).fetch1("fluo")
    np.testing.assert_array_equal(fluo, np.load(plane / "F.npy")[RE_EXTRACTED])
    # And once more, by the hash of the new content.
    assert _hash("F.npy") == content_hash(plane / "F.npy")
    assert imaging.BaseFolder.preview(**lab.request(folder, combined=False)).purged == ()


def _hash(name: str) -> object:
    return (imaging.PhysicalFile & f"file_path LIKE '%%/{name}'").fetch1("content_hash")


def test_each_large_array_is_compared_whole(lab: Lab, folder: Path, plane: Path) -> None:
    for name in ("spks.npy", "Fneu.npy"):
        re_extract(plane, name)
    purged = imaging.BaseFolder.preview(**lab.request(folder, combined=False)).purged
    reason = "'fast/plane0': replaced Fneu.npy, spks.npy"
    assert {each.reason for each in purged if "cell" in each.table} == {reason}


def test_an_array_with_another_time_and_the_same_content_changes_nothing(
    lab: Lab, folder: Path, plane: Path, notes: Notes
) -> None:
    for hours in (3, 4):
        for path in plane.iterdir():
            write_later(path, hours)
        assert imaging.BaseFolder.preview(**lab.request(folder, combined=False)).purged == ()
        register(lab, folder, combined=False)
        populate(*IMPORTED)
        assert_noted(notes)
        assert _hash("F.npy") == content_hash(plane / "F.npy")
    re_extract(plane)
    assert imaging.BaseFolder.preview(**lab.request(folder, combined=False)).purged != ()


def test_an_output_whose_folder_was_moved_is_compared_whole_afterwards(
    lab: Lab, folder: Path, plane: Path, notes: Notes
) -> None:
    moved = folder.rename(folder.with_name("2024-05-18"))
    register(lab, moved, combined=False)
    assert_noted(notes)
    re_extract(moved / plane.relative_to(folder))
    assert imaging.BaseFolder.preview(**lab.request(moved, combined=False)).purged != ()


def test_an_array_that_was_written_between_registration_and_import_is_compared_whole_afterwards(
    lab: Lab, folder: Path, plane: Path
) -> None:
    imaging.Cell().delete(prompt=False)
    write_later(plane / "F.npy", 1)
    populate(*IMPORTED)
    assert imaging.BaseFolder.preview(**lab.request(folder, combined=False)).purged == ()
    register(lab, folder, combined=False)
    re_extract(plane)
    assert imaging.BaseFolder.preview(**lab.request(folder, combined=False)).purged != ()


def test_an_output_of_an_older_version_is_compared_by_its_fingerprint(
    lab: Lab, folder: Path, plane: Path, notes: Notes
) -> None:
    lab.connection.query(f"UPDATE {imaging.PhysicalFile.full_table_name} SET content_hash = NULL")
    re_extract(plane)
    assert imaging.BaseFolder.preview(**lab.request(folder, combined=False)).purged == ()
    register(lab, folder, combined=False)
    assert_noted(notes)


def test_hashes_are_noted_of_large_arrays_alone(lab: Lab, plane: Path) -> None:
    hashed = (imaging.PhysicalFile & "content_hash IS NOT NULL").to_dicts()
    assert {Path(row["file_path"]).name for row in hashed} >= {"F.npy", "Fneu.npy", "spks.npy"}
    for row in hashed:
        assert row["content_hash"] == content_hash(lab.share / row["file_path"])
        assert row["size_bytes"] > 512 * 1024


def test_a_share_that_moved_is_verified_by_all_of_an_array_whose_time_differs(lab: Lab, plane: Path) -> None:
    assert verify_repository(tables.default_tables(), "moser", lab.share).differing == ()
    write_later(plane / "F.npy", 3)
    assert verify_repository(tables.default_tables(), "moser", lab.share).differing == ()
    re_extract(plane)
    (differing,) = verify_repository(tables.default_tables(), "moser", lab.share).differing
    assert differing.path.endswith("F.npy")
