"""What becomes of sessions that are not registered, because a person has to decide first."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from imaging_pipeline.ingest.file_accounting import file_accounting
from imaging_pipeline.ingest.folder_changes import FolderChanges
from imaging_pipeline.ingest.listing import scan
from imaging_pipeline.ingest.plan import make_plan
from imaging_pipeline.ingest.records import Plan, Request
from imaging_pipeline.ingest.verdicts import FileVerdict
from tests.makers.folders import (
    COPIED,
    HEIGHT,
    PAGES,
    START,
    WIDTH,
    Timeseries,
    aged,
    write_file,
    write_folder,
    write_tif,
)
from tests.makers.plain_tifs import write_plain_tifs
from tests.makers.preprocessed import write_corrected
from tests.makers.registered import COMBINED, SPLIT, Registered, write_run

PREPROCESSED = "2Pminiscope_A preprocessed"
OPEN_FIELD = Timeseries("openfield", files=(2, 1), has_companions=True)
WHEEL = Timeseries("wheel", START + timedelta(hours=1))
SLEEP = Timeseries("sleep", START + timedelta(minutes=30))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "day1", OPEN_FIELD, WHEEL)


@pytest.fixture
def registered() -> Registered:
    return Registered()


def register(registered: Registered, folder: Path, request: Request = SPLIT) -> tuple[Plan, FolderChanges]:
    plan = make_plan(request, scan(folder), registered.files(request.label), {"fast": {"tau": 1.0}})
    return plan, registered.register(plan)


def refused(changes: FolderChanges) -> dict[str, str]:
    return {each.session.timeseries_name: str(each.kind) for each in changes.refused}


def reasons(plan: Plan, changes: FolderChanges, verdict: FileVerdict) -> set[str]:
    return {file.reason for file in file_accounting(plan, changes) if file.verdict is verdict}


def told(changes: FolderChanges) -> Iterable[str]:
    return [finding.message for finding in changes.findings]


@pytest.mark.parametrize("request_", [SPLIT, COMBINED])
def test_no_file_is_used_where_nothing_is_registered_of_another_animal(
    folder: Path, registered: Registered, request_: Request
) -> None:
    write_file(folder / "notes.txt")
    register(registered, folder, SPLIT)
    plan, changes = register(registered, folder, replace(request_, animal_id="90853"))
    assert refused(changes) == {"openfield": "other animal", "wheel": "other animal"}
    assert reasons(plan, changes, FileVerdict.USED) == set()
    assert reasons(plan, changes, FileVerdict.IGNORED) == {
        "of 'openfield', which is not registered: other animal",
        "of 'wheel', which is not registered: other animal",
    }
    assert len(reasons(plan, changes, FileVerdict.UNKNOWN)) == 1


def test_an_output_of_sessions_that_are_not_all_registered_is_not_used(
    folder: Path, registered: Registered, tmp_path: Path
) -> None:
    write_run(folder, OPEN_FIELD, WHEEL)
    register(registered, folder, COMBINED)
    copy = shutil.copytree(folder, tmp_path / "copy")
    plan, changes = register(registered, copy, replace(COMBINED, folder="copy"))
    assert refused(changes) == {"openfield": "copied", "wheel": "copied"}
    assert reasons(plan, changes, FileVerdict.USED) == set()


def test_an_output_that_is_out_of_date_is_not_used(folder: Path, registered: Registered) -> None:
    """A tif that was replaced by one with an older time than the output's."""
    write_run(folder, OPEN_FIELD, WHEEL)
    register(registered, folder, COMBINED)
    aged(write_tif(folder / WHEEL.tif_names[0], WHEEL.start, seed=77), COPIED - timedelta(hours=1))
    plan, changes = register(registered, folder, COMBINED)
    outputs = {file.path for file in file_accounting(plan, changes) if "/fast/" in file.path}
    assert "dataset" in {str(purge.seed) for purge in changes.purges}
    assert outputs
    assert {file.verdict for file in file_accounting(plan, changes) if file.path in outputs} == {
        FileVerdict.IGNORED
    }


@pytest.mark.parametrize("request_", [SPLIT, COMBINED])
def test_every_file_of_a_folder_that_is_registered_has_the_verdict_of_its_plan(
    folder: Path, registered: Registered, request_: Request
) -> None:
    for _ in range(2):
        plan, changes = register(registered, folder, request_)
        assert file_accounting(plan, changes) == plan.files
        assert changes.refused == ()


@pytest.mark.parametrize("request_", [SPLIT, COMBINED])
def test_a_copied_folder_is_told_and_never_registered_twice(
    folder: Path, registered: Registered, tmp_path: Path, request_: Request
) -> None:
    register(registered, folder, request_)
    copy = shutil.copytree(folder, tmp_path / "copy")
    plan, changes = register(registered, copy, replace(request_, folder="copy"))
    assert refused(changes) == {"openfield": "copied", "wheel": "copied"}
    assert reasons(plan, changes, FileVerdict.USED) == set()
    assert "day1 of moser" in told(changes)[0]


def test_a_copy_with_one_more_session_waits_for_a_decision_when_combined(
    folder: Path, registered: Registered, tmp_path: Path
) -> None:
    register(registered, folder, COMBINED)
    copy = write_folder(shutil.copytree(folder, tmp_path / "copy"), SLEEP)
    _, changes = register(registered, copy, replace(COMBINED, folder="copy"))
    assert refused(changes) == {"openfield": "copied", "sleep": "conflict", "wheel": "copied"}


def test_one_session_that_was_renamed_apart_waits_for_a_decision(
    tmp_path: Path, registered: Registered
) -> None:
    folder = write_folder(tmp_path / "day1", Timeseries("wheel", files=(1, 1)))
    _, first = register(registered, folder)
    (folder / "wheel_00002_00001.tif").rename(folder / "sleep_00001_00001.tif")
    _, changes = register(registered, folder)
    assert refused(changes) == {"sleep": "conflict", "wheel": "conflict"}
    name = first.sessions[0].session.session_name
    assert all("give them one name again" in each and f"retire {name}," in each for each in told(changes))


def test_two_sessions_that_were_renamed_into_one_wait_for_a_decision(
    tmp_path: Path, registered: Registered
) -> None:
    folder = write_folder(tmp_path / "day1", Timeseries("wheel"), SLEEP)
    _, first = register(registered, folder)
    (folder / "sleep_00001_00001.tif").rename(folder / "wheel_00002_00001.tif")
    registered.mark_gone()
    _, changes = register(registered, folder)
    assert refused(changes) == {"wheel": "conflict"}
    assert all(f"retire {each.session.session_name}" in told(changes)[0] for each in first.sessions)


@pytest.mark.parametrize("request_", [SPLIT, COMBINED])
def test_a_folder_registered_as_another_type_is_told_both_ways_out(
    folder: Path, registered: Registered, request_: Request
) -> None:
    _, first = register(registered, folder, request_)
    for name, acquisitions in ((OPEN_FIELD.name, (1, 2)), (WHEEL.name, (1,))):
        for acquisition in acquisitions:
            write_corrected(folder, name, acquisition, np.full((PAGES, HEIGHT, WIDTH), acquisition, np.int16))
    plan, changes = register(registered, folder, replace(request_, experiment_type=PREPROCESSED))
    assert refused(changes) == {"openfield": "conflict", "wheel": "conflict"}
    assert reasons(plan, changes, FileVerdict.USED) == set()
    for message, session in zip(told(changes), first.sessions, strict=True):
        assert "it is registered as '2Pminiscope_A'; register it as that again, or to have it as" in message
        assert f"'{PREPROCESSED}' instead: imaging-pipeline retire {session.metasession_name}," in message


def test_another_recording_of_the_same_moment_is_not_told_to_be_what_it_is_not(
    registered: Registered, tmp_path: Path
) -> None:
    """Its own files can never be registered as the type of the other."""
    register(registered, write_folder(tmp_path / "day1", Timeseries("90218-openfield")))
    other = write_plain_tifs(tmp_path / "other", start=START.isoformat())
    _, changes = register(registered, other, replace(SPLIT, folder="other", experiment_type="plain tifs"))
    assert refused(changes) == {"90218-openfield": "conflict"}
    (message,) = told(changes)
    assert "is registered as '2Pminiscope_A' in day1 of moser; leave it at that, or to have it as" in message
    assert "register it as that again" not in message
