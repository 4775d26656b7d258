"""How long a worker without work takes for a cycle, in a database with many finished sessions."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from benchmarks.finished_sessions import copy_session, make_finished_session
from benchmarks.fresh_process import call_fresh
from benchmarks.measurement import Measurement
from benchmarks.script import Script, run
from imaging_pipeline.config.config import Config


@dataclass(frozen=True)
class Size:
    """How many sessions are finished, before and after, and how many cycles are timed."""

    few: int = 1000
    many: int = 10_000
    cycles: int = 10


def measure(size: Size, folder: Path, config: Config) -> Iterator[Measurement]:
    # The tables are bound to one database a process.
    few_s, many_s = call_fresh(_cycles_s, size, folder, config).result
    yield Measurement(
        f"idle cycle, {size.many:,} finished sessions",
        many_s,
        "s",
        f"{size.few:,} finished",
        few_s,
        at_most=2,
        at_most_ratio=1.5,
    )


def _cycles_s(size: Size, folder: Path, config: Config) -> tuple[float, float]:
    """Return the shortest cycle of one worker with few sessions, and with many."""
    from imaging_pipeline.lanes import LANES
    from imaging_pipeline.workers.messages import Event, Finished, Idle
    from imaging_pipeline.workers.run import run_worker

    connection = make_finished_session(config, folder / "lab")
    copy_session(connection, 1, size.few)
    ended_s: list[float] = []
    # The first cycle starts the job process; in the one after the few, the others are copied.
    few, many = slice(1, size.cycles + 2), slice(size.cycles + 2, 2 * size.cycles + 3)

    def watch(event: Event) -> None:
        """Record when cycles end."""
        if isinstance(event, Finished):
            raise RuntimeError(f"A job was left: {event}")
        if isinstance(event, Idle):
            ended_s.append(time.perf_counter())
            if len(ended_s) == few.stop:
                copy_session(connection, size.few + 1, size.many)
            elif len(ended_s) == many.stop:
                os.kill(os.getpid(), signal.SIGTERM)

    run_worker(LANES, False, 0.0, config, watch)
    few_s, many_s = (min(after - before for before, after in pairwise(ended_s[part])) for part in (few, many))
    return few_s, many_s


SCRIPT = Script(full=Size(), tiny=Size(few=1, many=2, cycles=1), measure=measure, on_servers=True)

if __name__ == "__main__":
    run(SCRIPT)
