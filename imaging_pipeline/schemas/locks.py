"""Transactions, and locks that the database server holds, so that they work between machines."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from imaging_pipeline.errors import DatabaseError, Responsible

# Seconds. Declaring all tables takes a few: who waits longer most likely waits for a process that hangs.
_WAIT_S = 300

# PostgreSQL, appendix A: lock_not_available, the error after lock_timeout.
_NOT_AVAILABLE = "55P03"

# Transactions are READ COMMITTED otherwise, where each statement sees what was committed before it. On MySQL
# the level, as it is set without SESSION, is that of the next transaction alone.
_CONSISTENT_READ = {
    "postgresql": ("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",),
    "mysql": (
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
        "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
    ),
}


@contextmanager
def named_lock(connection: Any, name: str) -> Iterator[None]:
    """Hold the lock of this name; it belongs to the connection and ends with it.

    Raises
    ------
    DatabaseError
        Another process has held the lock for five minutes.
    """
    if connection.adapter.backend == "postgresql":
        # PostgreSQL's advisory locks have numbers for names.
        # Not hash(), which differs between processes. Names with equal numbers only wait for each other.
        number = zlib.crc32(name.encode())
        is_ours = _acquired_on_postgresql(connection, number)
        release = f"SELECT pg_advisory_unlock({number})"
    else:
        is_ours = connection.query(f"SELECT GET_LOCK('{name}', {_WAIT_S})").fetchone()[0] == 1
        release = f"SELECT RELEASE_LOCK('{name}')"
    if not is_ours:
        raise DatabaseError(
            f"The lock {name} was not free for {_WAIT_S} s",
            remedy="See whether another process hangs, then try again.",
            responsible=Responsible.RETRY,
        )
    try:
        yield
    finally:
        connection.query(release)


def _acquired_on_postgresql(connection: Any, number: int) -> bool:
    connection.query(f"SET lock_timeout = '{_WAIT_S}s'")
    try:
        connection.query(f"SELECT pg_advisory_lock({number})")
    except Exception as error:
        if getattr(error, "pgcode", None) != _NOT_AVAILABLE:
            raise
        return False
    finally:
        connection.query("RESET lock_timeout")
    return True


def lock_rows(table: Any) -> None:
    """Lock the rows of a restricted table until the open transaction ends.

    Others that lock the same rows wait. On PostgreSQL new rows may still refer to them meanwhile.
    """
    # A row that refers to this one takes FOR KEY SHARE on PostgreSQL, which conflicts with FOR UPDATE only.
    strength = "NO KEY UPDATE" if table.connection.adapter.backend == "postgresql" else "UPDATE"
    table.connection.query(f"{table.make_sql()} FOR {strength}").fetchall()


@contextmanager
def in_transaction(connection: Any) -> Iterator[None]:
    """Run the enclosed code in the open transaction, or in one of its own."""
    # DataJoint raises an error for a transaction within another.
    if connection.in_transaction:
        yield
        return
    with connection.transaction:
        yield


@contextmanager
def consistent_read(connection: Any) -> Iterator[None]:
    """Let all queries of the enclosed code see the same state of the database; nothing may be written.

    In an open transaction this does nothing: the caller has locked the rows that it reads.
    """
    if connection.in_transaction:
        yield
        return
    for statement in _CONSISTENT_READ[connection.adapter.backend]:
        connection.query(statement)
    try:
        yield
    finally:
        connection.query("ROLLBACK")
