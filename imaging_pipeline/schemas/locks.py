"""Locks that the database server keeps, so that they hold between machines."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from imaging_pipeline.errors import DatabaseError, Move

_WAIT_S = 300


@contextmanager
def named_lock(connection: Any, name: str) -> Iterator[None]:
    """Hold a lock of this name; it belongs to the connection and ends with it.

    Raises
    ------
    DatabaseError
        When another process has held the lock for five minutes.
    """
    if connection.adapter.backend == "postgresql":
        number = zlib.crc32(name.encode())
        acquire, release = f"SELECT pg_advisory_lock({number})", f"SELECT pg_advisory_unlock({number})"
        connection.query(f"SET lock_timeout = '{_WAIT_S}s'")
    else:
        acquire, release = f"SELECT GET_LOCK('{name}', {_WAIT_S})", f"SELECT RELEASE_LOCK('{name}')"
    if connection.query(acquire).fetchone()[0] == 0:
        raise DatabaseError(
            f"The lock {name} was not free for {_WAIT_S} s",
            remedy="See whether another process hangs, then try again.",
            move=Move.RETRY,
        )
    try:
        yield
    finally:
        connection.query(release)


def lock_rows(table: Any) -> None:
    """Lock the rows of a restricted table until the open transaction ends.

    Whoever wants the same rows waits. New rows may refer to them meanwhile on PostgreSQL.
    """
    strength = "NO KEY UPDATE" if table.connection.adapter.backend == "postgresql" else "UPDATE"
    table.connection.query(f"{table.make_sql()} FOR {strength}").fetchall()


@contextmanager
def in_transaction(connection: Any) -> Iterator[None]:
    """Run the enclosed code in the open transaction, or in one of its own."""
    if connection.in_transaction:
        yield
        return
    with connection.transaction:
        yield
