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
from imaging_pipeline.server.connection_errors import is_of_server
from imaging_pipeline.server.session_settings import is_alive
from imaging_pipeline.workers.abilities import Abilities
from imaging_pipeline.workers.connection import reconnect
from imaging_pipeline.workers.job_context import JobContext
from imaging_pipeline.workers.job_table import JobTable
from imaging_pipeline.workers.messages import AbilitiesChanged, Finished, Note, Order, Outcome, TaskOrder
from imaging_pipeline.workers.pipe import STOPPED, SUPERVISOR_GONE, PipeHandler, SupervisorPipe
from imaging_pipeline.workers.reservation import FencedJobs

# Between two checks of what the machine can do, each of which looks at every share.
_ABILITIES_S = 30.0


def main(connection: Connection, context: JobContext) -> None:
    """Carry out the orders that come through a pipe, until it closes."""
    _leave_the_terminal()
    signal.signal(signal.SIGTERM, _stop)
    try:
        try:
            _work(SupervisorPipe(connection), context)
        finally:
            # When the supervisor closes the pipe, its thread sends this signal, perhaps only now.
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
    except SystemExit as end:
        # Python would print these texts, and return the exit code of a failure.
        sys.exit(0 if end.code in (STOPPED, SUPERVISOR_GONE) else end.code)


def _work(pipe: SupervisorPipe, context: JobContext) -> None:
    try:
        _log_through(pipe)
        _Jobs(context, pipe, context.tables.connect(context.config)).serve()
    except Exception as error:
        pipe.send(Note(f"The job process ends: {type(error).__name__}: {error}", logging.ERROR))
        sys.exit(1)


def _leave_the_terminal() -> None:
    """Leave Ctrl-C to the supervisor; it would kill a child of the job and look like its error."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "win32":
        ctypes.windll.kernel32.SetConsoleCtrlHandler(None, True)
    else:  # programs that the job starts go with it, too
        os.setsid()


def _stop(signum: int, frame: FrameType | None) -> None:
    raise SystemExit(STOPPED)


def _log_through(pipe: SupervisorPipe) -> None:
    logging.root.handlers = [PipeHandler(pipe)]
    datajoint_log = logging.getLogger("datajoint")
    # DataJoint's own handler would write on the terminal, past the supervisor.
    datajoint_log.handlers = []
    datajoint_log.propagate = True


class _Jobs:
    """Carries out one order after the other."""

    def __init__(self, context: JobContext, pipe: SupervisorPipe, connection: Any) -> None:
        self._context = context
        self._pipe = pipe
        self._connection = connection
        self._tables: dict[str, JobTable] = {}
        self._abilities: Abilities | None = None
        self._abilities_at = float("-inf")
        # Job tables with reservations that could not be given back, as the database went away.
        self._not_given_back: list[FencedJobs] = []

    def serve(self) -> None:
        for order in self._pipe.orders():
            started = time.monotonic()
            if isinstance(order, TaskOrder):
                finished = self._run(order, started)
            else:
                finished = self._make(order, started)
            self._pipe.send(finished)
            # The supervisor starts another process where it still has orders.
            if finished.outcome is Outcome.INTERRUPTED:
                return

    def _make(self, order: Order, started: float) -> Finished:
        jobs: FencedJobs | None = None
        try:
            self._give_back()
            table = self._table(order.table)
            abilities = self._current_abilities()
            jobs = table.jobs
            outcome, message = table.make_one(order, abilities)
        except (SystemExit, Exception) as error:
            outcome, message = self._clean_up(jobs, error)
        reservation = jobs.reservation if jobs is not None else None
        key = None if reservation is None else reservation.key
        return Finished(order.table, key, outcome, message, time.monotonic() - started)

    def _run(self, order: TaskOrder, started: float) -> Finished:
        """Call the function of a periodic task; report what it returns or raises."""
        try:
            message = pkgutil.resolve_name(order.function)(self._context.tables.handle)
            outcome, message = (Outcome.DONE if message else Outcome.NOTHING), str(message or "")
        except (SystemExit, Exception) as error:
            outcome, message = self._clean_up(None, error)
        return Finished(order.function, None, outcome, message, time.monotonic() - started)

    def _give_back(self) -> None:
        """Give back what stayed reserved when the database went away in the middle of a job."""
        while self._not_given_back:
            # Forgotten only afterwards: the database may go away again.
            self._not_given_back[-1].give_back_mine()
            self._not_given_back.pop()

    def _current_abilities(self) -> Abilities:
        """Return what this machine can do, as it was found half a minute ago at most; report a change."""
        context = self._context
        if self._abilities is None or (
            time.monotonic() - self._abilities_at > _ABILITIES_S * context.timing.patience
        ):
            abilities = context.tables.abilities(context.config, context.lanes)
            if abilities != self._abilities:
                self._pipe.send(AbilitiesChanged(abilities))
            self._abilities, self._abilities_at = abilities, time.monotonic()
        return self._abilities

    def _clean_up(self, jobs: FencedJobs | None, error: BaseException) -> tuple[Outcome, str]:
        """Give back what was left reserved when a job broke off, and return why it did."""
        if jobs is not None and jobs.outcome is Outcome.ERROR:
            return jobs.outcome, jobs.message  # a library ended its job by ending the program
        is_stopped = isinstance(error, SystemExit) and error.code == STOPPED
        if is_stopped:  # a second signal would prevent that the job is given back
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        is_lost = isinstance(error, LostConnectionError) or not is_alive(self._connection)
        message = f"{type(error).__name__}: {error}"
        try:
            if is_lost:
                reconnect(self._connection)
            # The server may have committed although its reply did not arrive.
            if jobs is not None and jobs.was_made():
                return Outcome.DONE, ""
            if jobs is not None:
                jobs.give_back_mine()
        except Exception as refused:  # each driver has its own classes
            if not (isinstance(refused, DatabaseError) or is_of_server(refused)):
                raise
            is_lost, message = True, str(refused)
            self._not_given_back += [] if jobs is None else [jobs]
        if is_stopped:
            return Outcome.INTERRUPTED, ""
        may_pass = is_lost or self._context.decide(error).keeps_result  # such as a deadlock
        return (Outcome.DISCONNECTED if may_pass else Outcome.FAILED), message

    def _table(self, name: str) -> JobTable:
        if name not in self._tables:
            lane = next(lane for lane in self._context.lanes if name in lane.tables)
            self._tables[name] = JobTable(name, lane, self._context, self._pipe)
        return self._tables[name]
