"""What a job costs that does nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.fresh_process import call_fresh
from benchmarks.measurement import Measurement
from benchmarks.script import Script, run
from benchmarks.timing import shortest
from imaging_pipeline.config import Config


@dataclass(frozen=True)
class Size:
    """How many jobs are made in a row, and how often that is done."""

    jobs: int = 30
    rounds: int = 8


def measure(size: Size, folder: Path, config: Config) -> Iterator[Measurement]:
    # The tables are bound to one database a process.
    ours_s, datajoint_s = call_fresh(_rounds, size, folder, config).result
    yield Measurement(
        "a trivial reserved job of a worker",
        ours_s * 1e3,
        "ms",
        "DataJoint's populate",
        datajoint_s * 1e3,
        at_most=15,
    )


def _rounds(size: Size, folder: Path, config: Config) -> list[float]:
    """Give the seconds a job of a worker, and of DataJoint's own populate with reservations."""
    from tests.makers import toy_tables

    toy = toy_tables.ToyConfig(config, f"{config.prefix}jobs", folder)
    connection = toy_tables.connect(toy)
    seconds = []
    for number in range(size.rounds):
        _add_samples(2 * number * size.jobs, size.jobs)
        worker_s = _of_a_worker(toy)
        _add_samples((2 * number + 1) * size.jobs, size.jobs)
        seconds.append([worker_s, _of_populate()])
    connection.close()
    return shortest(seconds)


def _add_samples(first: int, count: int) -> None:
    from tests.makers.toy_tables import Sample

    Sample.insert({"sample_id": first + number, "behaviour": "quick"} for number in range(count))


def _of_a_worker(toy: object) -> float:
    """Give the seconds a job, as the supervisor sees them, without the start of the job process."""
    from imaging_pipeline.workers.messages import Event, Finished
    from imaging_pipeline.workers.run import run_worker
    from tests.makers.toy_tables import FIRST, WIRING

    finished_s: list[float] = []

    def note(event: Event) -> None:
        if isinstance(event, Finished):
            finished_s.append(time.perf_counter())

    run_worker((FIRST,), True, 0.0, toy, note, wiring=WIRING)
    return (finished_s[-1] - finished_s[0]) / (len(finished_s) - 1)


def _of_populate() -> float:
    from tests.makers.toy_tables import Measurement as Table

    start = time.perf_counter()
    done = Table.populate(reserve_jobs=True)["success_count"]
    return (time.perf_counter() - start) / done


SCRIPT = Script(full=Size(), tiny=Size(jobs=2, rounds=1), measure=measure, on_servers=True)

if __name__ == "__main__":
    run(SCRIPT)
