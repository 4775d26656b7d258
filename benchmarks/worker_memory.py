"""Whether the memory of a worker grows with the jobs that it makes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.fresh_process import call_fresh
from benchmarks.measurement import Measurement
from benchmarks.script import Script, run
from imaging_pipeline.config.config import Config

_PROCESSES = ("supervisor", "job process")


@dataclass(frozen=True)
class Size:
    """After how many jobs memory is measured."""

    few: int = 1000
    many: int = 10_000


def measure(size: Size, folder: Path, config: Config) -> Iterator[Measurement]:
    # The tables are bound to one database a process.
    few_mb, many_mb = call_fresh(_memory_mb, size, folder, config).result
    for name, before, after in zip(_PROCESSES, few_mb, many_mb, strict=True):
        yield Measurement(
            f"memory of a worker's {name} after {size.many:,} jobs",
            after,
            "MB",
            f"after {size.few:,}",
            before,
            at_most_ratio=1.05,
        )


def _memory_mb(size: Size, folder: Path, config: Config) -> list[tuple[float, float]]:
    """Return the memory of supervisor and job process after few jobs, and after many."""
    from imaging_pipeline.workers.messages import Event, Fate, Finished, Started
    from imaging_pipeline.workers.run import run_worker
    from tests.makers import toy_tables

    toy = toy_tables.ToyConfig(config, f"{config.prefix}worker_memory", folder)
    connection = toy_tables.connect(toy)
    toy_tables.Sample.insert({"sample_id": number, "behaviour": "quick"} for number in range(size.many))
    made, job_process = 0, 0
    measured_mb: list[tuple[float, float]] = []

    def measure_memory(event: Event) -> None:
        nonlocal made, job_process
        if isinstance(event, Started):
            job_process = event.pid
        elif isinstance(event, Finished):
            made += event.fate is Fate.DONE
            if made in (size.few, size.many):
                measured_mb.append((_resident_mb(os.getpid()), _resident_mb(job_process)))

    run_worker((toy_tables.FIRST,), True, 0.0, toy, measure_memory, wiring=toy_tables.WIRING)
    connection.close()
    return measured_mb


def _resident_mb(pid: int) -> float:
    return psutil.Process(pid).memory_info().rss / 1e6


SCRIPT = Script(full=Size(), tiny=Size(few=1, many=2), measure=measure, on_servers=True)

if __name__ == "__main__":
    run(SCRIPT)
