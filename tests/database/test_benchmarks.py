"""Every benchmark still runs; how fast is for `make bench` to say."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest

from benchmarks import fresh_process
from benchmarks.__main__ import SCRIPTS
from benchmarks.measurement import Measurement
from benchmarks.script import Script
from benchmarks.table import markdown_table
from imaging_pipeline.config.config import Config
from tests.makers import mariadb
from tests.makers.processes import fast_processes
from tests.makers.stand_in_suite2p import stand_in_suite2p


def script(name: str) -> Script:
    found = importlib.import_module(f"benchmarks.{name}").SCRIPT
    assert isinstance(found, Script)
    return found


def names(*, on_servers: bool) -> list[str]:
    return [name for name in SCRIPTS if script(name).on_servers is on_servers]


def assert_rows(rows: list[Measurement]) -> None:
    assert rows
    assert all(row.ours >= 0 for row in rows)
    assert any(row.at_most or row.at_most_ratio for row in rows)


@pytest.mark.parametrize("name", names(on_servers=False))
@pytest.mark.slow(reason="each script runs whole, with a subprocess a measurement")
def test_a_benchmark_gives_its_rows(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in_suite2p(tmp_path / "packages", monkeypatch)
    assert_rows(script(name).rows(script(name).tiny, tmp_path))


@pytest.mark.parametrize("name", names(on_servers=True))
@pytest.mark.slow(reason="each script runs whole, and fills a database first")
def test_a_benchmark_with_a_database_gives_its_rows(
    name: str, embedded_lab_config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fresh_process, "PROCESSES", fast_processes())
    if name == "colony" and not mariadb.is_installed():
        pytest.skip("MariaDB is not installed here")
    assert_rows(script(name).rows(script(name).tiny, tmp_path, embedded_lab_config))


def measurement(**values: Any) -> Measurement:
    return Measurement(name="Read a header", ours=2.0, unit="ms", **values)


@pytest.mark.parametrize(
    ("row", "is_met"),
    [
        (measurement(at_most=2.0), True),
        (measurement(at_most=1.9), False),
        (measurement(peer_name="tifffile", peer=20.0, at_most_ratio=0.1), True),
        (measurement(peer_name="tifffile", peer=19.0, at_most_ratio=0.1), False),
        (measurement(peer_name="tifffile", peer=20.0, at_most_ratio=0.1, at_most=1.0), False),
        (measurement(peer_name="tifffile", peer=20.0), None),
    ],
)
def test_a_row_says_whether_its_promise_holds(row: Measurement, is_met: bool | None) -> None:
    assert row.is_met is is_met


def test_the_table_shows_figures_with_their_unit_and_promises() -> None:
    row = measurement(peer_name="tifffile", peer=19.0, at_most_ratio=0.1, backend="mysql")
    last = markdown_table([row]).splitlines()[-1]
    assert [cell.strip() for cell in last.strip("|").split("|")] == [
        *("Read a header", "mysql", "2 ms", "tifffile", "19 ms", "0.105", "ratio ≤ 0.1", "NO"),
    ]
