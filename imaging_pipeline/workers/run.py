"""One worker, from its first connection to its last word."""

from __future__ import annotations

import functools
import pkgutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from imaging_pipeline.lanes import Lane
from imaging_pipeline.workers.connection import await_server, surviving
from imaging_pipeline.workers.dead_workers import Undertaker
from imaging_pipeline.workers.desk import Desk
from imaging_pipeline.workers.heartbeat import MISSED_BEATS, Heartbeat
from imaging_pipeline.workers.job_context import Assignment
from imaging_pipeline.workers.job_handle import JobHandle, wait_for
from imaging_pipeline.workers.job_queue import JobQueue
from imaging_pipeline.workers.messages import Event, Note
from imaging_pipeline.workers.pipeline_tables import Wiring
from imaging_pipeline.workers.policies.policy import Policy, load_policies
from imaging_pipeline.workers.settings import Settings
from imaging_pipeline.workers.slot import Slot
from imaging_pipeline.workers.stop_signals import stop_signals
from imaging_pipeline.workers.summary import Summary, Tally
from imaging_pipeline.workers.supervisor import Supervisor
from imaging_pipeline.workers.threads import library_threads
from imaging_pipeline.workers.timing import Timing
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
        How long to wait before looking for work again. Each time that nothing was found is told as `Idle`, so
        that the time between two of these is that of a cycle.
    config
        What ``wiring.connect`` takes; it is pickled for the job processes.
    on_event
        Hears of every job and its progress.
    settings
        Which jobs, how many, and how many at a time; without it all, for ever, one at a time.
    wiring, timing
        Other than the pipeline's own.

    Returns
    -------
    Summary
        What was done, and what is left and why.

    Raises
    ------
    PipelineError
        When the database refuses, or with ``once`` is not there in the beginning or stays away; or when a
        condition is none on what a lane works on.
    """
    settings, wiring, timing = settings or Settings(), wiring or Wiring(), timing or Timing()
    config = wiring.told(config, settings)
    identity = Identity(
        ",".join(lane.name for lane in lanes),
        settings.restriction,
        MISSED_BEATS * timing.heartbeat_s,
        settings.priority,
    )
    assignment = Assignment(wiring, config, tuple(lanes), settings, identity.name, timing)
    begin = functools.partial(_begin, assignment, identity)
    with stop_signals() as stop:
        begun = begin() if once else await_server(begin, stop, on_event, timing.longest_pause_s)
        if begun is None:
            return Summary(0, 0, ())
        connection, queues, heartbeat = begun
        on_event(Note(f"The worker {identity.name} begins."))
        policies = load_policies(settings)
        desk = Desk(connection, wiring.workers, queues, policies, stop, timing, on_event)
        tally = Tally()
        slots = _slots(assignment, policies, timing)
        undertaker = Undertaker(desk, identity.name, heartbeat)
        supervisor = Supervisor(desk, slots, heartbeat, undertaker, tally, wait_for)
        with library_threads(settings), _ended_in_order(slots, heartbeat, timing):
            supervisor.run(once=once, idle_s=idle_s)
        with surviving(connection, on_event):
            own = {name: queues[name] for lane in lanes for name in lane.tables}
            return tally.summary(own, policies)
        return tally.summary({}, policies)


def _begin(assignment: Assignment, identity: Identity) -> tuple[Any, dict[str, JobQueue], Heartbeat]:
    """Connect, and give the first sign of life."""
    wiring, config = assignment.wiring, assignment.config
    connection = wiring.connect(config)
    queues = _queues(wiring, assignment.lanes, assignment.settings)
    opened = functools.partial(wiring.open, config)
    heartbeat = Heartbeat(opened, wiring.workers.full_table_name, identity, assignment.timing)
    heartbeat.begin()
    return connection, queues, heartbeat


def _queues(wiring: Wiring, lanes: Sequence[Lane], settings: Settings) -> dict[str, JobQueue]:
    """Return the jobs of all lanes; of those that a restricted worker leaves to others, none."""
    own = {name: pkgutil.resolve_name(name)() for lane in lanes for name in lane.tables}
    if settings.first:
        for target in own.values():
            wiring.meant(target, settings.first)
    if settings.restriction:
        meant = {name: wiring.meant(target, settings.restriction) for name, target in own.items()}
        return {name: JobQueue(target, meant[name]) for name, target in own.items()}
    everything = (name for lane in (*lanes, *wiring.lanes) for name in lane.tables)
    return {name: JobQueue(pkgutil.resolve_name(name)()) for name in everything}


def _slots(assignment: Assignment, policies: Sequence[Policy], timing: Timing) -> list[Slot]:
    """Return the job processes; the duties of the lanes are those of the first."""
    tables = [name for lane in assignment.lanes for name in lane.tables]
    duties = [duty for lane in assignment.lanes for duty in lane.duties]

    def may_work_on(table: str) -> bool:
        return all(policy.why_not(table) is None for policy in policies)

    return [
        Slot(
            JobHandle(assignment),
            passes(tables, timing.slice_s, may_work_on, has_first=bool(assignment.settings.first)),
            [] if number else duties,
        )
        for number in range(assignment.settings.processes)
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
