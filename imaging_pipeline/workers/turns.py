"""Turns: a job process goes over the tables again and again, and works on each of them for some time."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

from imaging_pipeline.workers.messages import Finished, Order, Outcome

ENDS_TURN = frozenset({Outcome.NOTHING, Outcome.FAILED, Outcome.UNABLE, Outcome.BUSY})
"""After these a table has nothing more to do for now."""


@dataclass(frozen=True)
class PassEnded:
    """All tables have had their turn."""

    worked: bool


Passes = Generator[Order | PassEnded, Finished | None, None]


def passes(
    tables: Sequence[str],
    slice_s: float,
    may_work_on: Callable[[str], bool],
    *,
    has_first: bool = False,
    now: Callable[[], float] = time.monotonic,
) -> Passes:
    """Yield order after order, each for the response to the one before, and the end of each pass.

    So a long queue of one table delays the others by no more than a turn and a job.

    Parameters
    ----------
    tables
        In the order in which work flows.
    slice_s
        Length of a turn, in seconds.
    may_work_on
        Returns False for a table that is to be left alone.
    has_first
        Whether there are jobs that are to be done before all others: then a pass is made over these alone
        until there is none, before each pass over all.
    now
        The time, in seconds.
    """
    while True:
        worked = False
        while has_first and (yield from _one_pass(tables, slice_s, may_work_on, True, now)):
            worked = True
        worked = (yield from _one_pass(tables, slice_s, may_work_on, False, now)) or worked
        yield PassEnded(worked)


def _one_pass(
    tables: Sequence[str],
    slice_s: float,
    may_work_on: Callable[[str], bool],
    only_first: bool,
    now: Callable[[], float],
) -> Generator[Order | PassEnded, Finished | None, bool]:
    worked = False
    for table in tables:
        end, search = now() + slice_s, True
        while now() < end and may_work_on(table):
            finished = yield Order(table, search, only_first)
            if finished is None or finished.outcome in ENDS_TURN:
                break
            worked = True
            # A process that was cut off may have missed jobs; otherwise one search a turn is enough.
            search = finished.outcome is Outcome.DISCONNECTED
    return worked
