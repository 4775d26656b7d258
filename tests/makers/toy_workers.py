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
from imaging_pipeline.workers.messages import Event, Fate, Finished
from imaging_pipeline.workers.run import run_worker
from imaging_pipeline.workers.settings import Settings
from imaging_pipeline.workers.summary import Summary
from imaging_pipeline.workers.timing import Timing
from tests.makers import toy_tables
from tests.makers.processes import fast_processes
from tests.makers.toy_tables import FIRST, SECOND, ToyConfig, ToyWiring

DEADLINE_S = 60.0
TIMING = Timing(heartbeat_s=0.2, late_s=10.0, finish_s=0.0, give_back_s=10.0, longest_pause_s=1.0)

_IDLE_S = 0.1
_PROCESSES = fast_processes()
_FORKED = ToyWiring(_PROCESSES.get_start_method())


def wait_until(condition: Callable[[], Any]) -> Any:
    """Wait until something is true, and give it."""
    deadline = time.monotonic() + DEADLINE_S
    while not (value := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
    return value


def fates(told: Iterable[Event]) -> list[Fate]:
    """Return what came of the orders of a worker, as far as it told that."""
    return [event.fate for event in told if isinstance(event, Finished)]


@dataclass(frozen=True)
class Ran:
    """A worker that has ended: its summary, and what it told."""

    summary: Summary
    told: list[Event]

    @property
    def fates(self) -> list[Fate]:
        """What came of its orders, as far as it told that."""
        return fates(self.told)


class ToyWorker:
    """A worker in a process of its own, which the test may kill or suspend."""

    def __init__(self, processes: BaseContext, config: ToyConfig, *told: Any) -> None:
        self._log = config.folder / f"worker_{time.monotonic_ns()}"
        self.process = processes.Process(target=_work, args=(config, *told, self._log))
        self.process.start()

    def told(self) -> list[Event | Summary]:
        """Return what the worker told, and in the end its summary."""
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
        What the workers are given.
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
        wiring: ToyWiring = _FORKED,
        **timing: float,
    ) -> Ran:
        """Run a worker in this process to its end.

        Parameters
        ----------
        during
            What the test does meanwhile, in another thread; it is given what the worker tells. A worker that
            is to loop is told to stop afterwards.
        """
        told: list[Event] = []
        stops = during is not None and not once
        with _acting(lambda: during(told) if during else None, stops=stops):
            summary = run_worker(
                lanes,
                once,
                _IDLE_S,
                self.config,
                told.append,
                settings=settings,
                wiring=wiring,
                timing=dataclasses.replace(TIMING, **timing),
            )
        with contextlib.suppress(Exception):  # a server that was away may have ended it
            toy_tables.schema.connection.close()
        return Ran(summary, told)

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
        told = (lanes, once, settings or Settings(), dataclasses.replace(TIMING, **timing))
        worker = ToyWorker(processes, self.config, *told)
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
        """Return the process that has a sample's job, 0 where none has."""
        job = self.job(number)
        return int(job["pid"]) if job["status"] == "reserved" else 0

    def reserve(self, number: int, **columns: object) -> None:
        """Let a sample's job be reserved already, by whom the columns say."""
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
    """Return the toy tables, declared and empty."""
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
    """Return True if a process is no more."""
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


@contextmanager
def _acting(act: Callable[[], None], *, stops: bool) -> Iterator[None]:
    """Act in another thread while the block runs; what that raises ends the block's worker, and is raised."""
    wrong: list[BaseException] = []
    is_running = threading.Event()

    def run() -> None:
        try:
            act()
        except BaseException as error:
            wrong.append(error)
        if is_running.is_set() and (stops or wrong):
            os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=run)
    is_running.set()
    thread.start()
    try:
        yield
    finally:
        is_running.clear()
        thread.join()
    if wrong:
        raise wrong[0]


def _work(
    config: ToyConfig, lanes: tuple[Lane, ...], once: bool, settings: Settings, timing: Timing, log: Path
) -> None:
    with log.open("wb", buffering=0) as file:

        def tell(event: Event | Summary) -> None:
            file.write(pickle.dumps(event))

        summary = run_worker(
            lanes, once, _IDLE_S, config, tell, settings=settings, wiring=ToyWiring(), timing=timing
        )
        tell(summary)
