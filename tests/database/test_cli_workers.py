"""``imaging-pipeline workers`` on both backends."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from imaging_pipeline.cli import main
from imaging_pipeline.config.config import CONFIG_NAME
from imaging_pipeline.lanes import Need
from imaging_pipeline.living_worker import Lack
from imaging_pipeline.schemas import imaging
from tests.makers.config_file import write_config
from tests.makers.lab import Lab
from tests.makers.living import add_worker

NO_SUITE2P = Lack(Need.SUITE2P, "", "Suite2p 1.x with torch is not installed", "Install it.")


@pytest.fixture
def config(lab: Lab, tmp_path: Path) -> Path:
    return write_config(lab.config, tmp_path / CONFIG_NAME)


def told(config: Path) -> Result:
    result = CliRunner().invoke(main, ["--config", str(config), "workers"])
    assert result.exit_code == 0, result.output
    return result


def test_each_worker_is_told_with_what_it_does_and_lacks_in_lines_that_fit_a_terminal(config: Path) -> None:
    add_worker(
        imaging.Worker,
        "vm7-4711-3fa2",
        "ingest,suite2p",
        processes={12: "imaging.MakeDatasetSessions 17: listing 3", 13: ""},
        lacks=(NO_SUITE2P,),
        priority=2,
        worker_host="vm7",
        worker_restriction="animal_name='90218'",
        worker_scratch_bytes=105_000_000_000,
        worker_memory_bytes=12_000_000_000,
    )
    add_worker(imaging.Worker, "vm8-1-aaaa", "computed", silent_for_s=300)
    lines = told(config).stdout.splitlines()
    assert lines[0] == "vm7-4711-3fa2"
    assert lines[1].startswith("  on       vm7, process 1, version 1, since 20")
    assert lines[2:4] == [
        "  lanes    ingest, suite2p",
        "  only     animal_name='90218'; priority 2 or more urgent",
    ]
    assert lines[4].startswith("  beat     ")
    assert lines[5:8] == [
        "  does     imaging.MakeDatasetSessions 17: listing 3",
        "  free     105.0 GB of scratch, 12.0 GB of memory",
        "  lacks    Suite2p 1.x with torch is not installed. What to do: Install it.",
    ]
    assert "vm8-1-aaaa" in lines
    assert any(line.startswith("  SILENT   It gave no sign of life for 5 min") for line in lines)
    assert max(map(len, lines)) <= 80


def test_where_no_worker_runs_it_is_told_how_to_start_one(config: Path) -> None:
    assert told(config).stdout == "No worker runs. To start one: python -m batch_populate --loop\n"
