"""The pipeline's own lanes on its own tables."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from imaging_pipeline.config import CONFIG_NAME
from imaging_pipeline.schemas import imaging
from imaging_pipeline.workers.lanes import LANES
from imaging_pipeline.workers.messages import Event, Finished
from imaging_pipeline.workers.run import run_worker
from tests.makers.lab import Lab


def test_a_worker_on_all_lanes_of_an_empty_database_ends_with_nothing_left(lab: Lab) -> None:
    told: list[Event] = []
    summary = run_worker(LANES, True, 1.0, lab.config, told.append)
    assert str(summary) == "done 0, errors 0, left 0"
    assert [event for event in told if isinstance(event, Finished)] == []
    assert len(imaging.Worker()) == 0


def test_the_command_works_from_a_folder_with_a_configuration(tmp_path: Path) -> None:
    config = {"custom": {"embedded": {"folder": str(tmp_path / "server")}, "timezone": "Europe/Oslo"}}
    (tmp_path / CONFIG_NAME).write_text(json.dumps(config))
    command = [sys.executable, "-m", "batch_populate", "ingest", "imported", "--once"]
    done = subprocess.run(command, cwd=tmp_path, env=without_settings(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "done 0, errors 0, left 0"


def without_settings() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("DJ_", "IMAGING_"))}
