"""Workers that compare the animals with the colony every so many minutes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from imaging_pipeline.colony.runs import Run
from imaging_pipeline.colony.sources.registry import configured_source
from imaging_pipeline.colony.sync import compare_when_due
from imaging_pipeline.errors import InputError
from imaging_pipeline.schemas import mlims, tables
from imaging_pipeline.schemas.tables import Tables
from tests.makers.lab import Lab


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "animals.csv"
    write(path, "animal_id,animal_name\nb1,90300\n")
    return path


def write(path: Path, text: str) -> None:
    path.write_text(text)
    an_hour_ago = time.time() - 3600
    os.utime(path, (an_hour_ago, an_hour_ago))


@pytest.fixture
def worker(lab: Lab, file: Path) -> Tables:
    """Return the tables of a worker whose configuration names the file."""
    source = {"kind": "csv", "path": str(file), "datasource_id": 1}
    return replace(
        tables.default_tables(), config=replace(lab.config, mlims_source=source, mlims_every_min=30)
    )


@pytest.fixture
def pass_minutes(lab: Lab) -> Callable[[int], Any]:
    """Return a function that lets all runs be older by some minutes."""

    def older(minutes: int) -> None:
        ago = lab.connection.adapter.interval_expr(60 * minutes, "second")
        lab.connection.query(
            f"UPDATE {mlims.Sync.full_table_name} SET sync_started = sync_started - {ago},"
            f" sync_alive = sync_alive - {ago}"
        )

    return older


def test_animals_are_compared_at_an_interval_whichever_worker_is_first(
    worker: Tables, file: Path, pass_minutes: Callable[[int], Any]
) -> None:
    assert compare_when_due(worker) == (
        f"Compared 1 animal with csv {file}: 1 added, 0 changed, 0 gone, 0 rows skipped"
    )
    assert compare_when_due(worker) == ""
    pass_minutes(29)
    assert compare_when_due(worker) == ""
    pass_minutes(2)
    write(file, "animal_id,animal_name\nb1,90300b\n")
    assert "0 added, 1 changed" in compare_when_due(worker)
    assert len(mlims.Sync()) == 2


def test_a_worker_without_a_source_compares_nothing(lab: Lab) -> None:
    assert compare_when_due(tables.default_tables()) == ""
    assert len(mlims.Sync()) == 0


def test_a_failure_is_recorded_and_tried_again_when_it_is_due(
    worker: Tables, file: Path, pass_minutes: Callable[[int], Any]
) -> None:
    write(file, "animal_id,animal_nmae\nb1,90300\n")
    with pytest.raises(InputError):
        compare_when_due(worker)
    assert "animal_nmae" in mlims.Sync().fetch1("sync_error")
    write(file, "animal_id,animal_name\nb1,90300\n")
    assert compare_when_due(worker) == ""
    pass_minutes(31)
    assert "1 added" in compare_when_due(worker)


def test_only_one_comparison_runs_at_a_time_and_a_dead_one_blocks_nothing(
    worker: Tables, pass_minutes: Callable[[int], Any]
) -> None:
    source = configured_source(worker.config)
    assert source is not None
    Run(worker, source, is_whole=True)
    slow = replace(worker, config=replace(worker.config, mlims_every_min=1))
    pass_minutes(2)
    assert compare_when_due(slow) == ""
    pass_minutes(4)
    assert "1 added" in compare_when_due(slow)
