"""Which pending job of a table is next."""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from imaging_pipeline.workers.job_queue import JobQueue
from imaging_pipeline.workers.messages import Key

# Keys that are read at a time.
_BATCH = 50
# Seconds after which what was read may be out of date: somebody gave another job a priority.
_FRESH_S = 2.0

# A job that cannot be done here is tried here again after so long: a share may be mounted by then.
_PAUSES_S = (60.0, 120.0, 300.0, 600.0)
# Beyond that the one that was postponed longest ago is forgotten, and only tried again too early.
_MAX_POSTPONED = 1000

_Values = tuple[object, ...]


@dataclass(frozen=True)
class _Postponed:
    """A job that this machine could not do; ``until`` is by the monotonic clock, ``number`` counts tries."""

    until: float
    number: int
    reason: str


_NEVER = _Postponed(float("-inf"), 0, "")


class Candidates:
    """The keys of a table's pending jobs, the next one first.

    Parameters
    ----------
    jobs
        The job rows.
    within
        SQL condition on the keys: only these. Empty for all.
    first
        The same on those that come before the others.
    priority
        Only with this priority, or a more urgent one; None for all.
    patience
        Factor of the time for which a job is left to other machines.

    Attributes
    ----------
    skip_reason
        Why a job was skipped that is left to other machines; empty where none was.
    """

    def __init__(
        self, jobs: JobQueue, within: str, first: str, priority: int | None, patience: float
    ) -> None:
        self._jobs = jobs
        self._within = within
        self._first = first
        self._priority = priority
        self._patience = patience
        self._read: deque[tuple[_Values, _Values]] = deque()
        self._read_for: object = None
        self._read_at = float("-inf")
        # Skipped jobs stay pending, and would be read again and again: the next batch begins after so many.
        self._num_skipped = 0
        self._postponed: dict[_Values, _Postponed] = {}
        self.skip_reason = ""

    def keys(self, *, only_first: bool, reachable: str) -> Iterator[Key]:
        r"""Yield one key after the other until there is none; goes on where the last call ended.

        The caller reserves each, or calls `lost`, or `postpone`\ s it.

        Parameters
        ----------
        only_first
            Whether only jobs count that are to be done before all others.
        reachable
            SQL condition on the jobs whose files this machine reaches; empty for all.
        """
        if self._read_for != (only_first, reachable) or time.monotonic() - self._read_at > _FRESH_S:
            self.forget()
            self._read_for = (only_first, reachable)
        while self._read or self._read_more(only_first, reachable):
            values = self._read.popleft()[1]
            postponed = self._postponed.get(values, _NEVER)
            if time.monotonic() < postponed.until:
                self._num_skipped, self.skip_reason = self._num_skipped + 1, postponed.reason
            else:
                yield dict(zip(self._jobs.primary_key, values, strict=True))

    def forget(self) -> None:
        """Begin anew, because jobs may have come."""
        self._read.clear()
        self._read_for, self._num_skipped, self.skip_reason = None, 0, ""

    def lost(self) -> None:
        """Shuffle the next jobs of one rank, because another worker was faster.

        Otherwise workers that read the same rows would compete for each of them.
        """
        if self._read:
            rank = self._read[0][0]
            same = [row for row in self._read if row[0] == rank]
            random.shuffle(same)
            self._read = deque([*same, *(row for row in self._read if row[0] != rank)])

    def postpone(self, key: Key, reason: str) -> None:
        """Leave a job to other machines for a while, and remember why."""
        values = tuple(key[name] for name in self._jobs.primary_key)
        number = self._postponed.pop(values, _NEVER).number
        if len(self._postponed) >= _MAX_POSTPONED:
            del self._postponed[next(iter(self._postponed))]
        pause_s = _PAUSES_S[min(number, len(_PAUSES_S) - 1)] * self._patience
        self._postponed[values] = _Postponed(time.monotonic() + pause_s, number + 1, reason)
        self._num_skipped, self.skip_reason = self._num_skipped + 1, reason

    def _read_more(self, only_first: bool, reachable: str) -> bool:
        """Read further keys; those that were skipped are pending still, and come before them."""
        conditions = [
            "status='pending'",
            # The server's clock, which all workers share, with the three digits of DataJoint's column.
            "scheduled_time <= CURRENT_TIMESTAMP(3)",
            # In DataJoint the lower number is the more urgent.
            *([] if self._priority is None else [f"priority <= {self._priority}"]),
            *filter(None, (self._within, reachable, self._first if only_first else "")),
        ]
        rank = f"CASE WHEN {self._first} THEN 0 ELSE 1 END" if self._first and not only_first else ""
        order = ", ".join(filter(None, (rank and "of_rank", "priority", "scheduled_time")))
        rows = self._jobs.connection.query(
            f"SELECT {rank or 0} AS of_rank, priority, {', '.join(self._jobs.primary_key)}"
            f" FROM {self._jobs.full_table_name} WHERE {' AND '.join(conditions)}"
            f" ORDER BY {order} LIMIT {_BATCH} OFFSET {self._num_skipped}"
        ).fetchall()
        self._read.extend((row[:2], row[2:]) for row in rows)
        self._read_at = time.monotonic()
        return bool(rows)
