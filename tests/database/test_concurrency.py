"""Several processes at the same folder give one result."""

from __future__ import annotations

import shutil
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from imaging_pipeline import database
from imaging_pipeline.config.config import Config
from imaging_pipeline.schemas import imaging
from tests.makers.folders import OPEN_FIELD, START, WHEEL, Timeseries, write_folder
from tests.makers.lab import Lab
from tests.makers.processes import at_once

PROCESSES = 3
LAST = Timeseries("90218-sleep", START.replace(hour=17))


def ingest(config: Config, start: Barrier) -> None:
    """Look at every request that no other process has reserved."""
    database.connect(config)
    start.wait()
    imaging.MakeDatasetSessions.populate(reserve_jobs=True, suppress_errors=True, refresh=False)


def ask(config: Config, request: dict[str, object], start: Barrier) -> None:
    """Request a folder."""
    database.connect(config)
    start.wait()
    imaging.BaseFolder.add(**request)


@pytest.fixture
def folder(lab: Lab) -> Path:
    return write_folder(lab.share / "90218" / "2024-05-17", OPEN_FIELD, WHEEL)


def test_ten_requests_at_the_same_moment_give_one_result(lab: Lab, folder: Path) -> None:
    copy = shutil.copytree(folder, folder.with_name("copy"))
    parent = write_folder(folder.parent, LAST)
    asked = [*[(folder, True), (folder, False)] * 4, (copy, True), (parent, False)]
    for place, combined in asked:
        imaging.BaseFolder.add(**lab.request(place, combined=combined))
    imaging.MakeDatasetSessions.jobs.refresh(delay=-1)
    at_once(ingest, [(lab.config,)] * PROCESSES)
    jobs = imaging.MakeDatasetSessions.jobs
    assert list(jobs.errors.to_arrays("error_message")) == []
    assert len(imaging.MakeDatasetSessions()) == len(asked) == 10
    assert len(imaging.MetaSession() & {"combined": "yes"}) == 1
    assert len(imaging.MetaSession() & {"combined": "no"}) == 3
    assert len(imaging.Session()) == 5
    new = imaging.MakeDatasetSessions.Session & {"session_verdict": "new"}
    assert len(new) == 5
    linked = imaging.Session.Data() * imaging.Dataset()
    assert len(linked) == len(imaging.Dataset()) == 2 * 2 * 5 + 1
    told = imaging.MakeDatasetSessions.Finding().to_arrays("finding").tolist()
    assert any(finding.startswith("copied: ") for finding in told)


def test_requests_made_at_the_same_moment_get_numbers_of_their_own(lab: Lab, folder: Path) -> None:
    at_once(ask, [(lab.config, lab.request(folder, combined=True))] * PROCESSES)
    numbers = imaging.BaseFolder().to_arrays("basefolder_id", order_by="basefolder_id")
    assert numbers.tolist() == list(range(PROCESSES))


def test_a_row_as_a_notebook_inserts_it_is_checked_and_completed(lab: Lab, folder: Path) -> None:
    imaging.BaseFolder.insert1(
        {
            "username": "anna",
            "path": f'"{lab.windows_path(folder)}"',
            "animal_name": "90218",
            "experiment_type": "2Pminiscope_A",
            "combined": "yes",
        }
    )
    row = imaging.BaseFolder().fetch1()
    assert (row["repository_name"], row["folder"]) == ("moser", "90218/2024-05-17")
    assert row["animal_id"] == "a0f1"
    assert row["basefolder_entry_time"] is not None
