"""The sign of life by which others see that a worker lives, and what it does.

It has a thread and a connection of its own: whatever the worker waits for, the heart beats.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from imaging_pipeline.workers.abilities import Abilities
from imaging_pipeline.workers.pulse import Pulse
from imaging_pipeline.workers.timing import Timing
from imaging_pipeline.workers.worker_rows import Identity, State, WorkerRows

MISSED_BEATS = 3
"""After so many a worker is held for dead."""

_FAREWELL_S = 5.0


class Heartbeat:
    """Keeps the rows of one worker.

    Parameters
    ----------
    open_connection
        Gives a connection for the thread.
    table
        Full name of the table of workers.
    identity
        Who the worker is.
    timing
        How long it is between two beats, and when one is late.
    """

    def __init__(
        self, open_connection: Callable[[], Any], table: str, identity: Identity, timing: Timing
    ) -> None:
        self._open = open_connection
        self._table = table
        self._identity = identity
        self._every_s = timing.heartbeat_s
        self._state = State()
        self._wake, self._ended = threading.Event(), threading.Event()
        self._first = threading.Event()
        self._error: Exception | None = None
        self._pulse = Pulse(timing.late_s)
        self._thread = threading.Thread(target=self._live, name="heartbeat", daemon=True)

    def begin(self) -> None:
        """Beat the first time, so that what is reserved from now on has a living worker.

        Raises
        ------
        Exception
            What the database said, where it does not take the worker's row.
        """
        self._thread.start()
        self._first.wait()
        if self._error is not None:
            raise self._error

    def tell(self, doing: Mapping[int, str]) -> None:
        """Record what each job process does; a new or ended one at once, the rest with a beat."""
        is_urgent = doing.keys() != self._state.doing.keys()
        self._state = State(dict(doing), self._state.abilities)
        if is_urgent:
            self._wake.set()

    def able(self, abilities: Abilities) -> None:
        """Return what the machine can do."""
        self._state = State(self._state.doing, abilities)
        self._wake.set()

    def steady_s(self) -> float:
        """Return for how long no beat failed or came late; since ever, where none did.

        Who could not hear others must not hold them for dead, nor who was suspended together with them.
        """
        return self._pulse.steady_s()

    def end(self) -> None:
        """Remove the rows, if the database answers."""
        self._ended.set()
        self._wake.set()
        self._thread.join(_FAREWELL_S)

    def _live(self) -> None:
        rows: tuple[Any, WorkerRows] | None = None
        while not self._ended.is_set():
            self._wake.clear()
            rows = self._beat(rows)
            self._first.set()
            self._wake.wait(self._every_s)
        if rows is not None:
            with suppress(Exception):  # others will find it silent
                rows[1].remove()
                rows[0].close()

    def _beat(self, rows: tuple[Any, WorkerRows] | None) -> tuple[Any, WorkerRows] | None:
        """Write what there is to say; after a failure on a new connection, the next time."""
        try:
            if rows is None:
                connection = self._open()
                rows = connection, WorkerRows(connection, self._table, self._identity)
            self._pulse.beat(rows[1].write(self._state))
        except Exception as error:  # each driver has its own classes for an absent server
            if not self._first.is_set():
                self._error = error
                self._ended.set()
            self._pulse.miss()
            if rows is not None:
                with suppress(Exception):  # it is lost
                    rows[0].close()
            return None
        return rows
