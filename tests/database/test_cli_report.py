"""``imaging-pipeline report``: what each request did, when, and who made it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from imaging_pipeline.cli import main
from imaging_pipeline.schemas import imaging, tables
from imaging_pipeline.schemas.register.history import history
from tests.database.test_preview import imported
from tests.makers.config_file import write_config
from tests.makers.folders import OPEN_FIELD, WHEEL, write_file, write_folder, write_tif, write_timeseries
from tests.makers.lab import Lab, register
from tests.makers.outputs import suite2p_output

Run = Callable[..., Result]


@pytest.fixture
def run(lab: Lab, tmp_path: Path) -> Run:
    """Return a function that runs a command on the lab's database."""
    config = write_config(lab.config, tmp_path / "dj_local_conf.json")
    return lambda *arguments: CliRunner().invoke(main, ["--config", str(config), *map(str, arguments)])


@pytest.fixture
def folder(lab: Lab) -> Path:
    """Return a folder that was registered, then registered again with a late session and an output."""
    folder = write_folder(lab.share / "90218" / "day1", WHEEL)
    write_file(folder / "notes.txt")
    register(lab, folder, combined=True, base_folder_note="the laser was tired")
    suite2p_output(lab, combined=True)
    register(lab, folder, combined=True)
    write_timeseries(folder, OPEN_FIELD)
    register(lab, folder, combined=True)
    return folder


def test_requests_are_told_in_their_order_with_what_each_did(lab: Lab, run: Run, folder: Path) -> None:
    result = run("report", lab.windows_path(folder))
    assert result.exit_code == 0
    first, second, third = result.stdout.strip().split("\n\n")
    assert first.startswith("Request 0 by anna, 20")
    assert "Note: the laser was tired" in first
    assert f"session new      2024-05-17 14:43:09  {WHEEL.name} (" in first
    assert "unknown  90218/day1/notes.txt: no file of this experiment type ends in" in first
    assert "dataset new      suite2p_python fast/plane0" in second
    assert f"session joined   2024-05-17 14:03:09  {OPEN_FIELD.name} (" in third
    assert f"Deleted, because session '{OPEN_FIELD.name}' joined (rows of tables)" in third
    assert "1 test_imaging.Dataset" in third
    assert max(map(len, result.stdout.splitlines())) <= 80


@pytest.mark.usefixtures("folder")
def test_a_session_is_found_by_its_names_and_its_folder_below_the_repository(run: Run) -> None:
    name = (imaging.Session & {"timeseries_name": OPEN_FIELD.name}).fetch1("session_name")
    met = {what: run("report", what).stdout.count("Request ") for what in (name, OPEN_FIELD.name)}
    assert met == {name: 1, OPEN_FIELD.name: 1}
    assert run("report", "90218/day1").stdout == run("report", WHEEL.name).stdout
    assert run("report", "90218\\day1").stdout.count("Request ") == 3


def test_a_request_tells_what_it_waits_for_and_why_it_failed(lab: Lab, run: Run) -> None:
    folder = write_folder(lab.share / "90218" / "day1", OPEN_FIELD)
    request = imaging.BaseFolder.add(**lab.request(folder, combined=True))
    jobs = imaging.MakeDatasetSessions.jobs

    def told() -> tuple[str, str]:
        (past,) = history(tables.default_tables(), lab.windows_path(folder))
        return str(past.state), past.message

    assert told() == ("waiting", "")
    jobs.refresh(delay=-1)
    jobs.reserve({"basefolder_id": request})
    assert told() == ("running", "")
    jobs.delete_quick()
    row = {"basefolder_id": request, "priority": 5}
    jobs.insert1({**row, "status": "pending", "error_message": "Files are still being copied."})
    assert told() == ("waiting", "Files are still being copied.")
    jobs.delete_quick()
    write_tif(folder / f"{OPEN_FIELD.name}_00004_00001.tif")
    jobs.refresh(delay=-1)
    imaging.MakeDatasetSessions.populate(reserve_jobs=True, suppress_errors=True)
    printed = run("report", lab.windows_path(folder)).stdout
    assert ": error\n" in printed
    assert "NamingError" in printed


@pytest.mark.usefixtures("folder")
def test_what_nobody_requested_is_told_with_what_looks_like_it(run: Run) -> None:
    result = run("report", "90218/day2")
    assert result.exit_code == 1
    told = "No request is known of this folder or session. Found: 90218/day2 (like 90218/day1?)."
    assert told in result.stderr


def test_datasets_are_told_session_by_session_in_order_of_their_types(lab: Lab, run: Run) -> None:
    folder = write_folder(lab.share / "90218" / "day1", WHEEL, OPEN_FIELD)
    register(lab, folder, combined=True)
    told = run("report", lab.windows_path(folder)).stdout.splitlines()
    datasets = [line.split()[:1:-1] for line in told if line.startswith("  dataset")]
    assert len(datasets) > 2
    assert datasets == sorted(datasets)


def test_preview_and_report_tell_sessions_datasets_and_deleted_tables_in_one_order(
    lab: Lab, run: Run
) -> None:
    folder = imported(lab, WHEEL)
    write_timeseries(folder, OPEN_FIELD)
    preview = str(imaging.BaseFolder.preview(**lab.request(folder, combined=True)))
    register(lab, folder, combined=True)
    report = run("report", lab.windows_path(folder)).stdout.split("\n\n")[-2]
    sessions = r"(joined|known) +([0-9-]{10} [0-9:]{8}  \S+)"
    datasets, deleted = r"new +([a-z]\w+ \S+\w)", r"^ +([0-9]+ test_\S+)"
    for pattern in (sessions, datasets, deleted):
        found = [re.findall(pattern, text, re.MULTILINE) for text in (preview, report)]
        assert found[0] == found[1]
        assert len(found[0]) > 1
