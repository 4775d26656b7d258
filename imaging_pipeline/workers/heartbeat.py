"""The heartbeat by which others see that a worker lives, and what it does.

It has a thread and a connection of its own, so that it goes on whatever the worker waits for.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from imaging_pipeline.workers.abilities import Abilities
from imaging_pipeline.workers.settings import Timing
from imaging_pipeline.workers.worker_rows import Identity, WorkerRows, WorkerState

MISSED_BEATS = 3
"""After so many a worker counts as dead."""

# For removing the rows at the end; where that takes longer, others find the worker silent and do it.
_END_TIMEOUT_S = 5.0

# On some systems the first stands still while the machine sleeps; the second is set from time to time.
_CLOCKS = (time.monotonic, time.time)


class Heartbeat:
    """Writes the rows of one worker.

    Parameters
    ----------
    open_connection
        Returns a connection for the thread.
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
        self._state = WorkerState()
        self._wake, self._ended = threading.Event(), threading.Event()
        self._first = threading.Event()
        self._error: Exception | None = None
        self._regularity = Regularity(timing.late_s)
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def begin(self) -> None:
        """Beat the first time, so that what is reserved from now on has a living worker.

        Raises
        ------
        Exception
            The database's own, where it does not take the worker's row.
        """
        self._thread.start()
        self._first.wait()
        if self._error is not None:
            raise self._error

    def set_doing(self, doing: Mapping[int, str]) -> None:
        """Record what each job process does; a new or ended one at once, the rest with a beat."""
        # By their processes others see which worker has a job.
        is_urgent = doing.keys() != self._state.doing.keys()
        # Replaced, never changed: the thread may be writing the one before.
        self._state = WorkerState(dict(doing), self._state.abilities)
        if is_urgent:
            self._wake.set()

    def set_abilities(self, abilities: Abilities) -> None:
        """Record at once what the machine can do."""
        self._state = WorkerState(self._state.doing, abilities)
        self._wake.set()

    def regular_for_s(self) -> float:
        """Return for how long no beat failed or came late; infinity where none ever did."""
        return self._regularity.regular_for_s()

    def end(self) -> None:
        """Remove the rows, if the database answers."""
        self._ended.set()
        self._wake.set()
        self._thread.join(_END_TIMEOUT_S)

    def _run(self) -> None:
        rows: tuple[Any, WorkerRows] | None = None
        while not self._ended.is_set():
            # Before the beat, so that what is recorded while it is written wakes the thread once more.
            self._wake.clear()
            rows = self._beat(rows)
            self._first.set()
            self._wake.wait(self._every_s)
        if rows is not None:
            with suppress(Exception):  # others will find it silent
                rows[1].remove()
                rows[0].close()

    def _beat(self, rows: tuple[Any, WorkerRows] | None) -> tuple[Any, WorkerRows] | None:
        """Write the worker's state; after a failure the next beat makes a new connection."""
        try:
            if rows is None:
                connection = self._open()
                rows = connection, WorkerRows(connection, self._table, self._identity)
            self._regularity.record_beat(rows[1].write(self._state))
        except Exception as error:  # each driver has its own classes for an absent server
            # Later failures pass, or others notice that this worker is silent.
            if not self._first.is_set():
                self._error = error
                self._ended.set()
            self._regularity.record_failure()
            if rows is not None:
                with suppress(Exception):  # it is lost
                    rows[0].close()
            return None
        return rows


class Regularity:
    """For how long the beats of this worker were regular; one thread records them, another one reads.

    A worker that was suspended, or cut off from the database, could not see the heartbeats of others
    meanwhile, and must not take them for dead, nor those that were suspended together with it.

    Parameters
    ----------
    late_s
        After which a beat is late.
    clocks
        Return seconds; a beat is late when it is so by any of them. The first one never goes back.
    """

    def __init__(self, late_s: float, clocks: Sequence[Callable[[], float]] = _CLOCKS) -> None:
        self._late_s = late_s
        self._clocks = clocks
        self._last: tuple[float, ...] | None = None
        self._failed: float | None = None

    def record_beat(self, since_s: float = 0.0) -> None:
        """Record a beat, and how long ago the last one was by the server's clock."""
        if self._is_late() or since_s > self._late_s:
            self.record_failure()
        self._last = self._now()

    def record_failure(self) -> None:
        """Record that a beat failed."""
        self._failed = self._clocks[0]()

    def regular_for_s(self) -> float:
        """Return for how long no beat failed or came late; infinity where none ever did."""
        if self._is_late():
            return 0.0
        return float("inf") if self._failed is None else self._clocks[0]() - self._failed

    def _is_late(self) -> bool:
        # Read once: the thread may record a beat in between.
        last = self._last
        if last is None:
            return False
        passed = (now - then for now, then in zip(self._now(), last, strict=True))
        return max(passed) > self._late_s

    def _now(self) -> tuple[float, ...]:
        return tuple(clock() for clock in self._clocks)
