"""One worker, from its first connection to its last word."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from imaging_pipeline.workers.connection import surviving_loss
from imaging_pipeline.workers.desk import Desk
from imaging_pipeline.workers.dispatcher import Dispatcher
from imaging_pipeline.workers.heartbeat import Heartbeat
from imaging_pipeline.workers.job_handle import JobHandle
from imaging_pipeline.workers.job_queue import JobQueue
from imaging_pipeline.workers.lanes import Lane
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
        When the database cannot be reached in the beginning, or with ``once`` stays away.
    """
    wiring, timing = wiring or Wiring(), timing or Timing()
    connection = pkgutil.resolve_name(wiring.connect)(config)
    queues = {name: JobQueue(pkgutil.resolve_name(name)()) for lane in lanes for name in lane.tables}
    heartbeat = Heartbeat(
        pkgutil.resolve_name(wiring.workers)(), ",".join(lane.name for lane in lanes), timing.heartbeat_s
    )
    job = JobHandle(wiring.connect, config)
    with stop_signals() as stop:
        desk = Desk(connection, queues, load_policies(), stop, timing, on_event)
        supervisor = Supervisor(desk, Dispatcher(desk, job, heartbeat))
        heartbeat.begin()
        try:
            return supervisor.run(once=once, idle_s=idle_s)
        finally:
            job.close(timing.give_back_s)
            with surviving_loss(connection, on_event):
                heartbeat.end()
