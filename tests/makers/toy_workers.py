"""Workers on the toy tables, each in a process that a test may kill."""

from __future__ import annotations

import contextlib
import dataclasses
import pickle
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import datajoint as dj
import psutil

from imaging_pipeline.config import Config
from imaging_pipeline.lanes import Lane
from imaging_pipeline.workers.messages import Event
from imaging_pipeline.workers.run import run_worker
from imaging_pipeline.workers.summary import Summary
from imaging_pipeline.workers.timing import Timing
from tests.makers import toy_tables
from tests.makers.processes import fast_processes
from tests.makers.toy_tables import FIRST, SECOND, WIRING, ToyConfig

DEADLINE_S = 60.0
TIMING = Timing(heartbeat_s=0.2, finish_s=0.0, give_back_s=10.0, longest_pause_s=1.0)

_PROCESSES = fast_processes()


def wait_until(condition: Callable[[], Any]) -> Any:
    """Wait until something is true, and give it."""
    deadline = time.monotonic() + DEADLINE_S
    while not (value := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
    return value


class ToyWorker:
    """A worker in a process of its own."""

    def __init__(self, config: ToyConfig, lanes: tuple[Lane, ...], once: bool, timing: Timing) -> None:
        self._log = config.folder / f"worker_{time.monotonic_ns()}"
        self.process = _PROCESSES.Process(target=_work, args=(config, lanes, once, timing, self._log))
        self.process.start()

    def told(self) -> list[Event | Summary]:
        """Give what the worker told, and in the end its summary."""
        told: list[Event | Summary] = []
        with self._log.open("rb") as file, contextlib.suppress(EOFError):
            while True:
                told.append(pickle.load(file))
        return told

    def summary(self) -> Summary:
        """Wait for the end, and give what the worker did."""
        self.process.join(DEADLINE_S)
        assert self.process.exitcode == 0
        summary = self.told()[-1]
        assert isinstance(summary, Summary)
        return summary

    def end(self) -> None:
        """Kill what is left, and wait until the job process is gone too."""
        if self.process.is_alive():
            children = psutil.Process(self.process.pid).children()
            self.process.kill()
            psutil.wait_procs(children, DEADLINE_S)
        self.process.join()


class Toy:
    """The toy tables on one server, and the workers of one test.

    Attributes
    ----------
    config
        What the workers are given.
    tables
        The tables, on the test's own connection.
    """

    def __init__(self, config: ToyConfig, tables: Any) -> None:
        self.config = config
        self.tables = tables
        self._workers: list[ToyWorker] = []

    def add(self, *behaviours: str) -> None:
        """Add samples, numbered from 0."""
        rows = [{"sample_id": number, "behaviour": name} for number, name in enumerate(behaviours)]
        self.tables.Sample.insert(rows)

    def work(
        self, *, lanes: tuple[Lane, ...] = (FIRST, SECOND), once: bool = True, **timing: float
    ) -> ToyWorker:
        """Start a worker."""
        worker = ToyWorker(self.config, lanes, once, dataclasses.replace(TIMING, **timing))
        self._workers.append(worker)
        return worker

    def wait_for_gate(self, number: int) -> None:
        """Wait until a sample's job computes."""
        wait_until((self.config.folder / f"{number}.begun").exists)

    def open_gate(self, number: int) -> None:
        """Let a sample's job go on."""
        (self.config.folder / f"{number}.open").touch()

    def computed(self) -> list[int]:
        """Give the samples that were computed, in that order, as often as they were."""
        return [int(line) for line in (self.config.folder / "computed").read_text().split()]

    def measured(self) -> list[int]:
        """Give the samples that are measured."""
        return list(self.tables.Measurement().to_arrays("sample_id", order_by="sample_id"))

    def job(self, number: int) -> dict[str, Any]:
        """Give the job row of a sample's measurement."""
        rows: list[dict[str, Any]] = (self.tables.Measurement.jobs & {"sample_id": number}).to_dicts()
        return rows[0] if rows else {"status": "none"}

    def reserved_by(self, number: int) -> int:
        """Give the process that has a sample's job, 0 where none has."""
        job = self.job(number)
        return int(job["pid"]) if job["status"] == "reserved" else 0

    def end(self) -> None:
        """End the workers, and empty the tables."""
        for worker in self._workers:
            worker.end()
        for table in (self.tables.Summary, self.tables.Measurement):
            table.jobs.delete_quick()
            table().delete_quick()
        self.tables.Sample().delete_quick()
        for table in (self.tables.Worker.Process, self.tables.Worker.Lack, self.tables.Worker):
            table().delete_quick()


@contextmanager
def declared_toy(server: Config, schema_name: str, folder: Path) -> Iterator[Toy]:
    """Declare the toy tables in another process, so that this one binds them to any server."""
    config = ToyConfig(server, schema_name, folder)
    process = _PROCESSES.Process(target=toy_tables.connect, args=(config,))
    process.start()
    process.join()
    assert process.exitcode == 0
    connection = toy_tables.open_connection(config)
    toy = Toy(config, dj.VirtualModule("toy", schema_name, connection=connection))
    try:
        yield toy
    finally:
        toy.end()
        connection.close()


def has_ended(pid: int) -> bool:
    """Say whether a process is no more."""
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def _work(config: ToyConfig, lanes: tuple[Lane, ...], once: bool, timing: Timing, log: Path) -> None:
    with log.open("wb", buffering=0) as file:

        def tell(event: Event | Summary) -> None:
            file.write(pickle.dumps(event))

        tell(run_worker(lanes, once, 0.2, config, tell, wiring=WIRING, timing=timing))
