"""What a worker did, and what it did not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from imaging_pipeline.lanes import short_name
from imaging_pipeline.workers.job_queue import Count, JobQueue
from imaging_pipeline.workers.messages import Finished, Outcome
from imaging_pipeline.workers.policies.policy import Policy

_Job = tuple[str, frozenset[tuple[str, object]]]

# Reasons of jobs that were not made; the oldest are forgotten.
_MAX_LEFT = 1000


@dataclass(frozen=True)
class Left:
    """Jobs of a table that are not made.

    Attributes
    ----------
    table
        ``module:Class``.
    number
        How many; 0 where the table could not be searched for jobs.
    reason
        Why not.
    """

    table: str
    number: int
    reason: str


@dataclass(frozen=True)
class Summary:
    """What became of a worker's jobs.

    Attributes
    ----------
    done, errors
        Jobs that were made, and jobs with an error.
    left
        What is not made, by table and reason.
    """

    done: int
    errors: int
    left: tuple[Left, ...]

    def __str__(self) -> str:
        left = "; ".join(f"{short_name(item.table)}: {item.number} {item.reason}" for item in self.left)
        return f"done {self.done}, errors {self.errors}, left {sum(item.number for item in self.left)}" + (
            f" ({left})" if left else ""
        )


class Tally:
    """Counts what became of the orders, table by table, and remembers why jobs were not made."""

    def __init__(self) -> None:
        self._outcomes: Counter[tuple[str, Outcome]] = Counter()
        self._reasons: dict[tuple[str, Outcome], str] = {}
        self._not_made: dict[_Job, Finished] = {}

    def add(self, finished: Finished) -> None:
        """Count one."""
        self._outcomes[finished.table, finished.outcome] += 1
        # These hold for the whole table, until anything else becomes of it.
        for lasting in (Outcome.FAILED, Outcome.UNABLE):
            self._reasons.pop((finished.table, lasting), None)
        self._reasons[finished.table, finished.outcome] = finished.message
        if finished.key is not None:
            job = finished.table, frozenset(finished.key.items())
            # Entered again at the end: the order is that of the last attempts.
            self._not_made.pop(job, None)
            if finished.outcome in (Outcome.WAITING, Outcome.ELSEWHERE):
                self._not_made[job] = finished
            if len(self._not_made) > _MAX_LEFT:
                del self._not_made[next(iter(self._not_made))]

    def reason(self, table: str, outcome: Outcome) -> str:
        """Return the last message of this outcome, or an empty text."""
        return self._reasons.get((table, outcome), "")

    def summary(self, queues: Mapping[str, JobQueue], policies: Sequence[Policy]) -> Summary:
        """Return what was done, and what the database has left."""
        left = [
            item for table, queue in queues.items() for item in self._left(table, queue.counts(), policies)
        ]
        return Summary(self._total(Outcome.DONE), self._total(Outcome.ERROR), tuple(left))

    def _total(self, outcome: Outcome) -> int:
        return sum(number for (_, counted), number in self._outcomes.items() if counted is outcome)

    def _left(self, table: str, counts: Sequence[Count], policies: Sequence[Policy]) -> Iterator[Left]:
        failed = self.reason(table, Outcome.FAILED)
        if failed:
            yield Left(table, 0, f"known: the table could not be searched for jobs ({failed})")
        reasons = (self.reason(table, Outcome.UNABLE), self._last_left(table, Outcome.ELSEWHERE))
        reason = next(filter(None, (*(policy.skip_reason(table) for policy in policies), *reasons)), "")
        for count in counts:
            if count.status == "error":
                # Errors of this worker's own time are counted as errors, not as left.
                earlier = count.number - self._outcomes[table, Outcome.ERROR]
                if earlier > 0:
                    yield Left(table, earlier, "with an error from before")
            elif count.status == "reserved":
                yield Left(table, count.number, "being made by another worker")
            elif count.later:
                yield Left(table, count.number, self._later(table, count.number))
            else:
                yield Left(table, count.number, f"not for this machine ({reason})" if reason else "not begun")

    def _later(self, table: str, number: int) -> str:
        """Return what the only job waits for, or of several the one that was tried last."""
        waits_for = self._last_left(table, Outcome.WAITING)
        if not waits_for:
            return "for later"
        return f"for later ({waits_for if number == 1 else f'the last: {waits_for}'})"

    def _last_left(self, table: str, outcome: Outcome) -> str:
        messages = (
            finished.message
            for finished in reversed(self._not_made.values())
            if (finished.table, finished.outcome) == (table, outcome)
        )
        return next(messages, "")
