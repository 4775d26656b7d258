"""Workers on the toy tables: in the test's own process, or in one that the test may kill."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import pickle
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any

import datajoint as dj
import psutil

from imaging_pipeline.config.config import Config
from imaging_pipeline.lanes import Lane
from imaging_pipeline.workers.messages import Event, Finished, Outcome
from imaging_pipeline.workers.run import run_worker
from imaging_pipeline.workers.settings import Settings, Timing
from imaging_pipeline.workers.summary import Summary
from tests.makers import toy_tables
from tests.makers.processes import fast_processes
from tests.makers.toy_tables import FIRST, SECOND, ToyConfig, ToyPipelineTables

DEADLINE_S = 60.0
TIMING = Timing(heartbeat_s=0.2, late_s=10.0, finish_s=0.0, give_back_s=10.0, longest_pause_s=1.0)

_IDLE_S = 0.1
_PROCESSES = fast_processes()
_FORKED = ToyPipelineTables(_PROCESSES.get_start_method())


def wait_until(condition: Callable[[], Any]) -> Any:
    """Wait until something is true, and return it."""
    deadline = time.monotonic() + DEADLINE_S
    while not (value := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
    return value


def outcomes(events: Iterable[Event]) -> list[Outcome]:
    """Return what became of the orders of a worker, as far as it reported that."""
    return [event.outcome for event in events if isinstance(event, Finished)]


@dataclass(frozen=True)
class Ran:
    """A worker that has ended: its summary, and what it reported."""

    summary: Summary
    events: list[Event]

    @property
    def outcomes(self) -> list[Outcome]:
        """What became of its orders, as far as it reported that."""
        return outcomes(self.events)


class ToyWorker:
    """A worker in a process of its own, which the test may kill or suspend."""

    def __init__(self, processes: BaseContext, config: ToyConfig, *arguments: Any) -> None:
        self._log = config.folder / f"worker_{time.monotonic_ns()}"
        self.process = processes.Process(target=_work, args=(config, *arguments, self._log))
        self.process.start()

    def events(self) -> list[Event | Summary]:
        """Return what the worker reported, and in the end its summary."""
        events: list[Event | Summary] = []
        with self._log.open("rb") as file, contextlib.suppress(EOFError):
            while True:
                events.append(pickle.load(file))
        return events

    def summary(self) -> Summary:
        """Wait for the end, and return what the worker did."""
        self.process.join(DEADLINE_S)
        assert self.process.exitcode == 0
        summary = self.events()[-1]
        assert isinstance(summary, Summary)
        return summary

    def processes(self) -> list[psutil.Process]:
        """Return the supervisor and its job process."""
        supervisor = psutil.Process(self.process.pid)
        return [supervisor, *supervisor.children()]

    def end(self) -> None:
        """Kill what is left, and wait until the job process is gone too."""
        if self.process.is_alive():
            children = psutil.Process(self.process.pid).children()
            for process in (*children, psutil.Process(self.process.pid)):
                process.kill()
            psutil.wait_procs(children, DEADLINE_S)
        self.process.join()


class Toy:
    """The toy tables on one server, and the workers of one test.

    Attributes
    ----------
    config
        Of the workers.
    tables
        The tables, on the test's own connection.
    """

    def __init__(self, config: ToyConfig, tables: Any) -> None:
        self.config = config
        self.tables = tables
        self._workers: list[ToyWorker] = []

    def add(self, *behaviours: str, first: int = 0) -> None:
        """Add samples, numbered from 0 or another number."""
        rows = [
            {"sample_id": number, "behaviour": name} for number, name in enumerate(behaviours, start=first)
        ]
        self.tables.Sample.insert(rows)

    def run(
        self,
        during: Callable[[list[Event]], None] | None = None,
        *,
        lanes: tuple[Lane, ...] = (FIRST, SECOND),
        once: bool = True,
        settings: Settings | None = None,
        tables: ToyPipelineTables = _FORKED,
        **timing: float,
    ) -> Ran:
        """Run a worker in this process to its end.

        Parameters
        ----------
        during
            What the test does meanwhile, in another thread, with the worker's events so far. A worker that
            is to loop is told to stop afterwards.
        """
        events: list[Event] = []
        stops = during is not None and not once
        with _acting(lambda: during(events) if during else None, stops=stops):
            summary = run_worker(
                lanes,
                once,
                _IDLE_S,
                self.config,
                events.append,
                settings=settings,
                tables=tables,
                timing=dataclasses.replace(TIMING, **timing),
            )
        with contextlib.suppress(Exception):  # a server that was away may have ended it
            toy_tables.schema.connection.close()
        return Ran(summary, events)

    def work(
        self,
        *,
        lanes: tuple[Lane, ...] = (FIRST, SECOND),
        once: bool = True,
        settings: Settings | None = None,
        processes: BaseContext = _PROCESSES,
        **timing: float,
    ) -> ToyWorker:
        """Start a worker in a process of its own."""
        arguments = (lanes, once, settings or Settings(), dataclasses.replace(TIMING, **timing))
        worker = ToyWorker(processes, self.config, *arguments)
        self._workers.append(worker)
        return worker

    def wait_for_gate(self, number: int) -> None:
        """Wait until a sample's job computes."""
        wait_until((self.config.folder / f"{number}.begun").exists)

    def open_gate(self, number: int) -> None:
        """Let a sample's job go on."""
        (self.config.folder / f"{number}.open").touch()

    def computed(self) -> list[int]:
        """Return the samples that were computed, in that order, as often as they were."""
        log = self.config.folder / "computed"
        return [int(line) for line in log.read_text().split()] if log.exists() else []

    def measured(self) -> list[int]:
        """Return the samples that are measured."""
        return list(self.tables.Measurement().to_arrays("sample_id", order_by="sample_id"))

    def job(self, number: int) -> dict[str, Any]:
        """Return the job row of a sample's measurement."""
        rows: list[dict[str, Any]] = (self.tables.Measurement.jobs & {"sample_id": number}).to_dicts()
        return rows[0] if rows else {"status": "none"}

    def reserved_by(self, number: int) -> int:
        """Return the process that has a sample's job; 0 where none has."""
        job = self.job(number)
        return int(job["pid"]) if job["status"] == "reserved" else 0

    def reserve(self, number: int, **columns: object) -> None:
        """Let a sample's job be reserved already, by the process that the columns name."""
        key, jobs = {"sample_id": number}, self.tables.Measurement.jobs
        jobs.insert1({**key, "status": "pending", "priority": 5}, skip_duplicates=True)
        jobs.update1({**key, "status": "reserved", **columns})
        jobs.connection.query(f"UPDATE {jobs.full_table_name} SET reserved_time=CURRENT_TIMESTAMP(3)")

    def empty(self) -> None:
        """End the workers, and empty the tables and the folder."""
        for worker in self._workers:
            worker.end()
        self._workers.clear()
        for table in (self.tables.Summary, self.tables.Measurement):
            table.jobs.delete_quick()
            table().delete_quick()
        self.tables.Sample().delete_quick()
        workers = self.tables.Worker
        for table in (workers.Process, workers.Lack, workers, self.tables.TableChange):
            table().delete_quick()
        for file in self.config.folder.iterdir():
            file.unlink()


@contextmanager
def declared_toy(server: Config, schema_name: str, folder: Path) -> Iterator[Toy]:
    """Yield the toy tables, declared and empty."""
    config = ToyConfig(server, schema_name, folder)
    toy_tables.connect(config).close()
    connection = toy_tables.open_connection(config)
    toy = Toy(config, dj.VirtualModule("toy", schema_name, connection=connection))
    try:
        yield toy
    finally:
        toy.empty()
        connection.close()


def has_ended(pid: int) -> bool:
    """Return True if a process has ended."""
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


@contextmanager
def _acting(act: Callable[[], None], *, stops: bool) -> Iterator[None]:
    """Act in another thread while the block runs; an error there ends the block's worker, and is raised."""
    errors: list[BaseException] = []
    is_running = threading.Event()

    def run() -> None:
        try:
            act()
        except BaseException as error:
            errors.append(error)
        if is_running.is_set() and (stops or errors):
            os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=run)
    is_running.set()
    thread.start()
    try:
        yield
    finally:
        is_running.clear()
        thread.join()
    if errors:
        raise errors[0]


def _work(
    config: ToyConfig, lanes: tuple[Lane, ...], once: bool, settings: Settings, timing: Timing, log: Path
) -> None:
    with log.open("wb", buffering=0) as file:

        def record(event: Event | Summary) -> None:
            file.write(pickle.dumps(event))

        summary = run_worker(
            lanes, once, _IDLE_S, config, record, settings=settings, tables=ToyPipelineTables(), timing=timing
        )
        record(summary)
