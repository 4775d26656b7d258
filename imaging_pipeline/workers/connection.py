"""Staying connected over weeks: DataJoint does not reconnect to PostgreSQL by itself."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from datajoint.errors import LostConnectionError

from imaging_pipeline.errors import DatabaseError, Move
from imaging_pipeline.workers.messages import Note

_PAUSE_S = 2.0


def is_alive(connection: Any) -> bool:
    """Ask the server; DataJoint's `is_connected` goes on saying yes on PostgreSQL."""
    return bool(connection.adapter.ping(connection._conn))


def revive(connection: Any, patience_s: float = 0.0) -> None:
    """Connect again, trying for ``patience_s``, and forget a transaction that the loss has ended.

    Raises
    ------
    DatabaseError
        When the server did not answer in that time.
    """
    deadline = time.monotonic() + patience_s
    while True:
        try:
            connection.connect()
            connection.cancel_transaction()
            return
        except Exception as error:  # each driver has its own classes for an absent server
            if time.monotonic() >= deadline:
                raise DatabaseError("The database does not answer", found=error, move=Move.RETRY) from error
        time.sleep(_PAUSE_S)


@contextmanager
def surviving_loss(connection: Any, tell: Callable[[Note], None]) -> Iterator[None]:
    """Let the block break off where the database is away, and connect again for the next time."""
    try:
        yield
    except Exception as error:  # as above
        if is_alive(connection) and not isinstance(error, LostConnectionError):
            raise
        try:
            revive(connection)
            tell(Note("The connection to the database was lost, and made again.", logging.WARNING))
        except DatabaseError as gone:
            tell(Note(str(gone), logging.WARNING))
