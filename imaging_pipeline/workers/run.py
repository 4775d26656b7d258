"""One worker, from its first connection to its last word."""

from __future__ import annotations

import functools
import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from imaging_pipeline.lanes import Lane
from imaging_pipeline.workers.connection import await_server, surviving_loss
from imaging_pipeline.workers.desk import Desk
from imaging_pipeline.workers.dispatcher import Dispatcher
from imaging_pipeline.workers.heartbeat import Heartbeat
from imaging_pipeline.workers.job_handle import JobHandle
from imaging_pipeline.workers.job_queue import JobQueue
from imaging_pipeline.workers.messages import Event
from imaging_pipeline.workers.policy import load_policies
from imaging_pipeline.workers.stop_signals import stop_signals
from imaging_pipeline.workers.summary import Summary
from imaging_pipeline.workers.supervisor import Supervisor
from imaging_pipeline.workers.timing import Timing


@dataclass(frozen=True)
class Wiring:
    """Where a worker finds the database, as ``module:name``, since its job process resolves it anew.

    Attributes
    ----------
    connect
        Takes the configuration, binds the table classes and gives their connection.
    workers
        The table of workers.
    """

    connect: str = "imaging_pipeline.database:connect"
    workers: str = "imaging_pipeline.schemas.imaging.operations:Worker"


def run_worker(
    lanes: Sequence[Lane],
    once: bool,
    idle_s: float,
    config: object,
    on_event: Callable[[Event], None],
    *,
    wiring: Wiring | None = None,
    timing: Timing | None = None,
) -> Summary:
    """Populate the tables of some lanes; main thread only, since it heeds signals.

    Parameters
    ----------
    lanes
        What to work on, in order.
    once
        End when a pass over all tables did nothing; jobs for later than now are left.
    idle_s
        How long to wait before looking for work again.
    config
        What ``wiring.connect`` takes; it is pickled for the job process.
    on_event
        Hears of every job and its progress.
    wiring, timing
        Other than the pipeline's own.

    Returns
    -------
    Summary
        What was done, and what is left and why.

    Raises
    ------
    PipelineError
        When the database refuses, or with ``once`` is not there in the beginning or stays away.
    """
    wiring, timing = wiring or Wiring(), timing or Timing()
    connect = functools.partial(pkgutil.resolve_name(wiring.connect), config)
    with stop_signals() as stop:
        connection = connect() if once else await_server(connect, stop, on_event, timing.longest_pause_s)
        if connection is None:
            return Summary(0, 0, ())
        queues = {name: JobQueue(pkgutil.resolve_name(name)()) for lane in lanes for name in lane.tables}
        desk = Desk(connection, queues, load_policies(), stop, timing, on_event)
        names = ",".join(lane.name for lane in lanes)
        heartbeat = Heartbeat(pkgutil.resolve_name(wiring.workers)(), names, timing.heartbeat_s)
        job = JobHandle(wiring.connect, config)
        supervisor = Supervisor(desk, Dispatcher(desk, job, heartbeat))
        heartbeat.begin()
        try:
            return supervisor.run(once=once, idle_s=idle_s)
        finally:
            job.close(timing.give_back_s)
            with surviving_loss(connection, on_event):
                heartbeat.end()
