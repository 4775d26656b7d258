"""Whose turn it is: a job process goes over the tables again and again, and each has a turn of some time."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

from imaging_pipeline.workers.messages import Fate, Finished, Order

ENDS_TURN = frozenset({Fate.NOTHING, Fate.FAILED, Fate.UNABLE, Fate.BUSY})
"""After these a table has nothing more to do for now."""


@dataclass(frozen=True)
class PassOver:
    """All tables have had their turn."""

    worked: bool


Passes = Generator[Order | PassOver, Finished | None, None]


def passes(
    tables: Sequence[str],
    slice_s: float,
    may_work_on: Callable[[str], bool],
    *,
    has_first: bool = False,
    now: Callable[[], float] = time.monotonic,
) -> Passes:
    """Return order after order, each for the answer to the one before, and after each pass that it is over.

    So a long queue of one table keeps nobody waiting for more than a turn and a job.

    Parameters
    ----------
    tables
        In the order in which work flows.
    slice_s
        Length of a turn, in seconds.
    may_work_on
        Says whether the table is to be left alone.
    has_first
        Whether there are jobs that are to be done before all others: then a pass is made over these alone
        until there is none, before each pass over all.
    now
        The time, in seconds.
    """
    while True:
        worked = False
        while has_first and (yield from _over(tables, slice_s, may_work_on, True, now)):
            worked = True
        worked = (yield from _over(tables, slice_s, may_work_on, False, now)) or worked
        yield PassOver(worked)


def _over(
    tables: Sequence[str],
    slice_s: float,
    may_work_on: Callable[[str], bool],
    only_first: bool,
    now: Callable[[], float],
) -> Generator[Order | PassOver, Finished | None, bool]:
    worked = False
    for table in tables:
        end, look = now() + slice_s, True
        while now() < end and may_work_on(table):
            finished = yield Order(table, look, only_first)
            if finished is None or finished.fate in ENDS_TURN:
                break
            worked = True
            look = finished.fate is Fate.DISCONNECTED
    return worked
