"""One worker, from its first connection to its summary."""

from __future__ import annotations

import functools
import pkgutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from imaging_pipeline.lanes import Lane
from imaging_pipeline.workers.connection import reconnecting, wait_for_server
from imaging_pipeline.workers.dead_workers import DeadWorkers
from imaging_pipeline.workers.heartbeat import MISSED_BEATS, Heartbeat
from imaging_pipeline.workers.job_context import JobContext
from imaging_pipeline.workers.job_handle import JobHandle, wait_for
from imaging_pipeline.workers.job_queue import JobQueue
from imaging_pipeline.workers.messages import Event, Note
from imaging_pipeline.workers.pipeline_tables import PipelineTables
from imaging_pipeline.workers.policies.policy import Policy, load_policies
from imaging_pipeline.workers.settings import Settings, Timing
from imaging_pipeline.workers.shared_cores import library_threads
from imaging_pipeline.workers.slot import Slot
from imaging_pipeline.workers.stop_signals import stop_signals
from imaging_pipeline.workers.summary import Summary, Tally
from imaging_pipeline.workers.supervisor import Supervisor, SupervisorContext
from imaging_pipeline.workers.turns import passes
from imaging_pipeline.workers.worker_rows import Identity


def run_worker(
    lanes: Sequence[Lane],
    once: bool,
    idle_s: float,
    config: Any,
    on_event: Callable[[Event], None],
    *,
    settings: Settings | None = None,
    tables: PipelineTables | None = None,
    timing: Timing | None = None,
) -> Summary:
    """Populate the tables of some lanes; main thread only, since it handles signals.

    Parameters
    ----------
    lanes
        What to work on, in order.
    once
        End when a pass over all tables did nothing; jobs that are scheduled for later are left.
    idle_s
        How long to wait before looking for work again. Each time that nothing was found is reported as
        `Idle`, so that the time between two of these is that of a cycle.
    config
        What ``tables.connect`` takes; it is pickled for the job processes.
    on_event
        Is called with every job and its progress.
    settings
        Which jobs, how many, and how many at a time; without it all, for ever, one at a time.
    tables, timing
        Other than the pipeline's own.

    Returns
    -------
    Summary
        What was done, and what is left and why.

    Raises
    ------
    PipelineError
        The database refuses, or with ``once`` is not there in the beginning or stays away; or its tables
        are upgraded meanwhile; or a condition is none on what a lane works on.
    """
    settings, tables, timing = settings or Settings(), tables or PipelineTables(), timing or Timing()
    identity = Identity(
        ",".join(lane.name for lane in lanes),
        settings.restriction,
        MISSED_BEATS * timing.heartbeat_s,
        settings.priority,
    )
    job_context = JobContext(
        tables, tables.configure(config, settings), tuple(lanes), settings, identity.name, timing
    )
    begin = functools.partial(_begin, job_context, identity)
    with stop_signals() as stop:
        begun = begin() if once else wait_for_server(begin, stop, on_event, timing.longest_pause_s)
        if begun is None:
            return Summary(0, 0, ())
        connection, queues, heartbeat = begun
        on_event(Note(f"The worker {identity.name} begins."))
        context = SupervisorContext(
            connection,
            tables.workers,
            queues,
            load_policies(settings),
            stop,
            timing,
            on_event,
            tables.check_version,
        )
        return _supervise(context, job_context, heartbeat, once=once, idle_s=idle_s)


def _supervise(
    context: SupervisorContext, job_context: JobContext, heartbeat: Heartbeat, *, once: bool, idle_s: float
) -> Summary:
    """Run the supervisor to its end, and return what was done and what is left."""
    tally = Tally()
    slots = _slots(job_context, context.policies)
    dead_workers = DeadWorkers(context, job_context.worker, heartbeat)
    supervisor = Supervisor(context, slots, heartbeat, dead_workers, tally, wait_for)
    # Job processes inherit the environment when they are started, in this block.
    with library_threads(job_context.settings), _ended_in_order(slots, heartbeat, context.timing):
        supervisor.run(once=once, idle_s=idle_s)
    with reconnecting(context.connection, context.on_event):
        own = {name: context.queues[name] for lane in job_context.lanes for name in lane.tables}
        return tally.summary(own, context.policies)
    # The database is away: what is left is not known.
    return tally.summary({}, context.policies)


def _begin(context: JobContext, identity: Identity) -> tuple[Any, dict[str, JobQueue], Heartbeat]:
    """Connect, and beat for the first time."""
    tables, config = context.tables, context.config
    connection = tables.connect(config)
    queues = _queues(context)
    open_connection = functools.partial(tables.open, config)
    heartbeat = Heartbeat(open_connection, tables.workers.full_table_name, identity, context.timing)
    # Last, so that a worker whose conditions are refused leaves no row behind.
    heartbeat.begin()
    return connection, queues, heartbeat


def _queues(context: JobContext) -> dict[str, JobQueue]:
    """Return the jobs of all lanes, whose dead workers are settled; for a restricted worker only its own."""
    tables, settings = context.tables, context.settings
    own = {name: pkgutil.resolve_name(name)() for lane in context.lanes for name in lane.tables}
    if settings.first:  # a condition that is wrong is refused now, not by the job process
        for target in own.values():
            tables.keys_condition(target, settings.first)
    if settings.restriction:
        return {
            name: JobQueue(target, tables.keys_condition(target, settings.restriction))
            for name, target in own.items()
        }
    # Also those of other lanes: perhaps no worker of theirs is left.
    names = (name for lane in (*context.lanes, *tables.lanes) for name in lane.tables)
    return {name: JobQueue(pkgutil.resolve_name(name)()) for name in names}


def _slots(context: JobContext, policies: Sequence[Policy]) -> list[Slot]:
    """Return the job processes; the periodic tasks of the lanes are those of the first."""
    table_names = [name for lane in context.lanes for name in lane.tables]
    periodic_tasks = [task for lane in context.lanes for task in lane.periodic_tasks]
    has_first = bool(context.settings.first)

    def may_work_on(table: str) -> bool:
        return all(policy.skip_reason(table) is None for policy in policies)

    return [
        Slot(
            JobHandle(context),
            passes(table_names, context.timing.slice_s, may_work_on, has_first=has_first),
            [] if number else periodic_tasks,
        )
        for number in range(context.settings.processes)
    ]


@contextmanager
def _ended_in_order(slots: Sequence[Slot], heartbeat: Heartbeat, timing: Timing) -> Iterator[None]:
    """End the job processes and then the heartbeat, however the block ends."""
    try:
        yield
    finally:
        for slot in slots:
            slot.process.close(timing.at_once_s)
        heartbeat.end()
