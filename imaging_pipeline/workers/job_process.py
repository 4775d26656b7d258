"""The one process of a worker that populates.

DataJoint sets its own signal handler where it populates, a computation may take hours, and a
library may crash: none of this reaches the supervisor.
"""

from __future__ import annotations

import ctypes
import logging
import os
import pkgutil
import signal
import sys
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from types import FrameType
from typing import Any

from datajoint.errors import DuplicateError, LostConnectionError

from imaging_pipeline import progress
from imaging_pipeline.errors import DatabaseError
from imaging_pipeline.workers.connection import is_alive, revive
from imaging_pipeline.workers.line import Line, LineHandler
from imaging_pipeline.workers.messages import Fate, Finished, Note, Order
from imaging_pipeline.workers.policy import Verdict, load_policies
from imaging_pipeline.workers.reporting import Reporter
from imaging_pipeline.workers.reservation import FencedJobs, fence


def main(pipe: Connection, connect: str, config: object) -> None:
    """Carry out the orders that come through ``pipe``, until it closes.

    Parameters
    ----------
    pipe
        To the supervisor.
    connect
        ``module:function`` that takes the configuration and gives the connection to which the
        tables are bound.
    config
        What it takes.
    """
    _leave_the_terminal()
    signal.signal(signal.SIGTERM, _end)
    line = Line(pipe)
    try:
        _log_through(line)
        connection = pkgutil.resolve_name(connect)(config)
        _Jobs(line, connection).serve()
    except Exception as error:
        line.send(Note(f"The job process ends: {type(error).__name__}: {error}", logging.ERROR))
        sys.exit(1)
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)


def _leave_the_terminal() -> None:
    """Keep Ctrl-C for the supervisor; it would kill a child of the job and look like its error."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "win32":
        ctypes.windll.kernel32.SetConsoleCtrlHandler(None, True)
    else:
        os.setsid()


def _end(signum: int, frame: FrameType | None) -> None:
    raise SystemExit(0)


def _log_through(line: Line) -> None:
    logging.root.handlers = [LineHandler(line)]
    datajoint_log = logging.getLogger("datajoint")
    datajoint_log.handlers = []
    datajoint_log.propagate = True


class _Jobs:
    """Populates one job an order."""

    def __init__(self, line: Line, connection: Any) -> None:
        self._line = line
        self._connection = connection
        self._policies = load_policies()
        self._tables: dict[str, tuple[Any, Reporter]] = {}

    def serve(self) -> None:
        for order in self._line.orders():
            finished = self._carry_out(order)
            self._line.send(finished)
            if finished.fate is Fate.INTERRUPTED:
                return

    def _carry_out(self, order: Order) -> Finished:
        begun = time.monotonic()
        jobs: FencedJobs | None = None
        try:
            table, reporter = self._table(order.table)
            jobs = table.jobs
            jobs.begin()
            with progress.listening(reporter.advance):
                _populate(table, refresh=order.refresh)
            fate = jobs.fate
            message = reporter.outcome if fate is Fate.DONE else jobs.message
        except (SystemExit, Exception) as error:
            fate, message = self._clean_up(jobs, error)
        claim = jobs.reservation if jobs is not None else None
        key = None if claim is None else claim.key
        return Finished(order.table, key, fate, message, time.monotonic() - begun)

    def _clean_up(self, jobs: FencedJobs | None, error: BaseException) -> tuple[Fate, str]:
        """Give back what `populate` left reserved when it broke off, and say why it did."""
        if jobs is not None and jobs.fate is Fate.ERROR:
            return jobs.fate, jobs.message  # a library ended its job by ending the program
        interrupted = isinstance(error, SystemExit)
        if interrupted:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        lost = isinstance(error, LostConnectionError) or not is_alive(self._connection)
        message = f"{type(error).__name__}: {error}"
        try:
            if lost:
                revive(self._connection)
            if jobs is not None:
                jobs.give_back_mine()
        except DatabaseError as gone:
            lost, message = True, str(gone)
        if interrupted:
            return Fate.INTERRUPTED, ""
        return (Fate.DISCONNECTED if lost else Fate.FAILED), message

    def _table(self, name: str) -> tuple[Any, Reporter]:
        if name not in self._tables:
            table, reporter = pkgutil.resolve_name(name)(), Reporter(self._line, name)
            fence(table, FencedJobs(table, self._judge, reporter.begin))
            self._tables[name] = table, reporter
        return self._tables[name]

    def _judge(self, error: BaseException) -> Verdict:
        verdicts = (policy.judge(error) for policy in self._policies)
        return next((verdict for verdict in verdicts if verdict), Verdict(Fate.ERROR))


def _populate(table: Any, *, refresh: bool) -> None:
    if refresh:
        # What stayed reserved when the database went away in the middle of a job.
        table.jobs.give_back_mine()
        # Two workers that look for new jobs at once may want to insert the same one.
        with suppress(DuplicateError):
            table.jobs.refresh(delay=-1)
    table.populate(reserve_jobs=True, refresh=False, max_calls=1, suppress_errors=True)
