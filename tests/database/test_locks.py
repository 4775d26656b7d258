"""Locks that hold between connections, on both backends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from imaging_pipeline.config.config import Config
from imaging_pipeline.errors import DatabaseError
from imaging_pipeline.schemas import locks
from tests.makers.toy_tables import ToyConfig, open_connection


@pytest.fixture
def connections(server_config: Config, tmp_path: Path) -> Iterator[tuple[Any, Any]]:
    """Return two connections to one server."""
    config = ToyConfig(server_config, "", tmp_path)
    with closing(open_connection(config)) as one, closing(open_connection(config)) as other:
        yield one, other


def wait_for_lock(connection: Any) -> None:
    with locks.named_lock(connection, "init"):
        pass


def lock_timeout(connection: Any) -> str:
    setting = "lock_timeout" if connection.adapter.backend == "postgresql" else "@@lock_wait_timeout"
    return str(connection.query(f"{'SHOW' if setting == 'lock_timeout' else 'SELECT'} {setting}").fetchone())


def test_a_lock_that_another_connection_keeps_is_named(
    connections: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "_WAIT_S", 1)
    one, other = connections
    before = lock_timeout(other)
    with (
        locks.named_lock(one, "init"),
        pytest.raises(DatabaseError, match="The lock init was not free for 1 s"),
    ):
        wait_for_lock(other)
    assert lock_timeout(other) == before


def test_a_lock_leaves_the_session_as_it_was(connections: tuple[Any, Any]) -> None:
    connection, _ = connections
    before = lock_timeout(connection)
    wait_for_lock(connection)
    assert lock_timeout(connection) == before
