"""Staying connected over weeks: DataJoint does not reconnect to PostgreSQL by itself."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from datajoint.errors import LostConnectionError

from imaging_pipeline.errors import DatabaseError, Responsible, UnreachableError
from imaging_pipeline.server.connection_errors import error_text, is_loss, is_of_server
from imaging_pipeline.server.session_settings import is_alive
from imaging_pipeline.workers.messages import Note
from imaging_pipeline.workers.stop_signals import StopRequest

_T = TypeVar("_T")

# Before the second attempt; `wait_for_server` doubles each pause that follows.
_PAUSE_S = 2.0
# How late a signal may be noticed: not every system wakes a sleeping process for one.
_TICK_S = 0.25


def wait_for_server(
    begin: Callable[[], _T], stop: StopRequest, on_event: Callable[[Note], None], longest_pause_s: float
) -> _T | None:
    """Call ``begin`` until the server answers it, and return its result; None when asked to stop before.

    A machine may boot faster than its server. A refusal of the server is raised: it does not pass by itself.

    Raises
    ------
    PipelineError
        The server refuses.
    """
    pause_s = _PAUSE_S
    waited = False
    while not stop.count:
        try:
            result = begin()
        except Exception as error:  # each driver has its own classes for an absent server
            if not (isinstance(error, UnreachableError) or is_loss(error)):
                raise
            on_event(Note(f"Waiting for the database. {error}", logging.WARNING))
            waited = True
            _pause(min(pause_s, longest_pause_s), stop)
            pause_s *= 2
        else:
            if waited:
                on_event(Note("The database answers."))
            return result
    return None


def _pause(duration_s: float, stop: StopRequest) -> None:
    deadline = time.monotonic() + duration_s
    while not stop.count and (left_s := deadline - time.monotonic()) > 0:
        time.sleep(min(_TICK_S, left_s))


def reconnect(connection: Any, timeout_s: float = 0.0) -> None:
    """Connect again, trying for ``timeout_s``, and forget a transaction that the loss has ended.

    Raises
    ------
    DatabaseError
        The server did not answer in that time.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            # Otherwise the server would keep what is locked there until it notices the loss.
            with suppress(Exception):
                connection.close()
            connection.connect()
            # DataJoint would go on in the transaction that ended with the old connection.
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
def reconnecting(connection: Any, on_event: Callable[[Note], None]) -> Iterator[None]:
    """Let the block end early where the database is away or refuses, and connect again for the next time.

    A refusal is reported, such as a statement that waited in vain for the transaction of another.
    """
    try:
        yield
    except Exception as error:  # each driver has its own classes for an absent server
        # On MySQL DataJoint reconnects by itself: the server answers, although a transaction was lost.
        if is_alive(connection) and not isinstance(error, LostConnectionError):
            if not is_of_server(error):
                raise
            on_event(Note(f"The database refused: {error_text(error)}. It is tried again.", logging.WARNING))
            return
        try:
            reconnect(connection)
            on_event(Note("The connection to the database was lost, and made again.", logging.WARNING))
        except DatabaseError as gone:
            on_event(Note(str(gone), logging.WARNING))
