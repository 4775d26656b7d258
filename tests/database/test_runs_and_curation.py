"""A curated output, and a row of a person's own, where Suite2p is to run on the same tifs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from imaging_pipeline.schemas import imaging, mlims, suite2p_jobs, tables
from imaging_pipeline.schemas.administer.administration import add_options
from imaging_pipeline.schemas.register import requests
from imaging_pipeline.schemas.register import retire as retiring
from imaging_pipeline.schemas.register.consent import consent_to
from tests.makers.folders import aged
from tests.makers.lab import Lab, register
from tests.makers.notes import Note, declared_notes, note_all_cells
from tests.makers.recordings import OPEN_FIELD, write_recording
from tests.makers.stand_in_suite2p import StandIn, stand_in_suite2p
from tests.makers.suite2p_output import curate
from tests.makers.suite2p_runs import RIGID
from tests.makers.version_3 import DEMO_OPTIONS, write_demo

CURATED = [True, False, True, False, True]
CELLS = {0, 2, 4}


@pytest.fixture
def notes(lab: Lab) -> Iterator[type[Note]]:
    with declared_notes(lab) as table:
        yield table


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    return stand_in_suite2p(tmp_path / "packages", monkeypatch)


@pytest.fixture
def folder(lab: Lab) -> Path:
    folder = lab.share / "day1"
    write_recording(folder, OPEN_FIELD)
    # A set in other words is another hash, and means the same.
    for name, options in (("small", RIGID), ("equal", RIGID | {"nplanes": 1, "tau": 1.0})):
        add_options(tables.default_tables(), name, options)
    return folder


def work() -> None:
    """Do what workers do until nothing is left."""
    for _ in range(3):
        for table in (imaging.MakeDatasetSessions, imaging.Tif, suite2p_jobs.Suite2Py):
            table.populate(reserve_jobs=True, suppress_errors=True)
        for table in (imaging.ImagingAnalysis, imaging.Cell):
            table.populate()


def wanted(lab: Lab, folder: Path, **inputs: str) -> dict[str, object]:
    request = lab.request(folder, combined=True)
    return {**request, "ops_name": "small", "register_uncurated": True, **inputs}


@pytest.fixture
def plane(lab: Lab, folder: Path, stand_in: StandIn) -> Path:
    """Return the plane of a run that was imported, curated and imported again."""
    imaging.BaseFolder.add(**wanted(lab, folder))
    work()
    plane = lab.share / suite2p_jobs.Suite2Py().fetch1("output_folder") / "suite2p" / "plane0"
    curate(plane, CURATED)
    aged(plane / "iscell.npy")
    imaging.BaseFolder.add(**wanted(lab, folder))
    work()
    assert cells() == CELLS
    return plane


def cells() -> set[int]:
    return set(imaging.Cell.Rois().to_arrays("cell_id").tolist())


def assert_all_is_there() -> None:
    assert cells() == CELLS
    assert len(Note()) == len(Note() * imaging.Cell.Rois()) == len(CELLS)


def outputs_below(folder: Path) -> list[str]:
    return sorted(path.parent.relative_to(folder).as_posix() for path in folder.rglob("F.npy"))


@pytest.mark.usefixtures("notes")
@pytest.mark.parametrize("is_of_us", [True, False])
@pytest.mark.parametrize("ops_name", ["small", "equal"])
def test_a_folder_that_is_retired_and_registered_again_keeps_its_curation(
    lab: Lab, folder: Path, plane: Path, stand_in: StandIn, ops_name: str, is_of_us: bool
) -> None:
    if not is_of_us:
        (plane.parents[1] / "imaging_pipeline_run.json").unlink()
        for path in plane.rglob("*.npy"):
            aged(path)
    mlims.Animal.insert1({"animal_id": "b7", "datasource_id": 0, "animal_name": "90853"})
    retiring.retire(tables.default_tables(), lab.windows_path(folder), username="anna", reason="wrong animal")
    before = outputs_below(folder)
    stand_in.order("kill", "registration")

    imaging.BaseFolder.add(**wanted(lab, folder, animal="90853", ops_name=ops_name))
    imaging.MakeDatasetSessions.populate()
    for table in (imaging.Tif, imaging.ImagingAnalysis, imaging.Cell):
        table.populate()
    note_all_cells()
    suite2p_jobs.Suite2Py.populate()
    work()

    assert imaging.MetaSession().fetch1("animal_id") == "b7"
    assert suite2p_jobs.Suite2Py().fetch1("ops_name", "adopted") == (ops_name, True)
    assert_all_is_there()
    assert outputs_below(folder) == before


@pytest.mark.usefixtures("notes")
def test_a_request_that_a_run_makes_deletes_nothing_and_waits_for_a_person(
    lab: Lab, folder: Path, plane: Path
) -> None:
    note_all_cells()
    np.save(plane / "F.npy", np.zeros((2, 3), np.float32))
    suite2p_jobs.Suite2Py().delete(prompt=False)

    work()

    assert not suite2p_jobs.Suite2Py().fetch1("adopted")
    assert_all_is_there()
    job = (imaging.MakeDatasetSessions.jobs & "status = 'error'").fetch1()
    waiting = (imaging.BaseFolder & {"basefolder_id": job["basefolder_id"]}).fetch1()
    assert waiting["base_folder_note"] == "registered again after Suite2p with small"
    for told in (
        f"3 rows of {Note.database}",
        "'small/plane0' curated: 2 cells added",
        "The experimenter's move",
    ):
        assert told in job["error_message"]

    inputs = wanted(lab, folder)
    shown = imaging.BaseFolder.preview(**inputs).purged
    assert f"3 rows of {Note.full_table_name}" in {f"{each.num_rows} rows of {each.table}" for each in shown}
    requests.insert(tables.default_tables(), [inputs], consent=consent_to(shown))
    work()

    assert cells() == set(range(5))
    assert len(Note()) == 0
    assert len(imaging.BaseFolder - imaging.MakeDatasetSessions) == 0


def test_a_run_that_an_earlier_version_made_is_adopted_in_a_new_database(
    lab: Lab, stand_in: StandIn, tmp_path: Path
) -> None:
    folder = write_demo(lab.share, tmp_path / "version_3")
    # As text, this set is another than the one that the marker has.
    add_options(tables.default_tables(), "renamed", DEMO_OPTIONS | {"nplanes": 1, "diameter": [12.0, 12.0]})
    stand_in.order("kill", "registration")

    register(lab, folder, combined=True, ops_name="renamed")
    suite2p_jobs.Suite2Py.populate()

    assert suite2p_jobs.Suite2Py().fetch1("ops_name", "adopted", "run_bad_frames") == ("renamed", True, None)
