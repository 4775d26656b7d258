"""A process of a worker that makes rows.

A computation may take hours, and a library may crash: neither reaches the supervisor.
"""

from __future__ import annotations

import ctypes
import logging
import os
import pkgutil
import signal
import sys
import time
from multiprocessing.connection import Connection
from types import FrameType
from typing import Any

from datajoint.errors import LostConnectionError

from imaging_pipeline.errors import DatabaseError
from imaging_pipeline.server.database_errors import is_of_server
from imaging_pipeline.server.session_settings import is_alive
from imaging_pipeline.workers.connection import revive
from imaging_pipeline.workers.job_table import JobTable
from imaging_pipeline.workers.line import STOPPED, SUPERVISOR_GONE, Line, LineHandler
from imaging_pipeline.workers.messages import Errand, Fate, Finished, Note, Order
from imaging_pipeline.workers.reservation import FencedJobs
from imaging_pipeline.workers.workshop import Assignment, Workshop


def main(pipe: Connection, assignment: Assignment) -> None:
    """Carry out the orders that come through ``pipe``, until it closes."""
    _leave_the_terminal()
    signal.signal(signal.SIGTERM, _end)
    try:
        try:
            _work(Line(pipe), assignment)
        finally:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
    except SystemExit as end:
        # Else the word that it ends with would be printed, and be taken for a failure.
        sys.exit(0 if end.code in (STOPPED, SUPERVISOR_GONE) else end.code)


def _work(line: Line, assignment: Assignment) -> None:
    try:
        _log_through(line)
        connection = assignment.wiring.connect(assignment.config)
        _Jobs(Workshop(assignment, line), connection).serve()
    except Exception as error:
        line.send(Note(f"The job process ends: {type(error).__name__}: {error}", logging.ERROR))
        sys.exit(1)


def _leave_the_terminal() -> None:
    """Keep Ctrl-C for the supervisor; it would kill a child of the job and look like its error."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "win32":
        ctypes.windll.kernel32.SetConsoleCtrlHandler(None, True)
    else:
        os.setsid()


def _end(signum: int, frame: FrameType | None) -> None:
    raise SystemExit(STOPPED)


def _log_through(line: Line) -> None:
    logging.root.handlers = [LineHandler(line)]
    datajoint_log = logging.getLogger("datajoint")
    datajoint_log.handlers = []
    datajoint_log.propagate = True


class _Jobs:
    """Carries out one order after the other."""

    def __init__(self, workshop: Workshop, connection: Any) -> None:
        self._workshop = workshop
        self._connection = connection
        self._tables: dict[str, JobTable] = {}
        self._owed: list[FencedJobs] = []

    def serve(self) -> None:
        for order in self._workshop.line.orders():
            begun = time.monotonic()
            finished = self._run(order, begun) if isinstance(order, Errand) else self._make(order, begun)
            self._workshop.line.send(finished)
            if finished.fate is Fate.INTERRUPTED:
                return

    def _make(self, order: Order, begun: float) -> Finished:
        jobs: FencedJobs | None = None
        try:
            self._pay()
            table = self._table(order.table)
            jobs = table.jobs
            fate, message = table.do_one(order)
        except (SystemExit, Exception) as error:
            fate, message = self._clean_up(jobs, error)
        claim = jobs.reservation if jobs is not None else None
        key = None if claim is None else claim.key
        return Finished(order.table, key, fate, message, time.monotonic() - begun)

    def _run(self, errand: Errand, begun: float) -> Finished:
        """Call the function of a duty; what it says is told, and what it raises."""
        try:
            said = pkgutil.resolve_name(errand.function)(self._workshop.assignment.wiring.handle)
            fate, message = (Fate.DONE if said else Fate.NOTHING), str(said or "")
        except (SystemExit, Exception) as error:
            fate, message = self._clean_up(None, error)
        return Finished(errand.function, None, fate, message, time.monotonic() - begun)

    def _pay(self) -> None:
        """Return what stayed reserved when the database went away in the middle of a job."""
        while self._owed:
            self._owed[-1].give_back_mine()
            self._owed.pop()

    def _clean_up(self, jobs: FencedJobs | None, error: BaseException) -> tuple[Fate, str]:
        """Return what was left reserved when a job broke off, and say why it did."""
        if jobs is not None and jobs.fate is Fate.ERROR:
            return jobs.fate, jobs.message  # a library ended its job by ending the program
        interrupted = isinstance(error, SystemExit) and error.code == STOPPED
        if interrupted:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        lost = isinstance(error, LostConnectionError) or not is_alive(self._connection)
        message = f"{type(error).__name__}: {error}"
        try:
            if lost:
                revive(self._connection)
            if jobs is not None and jobs.was_made():
                return Fate.DONE, ""
            if jobs is not None:
                jobs.give_back_mine()
        except Exception as refused:  # each driver has its own classes
            if not (isinstance(refused, DatabaseError) or is_of_server(refused)):
                raise
            lost, message = True, str(refused)
            self._owed += [] if jobs is None else [jobs]
        if interrupted:
            return Fate.INTERRUPTED, ""
        passes = lost or self._workshop.judge(error).keeps_result  # such as a deadlock
        return (Fate.DISCONNECTED if passes else Fate.FAILED), message

    def _table(self, name: str) -> JobTable:
        if name not in self._tables:
            lanes = self._workshop.assignment.lanes
            lane = next(lane for lane in lanes if name in lane.tables)
            self._tables[name] = JobTable(name, lane, self._workshop)
        return self._tables[name]
