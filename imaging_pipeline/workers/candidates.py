"""Which pending job of a table is next."""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from imaging_pipeline.workers.job_queue import JobQueue
from imaging_pipeline.workers.messages import Key

_BATCH = 50
# What was read may be out of date: somebody gave another job a priority.
_FRESH_S = 2.0

# A job that cannot be done here is tried here again after so long: a share may be mounted by then.
_PAUSES_S = (60.0, 120.0, 300.0, 600.0)
_MAX_LEFT = 1000

_Values = tuple[object, ...]


@dataclass(frozen=True)
class Choice:
    """SQL conditions on the keys of a table's jobs, empty where there is none.

    Attributes
    ----------
    within
        Only these jobs.
    first
        These before the others.
    priority
        Only this priority and those more urgent; None for all.
    """

    within: str = ""
    first: str = ""
    priority: int | None = None


@dataclass(frozen=True)
class _Left:
    """Until when a job is left alone, how often it was, and why."""

    until: float
    number: int
    reason: str


_NEVER_LEFT = _Left(float("-inf"), 0, "")


class Candidates:
    """Gives the keys of a table's pending jobs, the next one first.

    Parameters
    ----------
    jobs
        The job rows.
    choice
        Which of them count.
    patience
        Factor of the time for which a job is left to other machines.

    Attributes
    ----------
    why_passed
        Why a job was passed over that is left to other machines; empty where none was.
    """

    def __init__(self, jobs: JobQueue, choice: Choice, patience: float = 1.0) -> None:
        self._jobs = jobs
        self._choice = choice
        self._patience = patience
        self._read: deque[tuple[_Values, _Values]] = deque()
        self._asked: object = None
        self._read_at = float("-inf")
        self._num_passed = 0
        self._left: dict[_Values, _Left] = {}
        self.why_passed = ""

    def each(self, *, only_first: bool, here: str) -> Iterator[Key]:
        r"""Return one key after the other until there is none; goes on where the last call was left.

        Whoever is given one reserves it, or says that it was `lost`, or `leave`\ s it.

        Parameters
        ----------
        only_first
            Whether only jobs count that are to be done before all others.
        here
            SQL condition on the jobs whose files this machine finds; empty for all.
        """
        if self._asked != (only_first, here) or time.monotonic() - self._read_at > _FRESH_S:
            self.forget()
            self._asked = (only_first, here)
        while self._read or self._ask(only_first, here):
            values = self._read.popleft()[1]
            left = self._left.get(values, _NEVER_LEFT)
            if time.monotonic() < left.until:
                self._num_passed, self.why_passed = self._num_passed + 1, left.reason
            else:
                yield dict(zip(self._jobs.primary_key, values, strict=True))

    def forget(self) -> None:
        """Begin anew, because jobs may have come."""
        self._read.clear()
        self._asked, self._num_passed, self.why_passed = None, 0, ""

    def lost(self) -> None:
        """Take note that another worker was faster: try those of one rank in another order."""
        if self._read:
            rank = self._read[0][0]
            same = [each for each in self._read if each[0] == rank]
            random.shuffle(same)
            self._read = deque([*same, *(each for each in self._read if each[0] != rank)])

    def leave(self, key: Key, reason: str) -> None:
        """Leave a job to other machines for a while, and remember why."""
        values = tuple(key[name] for name in self._jobs.primary_key)
        number = self._left.pop(values, _NEVER_LEFT).number
        if len(self._left) >= _MAX_LEFT:
            del self._left[next(iter(self._left))]
        pause_s = _PAUSES_S[min(number, len(_PAUSES_S) - 1)] * self._patience
        self._left[values] = _Left(time.monotonic() + pause_s, number + 1, reason)
        self._num_passed, self.why_passed = self._num_passed + 1, reason

    def _ask(self, only_first: bool, here: str) -> bool:
        """Read further keys; those that were passed over are pending still, and come before them."""
        choice = self._choice
        conditions = [
            "status='pending'",
            "scheduled_time <= CURRENT_TIMESTAMP(3)",
            *([] if choice.priority is None else [f"priority <= {choice.priority}"]),
            *filter(None, (choice.within, here, choice.first if only_first else "")),
        ]
        rank = f"CASE WHEN {choice.first} THEN 0 ELSE 1 END" if choice.first and not only_first else ""
        order = ", ".join(filter(None, (rank and "of_rank", "priority", "scheduled_time")))
        rows = self._jobs.connection.query(
            f"SELECT {rank or 0} AS of_rank, priority, {', '.join(self._jobs.primary_key)}"
            f" FROM {self._jobs.full_table_name} WHERE {' AND '.join(conditions)}"
            f" ORDER BY {order} LIMIT {_BATCH} OFFSET {self._num_passed}"
        ).fetchall()
        self._read.extend((row[:2], row[2:]) for row in rows)
        self._read_at = time.monotonic()
        return bool(rows)
