"""Staying connected over weeks: DataJoint does not reconnect to PostgreSQL by itself."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from datajoint.errors import LostConnectionError

from imaging_pipeline.errors import DatabaseError, Responsible, UnreachableError
from imaging_pipeline.server.connection_errors import words
from imaging_pipeline.server.database_errors import is_loss, is_of_server
from imaging_pipeline.server.session_settings import is_alive
from imaging_pipeline.workers.messages import Note
from imaging_pipeline.workers.stop_signals import StopRequest

_T = TypeVar("_T")

_PAUSE_S = 2.0
# How late a signal may be heeded: not every system wakes a sleeping process for one.
_TICK_S = 0.25


def await_server(
    begin: Callable[[], _T], stop: StopRequest, tell: Callable[[Note], None], longest_pause_s: float
) -> _T | None:
    """Begin, as soon as the server answers and stays that long; None when asked to stop before.

    A machine that boots may be quicker than its server. What the server refuses is no matter of time.

    Raises
    ------
    PipelineError
        When the server refuses.
    """
    pause_s = _PAUSE_S
    waited = False
    while not stop.count:
        try:
            begun = begin()
        except Exception as error:  # each driver has its own classes for an absent server
            if not (isinstance(error, UnreachableError) or is_loss(error)):
                raise
            tell(Note(f"Waiting for the database. {error}", logging.WARNING))
            waited = True
            _rest(min(pause_s, longest_pause_s), stop)
            pause_s *= 2
        else:
            if waited:
                tell(Note("The database answers."))
            return begun
    return None


def _rest(duration_s: float, stop: StopRequest) -> None:
    deadline = time.monotonic() + duration_s
    while not stop.count and (left_s := deadline - time.monotonic()) > 0:
        time.sleep(min(_TICK_S, left_s))


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
            # Else the server would keep what is locked there until it notices.
            with suppress(Exception):
                connection.close()
            connection.connect()
            connection.cancel_transaction()
            return
        except Exception as error:  # each driver has its own classes for an absent server
            if time.monotonic() >= deadline:
                raise DatabaseError(
                    "The database does not answer",
                    found=error,
                    remedy="Nothing at first; where it lasts, see whether the database server runs.",
                    responsible=Responsible.RETRY,
                ) from error
        time.sleep(_PAUSE_S)


@contextmanager
def surviving(connection: Any, tell: Callable[[Note], None]) -> Iterator[None]:
    """Let the block break off where the database is away or refuses, and connect again for the next time.

    What it refuses is told, such as a statement that waited in vain for the transaction of another.
    """
    try:
        yield
    except Exception as error:  # as above
        if is_alive(connection) and not isinstance(error, LostConnectionError):
            if not is_of_server(error):
                raise
            tell(Note(f"The database refused: {words(error)}. It is tried again.", logging.WARNING))
            return
        try:
            revive(connection)
            tell(Note("The connection to the database was lost, and made again.", logging.WARNING))
        except DatabaseError as gone:
            tell(Note(str(gone), logging.WARNING))
