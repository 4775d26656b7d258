"""The overhead of a job: of jobs in a row, and of many jobs by several workers at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.fresh_process import PROCESSES, call_fresh
from benchmarks.measurement import Measurement
from benchmarks.script import Script, run
from benchmarks.timing import shortest
from imaging_pipeline.config.config import Config

if TYPE_CHECKING:
    from tests.makers.toy_tables import ToyConfig

_WORKERS = (1, 2, 4)
_POLL_INTERVAL_S = 0.02
_DEADLINE_S = 600


@dataclass(frozen=True)
class Size:
    """How many jobs are made in a row, and how often that is done; how many by several workers at once."""

    jobs: int = 30
    rounds: int = 8
    many: int = 2000
    workers: int = max(_WORKERS)


def measure(size: Size, folder: Path, config: Config) -> Iterator[Measurement]:
    # The tables are bound to one database a process.
    yield from call_fresh(_measure, size, folder, config).result


def _measure(size: Size, folder: Path, config: Config) -> list[Measurement]:
    from tests.makers import toy_tables

    toy = toy_tables.ToyConfig(config, f"{config.prefix}jobs", folder)
    connection = toy_tables.connect(toy)
    rows = [_in_a_row(toy, size)]
    rows += [_at_once(toy, size, number) for number in _WORKERS if number <= size.workers]
    connection.close()
    return rows


def _in_a_row(toy: ToyConfig, size: Size) -> Measurement:
    seconds = []
    for number in range(size.rounds):
        _add_samples(2 * number * size.jobs, size.jobs)
        worker_job_s = _worker_s(toy)
        _add_samples((2 * number + 1) * size.jobs, size.jobs)
        seconds.append([worker_job_s, _populate_s()])
    ours_s, datajoint_s = shortest(seconds)
    return Measurement(
        "a trivial reserved job of a worker",
        ours_s * 1e3,
        "ms",
        "DataJoint's populate",
        datajoint_s * 1e3,
        at_most=15,
    )


def _at_once(toy: ToyConfig, size: Size, number: int) -> Measurement:
    """Make all jobs with some workers, and then with as many processes that populate."""
    seconds = []
    for role in (_work, _populate):
        gates = toy.folder / f"{number}{role.__name__}"
        gates.mkdir()
        seconds.append(_until_made_s(replace(toy, folder=gates), number, size.many, role))
    ours_s, datajoint_s = seconds
    return Measurement(
        f"{size.many:,} trivial jobs, {number} worker{'s' if number > 1 else ''}",
        ours_s,
        "s",
        "as many times populate",
        datajoint_s,
        at_most_ratio=2,
    )


def _add_samples(first: int, count: int, behaviour: str = "quick") -> None:
    from imaging_pipeline.schemas.table_changes import count_change
    from tests.makers.toy_tables import Sample, TableChange

    Sample.insert({"sample_id": first + number, "behaviour": behaviour} for number in range(count))
    count_change(TableChange, Sample)


def _worker_s(toy: ToyConfig) -> float:
    """Return the seconds of a job for the supervisor, without the start of the job process."""
    from imaging_pipeline.workers.messages import Event, Finished
    from imaging_pipeline.workers.run import run_worker
    from tests.makers.toy_tables import FIRST, WIRING

    finished_s: list[float] = []

    def record(event: Event) -> None:
        if isinstance(event, Finished):
            finished_s.append(time.perf_counter())

    run_worker((FIRST,), True, 0.0, toy, record, wiring=WIRING)
    return (finished_s[-1] - finished_s[0]) / (len(finished_s) - 1)


def _populate_s() -> float:
    from tests.makers.toy_tables import Measurement as Table

    start = time.perf_counter()
    done = Table.populate(reserve_jobs=True)["success_count"]
    return (time.perf_counter() - start) / done


def _until_made_s(toy: ToyConfig, number: int, jobs: int, role: Callable[[ToyConfig], None]) -> float:
    """Return how long processes take for all jobs, from when each of them holds a first one at a gate."""
    from tests.makers.toy_tables import Measurement as Table
    from tests.makers.toy_tables import Sample

    for table in (Table.jobs, Table(), Sample()):
        table.delete_quick()
    _add_samples(0, number, "gate")
    processes = [PROCESSES.Process(target=role, args=(toy,)) for _ in range(number)]
    for process in processes:
        process.start()
    _wait_for(lambda: all((toy.folder / f"{gate}.begun").exists() for gate in range(number)))
    _add_samples(number, jobs)
    start = time.perf_counter()
    for gate in range(number):
        (toy.folder / f"{gate}.open").touch()
    _wait_for(lambda: len(Table()) == number + jobs)
    seconds = time.perf_counter() - start
    for process in processes:
        process.terminate()
    for process in processes:
        process.join()
    return seconds


def _work(toy: ToyConfig) -> None:
    """Run a worker until the process is terminated."""
    from imaging_pipeline.workers.run import run_worker
    from tests.makers.toy_tables import FIRST, WIRING

    run_worker((FIRST,), False, _POLL_INTERVAL_S, toy, lambda _event: None, wiring=WIRING)


def _populate(toy: ToyConfig) -> None:
    """Populate by DataJoint alone: one job at the gate, then all others."""
    from tests.makers import toy_tables
    from tests.makers.toy_tables import Measurement as Table

    toy_tables.connect(toy)
    while not Table.populate(reserve_jobs=True, max_calls=1)["success_count"]:
        pass
    Table.populate(reserve_jobs=True)


def _wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + _DEADLINE_S
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the jobs were not made")
        time.sleep(_POLL_INTERVAL_S)


SCRIPT = Script(full=Size(), tiny=Size(jobs=2, rounds=1, many=2, workers=1), measure=measure, on_servers=True)

if __name__ == "__main__":
    run(SCRIPT)
