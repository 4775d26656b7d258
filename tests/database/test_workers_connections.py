"""Workers whose database goes away, on both backends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from imaging_pipeline.config.config import Config
from imaging_pipeline.workers.connection import reconnect
from imaging_pipeline.workers.messages import Event
from imaging_pipeline.workers.settings import Settings
from tests.makers.server_process import ServerProcess
from tests.makers.toy_tables import ToyConfig, ToyPipelineTables
from tests.makers.toy_workers import Toy, declared_toy, wait_until

pytestmark = pytest.mark.skipif(os.name == "nt", reason="servers are stopped by POSIX signals")


@pytest.fixture
def toy(server_config: Config, tmp_path: Path) -> Iterator[Toy]:
    """Return the toy tables, empty."""
    with declared_toy(server_config, "toy_lost", tmp_path) as toy:
        yield toy


@pytest.fixture
def stoppable(server: ServerProcess, embedded_lab_config: Config, tmp_path: Path) -> Iterator[Toy]:
    """Return the toy tables on a server that may be stopped."""
    config = server.configured(embedded_lab_config, tmp_path)
    folder = tmp_path / "toy"
    folder.mkdir()
    with declared_toy(config, "toy", folder) as toy:
        yield toy
        server.start()
        reconnect(toy.tables.Sample().connection)


def cut_connections(toy: Toy) -> None:
    """End every connection to the server but the test's own."""
    connection = toy.tables.Sample().connection
    if connection.adapter.backend == "postgresql":
        connection.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
        ).fetchall()
        return
    mine = connection.query("SELECT CONNECTION_ID()").fetchone()[0]
    for row in connection.query("SHOW PROCESSLIST").fetchall():
        if row[0] != mine and row[1] == connection.conn_info["user"]:
            connection.query(f"KILL {row[0]}")


def test_a_connection_that_is_lost_while_a_job_computes_is_made_again(toy: Toy) -> None:
    toy.add("gate", "quick")

    def cut(_events: list[Event]) -> None:
        toy.wait_for_gate(0)
        cut_connections(toy)
        toy.open_gate(0)

    summary = toy.run(cut).summary
    assert (summary.done, summary.errors, summary.left) == (4, 0, ())
    assert sorted(toy.computed()) == [0, 1]


def test_what_was_computed_is_inserted_though_the_connection_was_lost_amid_that(toy: Toy) -> None:
    toy.add("slow insert")

    def cut(_events: list[Event]) -> None:
        toy.wait_for_gate(0)
        cut_connections(toy)
        toy.open_gate(0)

    summary = toy.run(cut).summary
    assert (summary.done, summary.errors, summary.left) == (2, 0, ())
    assert toy.computed() == [0]


def test_a_loop_whose_connections_are_lost_while_it_waits_goes_on(toy: Toy) -> None:
    def cut(_events: list[Event]) -> None:
        toy.add("quick")
        wait_until(lambda: len(toy.tables.Summary()))
        cut_connections(toy)
        toy.add("quick", first=1)
        wait_until(lambda: len(toy.tables.Summary()) == 2)

    assert toy.run(cut, once=False, full_search_s=0.1).summary.errors == 0


class LostAtFirst(ToyPipelineTables):
    """Loses the first connection as soon as it is made."""

    def connect(self, config: ToyConfig) -> Any:
        connection = super().connect(config)
        if not (config.folder / "lost").exists():
            (config.folder / "lost").touch()
            connection._conn.close()
        return connection


def test_a_loop_whose_connection_is_lost_while_it_starts_begins_anew(toy: Toy) -> None:
    toy.add("quick")

    def wait(_events: list[Event]) -> None:
        wait_until(lambda: len(toy.tables.Summary()))

    assert toy.run(wait, once=False, tables=LostAtFirst()).summary.done == 2


def test_a_server_that_is_away_for_a_while_is_waited_for(stoppable: Toy, server: ServerProcess) -> None:
    stoppable.add("gate", "quick", "slow insert")

    def restart(events: list[Event]) -> None:
        stoppable.wait_for_gate(0)
        server.stop()
        stoppable.open_gate(0)
        wait_until(lambda: any("does not answer" in str(event) for event in events))
        server.start()
        stoppable.wait_for_gate(2)
        server.stop()
        stoppable.open_gate(2)
        server.start()

    summary = stoppable.run(restart).summary
    reconnect(stoppable.tables.Sample().connection)
    assert (summary.done, summary.errors, summary.left) == (6, 0, ())
    assert stoppable.computed() == [0, 1, 2]
    assert stoppable.measured() == [0, 1, 2]


def test_errors_are_settled_though_the_server_was_away_when_they_were_raised(
    stoppable: Toy, server: ServerProcess
) -> None:
    """The job's own is kept; that it found no server is none of the job."""
    stoppable.add("failing gate", "querying gate")

    def restart(events: list[Event]) -> None:
        for number in (0, 1):
            stoppable.wait_for_gate(number)
        server.stop()
        for number in (0, 1):
            stoppable.open_gate(number)
        wait_until(lambda: any("does not answer" in str(event) for event in events))
        server.start()

    summary = stoppable.run(restart, settings=Settings(processes=2)).summary
    reconnect(stoppable.tables.Sample().connection)
    assert (summary.done, summary.errors, summary.left) == (2, 1, ())
    assert (stoppable.job(0)["status"], stoppable.measured()) == ("error", [1])
    assert sorted(stoppable.computed()) == [0, 1, 1]
