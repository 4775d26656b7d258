"""The pipeline's own lanes on its own tables."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from batch_populate.command import main
from imaging_pipeline.config.config import CONFIG_NAME
from imaging_pipeline.lanes import LANES, short_name
from imaging_pipeline.schemas import imaging
from imaging_pipeline.workers.messages import Event, Finished, Note
from imaging_pipeline.workers.run import run_worker
from tests.makers.config_file import write_config
from tests.makers.femtonics import write_femtonics
from tests.makers.folders import WHEEL, write_file, write_folder
from tests.makers.lab import Lab


def test_a_worker_on_all_lanes_of_an_empty_database_ends_with_nothing_left(lab: Lab) -> None:
    events: list[Event] = []
    summary = run_worker(LANES, True, 1.0, lab.config, events.append)
    assert str(summary) == "done 0, errors 0, left 0"
    assert [event for event in events if isinstance(event, Finished)] == []
    name = next(event.message for event in events if isinstance(event, Note)).split()[2]
    assert name.startswith(f"{platform.node()}-{os.getpid()}-")  # by which it stands among the workers
    assert len(imaging.Worker()) == 0


@pytest.fixture
def folder() -> Iterator[Path]:
    """Return a folder with a configuration of an embedded server; not pytest's own, which is closed to it."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as path:
        config = {"custom": {"embedded": {"folder": f"{path}/server"}, "timezone": "Europe/Oslo"}}
        (Path(path) / CONFIG_NAME).write_text(json.dumps(config))
        yield Path(path)


def test_each_recording_of_each_kind_is_imported_once(lab: Lab) -> None:
    """A job that is made again and again would keep a worker that works once at it for ever."""
    miniscope = write_folder(lab.share / "90218" / "miniscope", WHEEL)
    femtonics = write_femtonics(lab.share / "90218" / "femtonics")
    for folder, experiment_type in ((miniscope, "2Pminiscope_A"), (femtonics, "femtonics")):
        inputs = lab.request(folder, combined=False)
        imaging.BaseFolder.insert1({**inputs, "experiment_type": experiment_type})
    lanes = [lane for lane in LANES if lane.name in ("ingest", "imported")]
    events: list[Event] = []
    run_worker(lanes, True, 0.1, lab.config, events.append)
    outcomes = [event.message for event in events if isinstance(event, Finished) and event.message]
    assert outcomes == ["90218/miniscope: 1 session new", "90218/femtonics: 2 sessions new"]
    made = [short_name(event.table) for event in events if isinstance(event, Finished) and event.key]
    assert made.count("imaging.MakeDatasetSessions") == 2
    assert made.count("imaging.Mesc") == len(imaging.Mesc()) == 2
    assert made.count("imaging.Tif") == len(imaging.Tif()) == 3


def test_a_worker_that_worked_through_ends_with_0_though_a_folder_was_wrong(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_file(lab.share / "notes.txt")
    imaging.BaseFolder.insert1(lab.request(lab.share / "not_there", combined=False))
    monkeypatch.setenv("IMAGING_PIPELINE_CONFIG", str(write_config(lab.config, tmp_path / CONFIG_NAME)))
    result = CliRunner().invoke(main, ["ingest", "--once"])
    assert result.stdout.splitlines()[-1] == "done 0, errors 1, left 0"
    assert result.exit_code == 0


def test_a_condition_that_is_none_is_refused_as_a_wrong_option(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGING_PIPELINE_CONFIG", str(write_config(lab.config, tmp_path / CONFIG_NAME)))
    refused = CliRunner().invoke(main, ["ingest", "--once", "--restrict", "animal = '90218'"])
    assert refused.exit_code == 2
    assert "The condition is none on the columns of requests." in refused.stderr


def test_a_worker_writes_its_log_into_a_file_and_begins_another_where_that_is_full(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_folder(lab.share / "90218" / "miniscope", WHEEL)
    imaging.BaseFolder.insert1(lab.request(folder, combined=False))
    monkeypatch.setenv("IMAGING_PIPELINE_CONFIG", str(write_config(lab.config, tmp_path / CONFIG_NAME)))
    log = tmp_path / "worker.log"
    log.write_text("an earlier line\n" * 400_000)

    result = CliRunner().invoke(main, ["ingest", "--once", "--log", str(log)])

    assert result.exit_code == 0
    lines = log.read_text().splitlines()
    assert lines[-1].endswith("INFO done 1, errors 0, left 0")
    assert any(line.endswith("90218/miniscope: 1 session new") for line in lines)
    assert (tmp_path / "worker.log.1").read_text().startswith("an earlier line\n")
    assert "an earlier line" not in lines


def test_a_log_that_cannot_be_written_is_refused_before_any_work(tmp_path: Path) -> None:
    refused = CliRunner().invoke(main, ["--once", "--log", str(tmp_path / "away" / "worker.log")])
    assert refused.exit_code == 2
    assert "--log" in refused.stderr
    assert "worker.log" in refused.stderr


@pytest.mark.slow(reason="two commands start the embedded server and job processes")
def test_the_command_works_from_a_folder_with_a_configuration(folder: Path) -> None:
    assert "ready on the embedded server" in commanded(folder, "imaging_pipeline.cli", "init-db").stdout
    done = commanded(folder, "batch_populate", "ingest", "imported", "--once")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "done 0, errors 0, left 0"


def test_the_command_of_a_database_that_was_not_made_says_how_to_make_it(folder: Path) -> None:
    refused = commanded(folder, "batch_populate", "ingest", "--once")
    assert refused.returncode == 1
    assert "imaging-pipeline init-db" in refused.stderr


def commanded(folder: Path, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder, as its only configuration."""
    start = ["-m", module] if module == "batch_populate" else ["-c", f"from {module} import main; main()"]
    command = [sys.executable, *start, *arguments]
    return subprocess.run(command, cwd=folder, env=without_settings(), capture_output=True, text=True)


def without_settings() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("DJ_", "IMAGING_"))}
