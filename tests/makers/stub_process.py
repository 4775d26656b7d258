"""A worker without processes and without a database: a script carries its orders out at once."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from imaging_pipeline.lanes import PeriodicTask
from imaging_pipeline.workers.abilities import Abilities
from imaging_pipeline.workers.messages import (
    Event,
    Finished,
    Order,
    Outcome,
    ProcessEnded,
    Report,
    Started,
    TaskOrder,
)
from imaging_pipeline.workers.policies.policy import load_policies
from imaging_pipeline.workers.settings import Settings, Timing
from imaging_pipeline.workers.slot import Slot
from imaging_pipeline.workers.stop_signals import StopRequest
from imaging_pipeline.workers.summary import Tally
from imaging_pipeline.workers.supervisor import Supervisor, SupervisorContext
from imaging_pipeline.workers.turns import passes

Script = Callable[[Order | TaskOrder], Iterable[Report | ProcessEnded]]


class StubProcess:
    """A job process that reports what a script yields.

    Attributes
    ----------
    orders
        What it was told to do.
    ignores_interrupts
        Whether it goes on when it is asked to end.
    was_killed
        Whether it had to be.
    """

    def __init__(self, pid: int, script: Script) -> None:
        self.pid: int | None = pid
        self.waitables: list[Any] = []
        self.orders: list[Order | TaskOrder] = []
        self.ignores_interrupts = False
        self.was_killed = False
        self._script = script
        self._reports: deque[Report | ProcessEnded] = deque()
        self._interrupted: float | None = None

    def order(self, order: Order | TaskOrder) -> None:
        self.orders.append(order)
        self._reports.extend(self._script(order))

    def receive(self) -> Report | ProcessEnded | None:
        return self._reports.popleft() if self._reports else None

    def interrupt(self) -> None:
        if self._interrupted is None:
            self._interrupted = time.monotonic()
            if not self.ignores_interrupts and self.orders:
                self._reports.append(Finished(self.orders[-1].subject, {}, Outcome.INTERRUPTED))

    def interrupted_for_s(self) -> float:
        return 0.0 if self._interrupted is None else time.monotonic() - self._interrupted

    def kill(self) -> None:
        self.was_killed = True
        self._reports.append(ProcessEnded(self.pid or 0, -9))

    def close(self, timeout_s: float) -> None:
        pass


@dataclass
class Recorded:
    """What a stubbed worker reported of itself, and whose jobs it had settled."""

    doing: dict[int, str] = field(default_factory=dict)
    abilities: Abilities = field(default_factory=Abilities)
    settled: list[tuple[str, object]] = field(default_factory=list)
    num_settlings: int = 0

    def set_doing(self, doing: dict[int, str]) -> None:
        self.doing = doing

    def set_abilities(self, abilities: Abilities) -> None:
        self.abilities = abilities

    def settle_others(self, pids: frozenset[int]) -> None:
        self.num_settlings += 1

    def settle_own(self, table: str, key: Any, ended: ProcessEnded) -> Finished:
        self.settled.append((table, key))
        return Finished(table, key, Outcome.CRASHED, "It died.")


class StubWorker:
    """A supervisor with stubbed processes.

    Attributes
    ----------
    events
        What its listener received.
    stop
        Asks it to end.
    recorded
        What it reported, and whose jobs it had settled.
    tally
        What became of its orders.
    """

    def __init__(
        self,
        processes: Sequence[StubProcess],
        tables: Sequence[str],
        settings: Settings | None = None,
        *,
        periodic_tasks: Iterable[PeriodicTask] = (),
        timing: Timing | None = None,
    ) -> None:
        settings, timing = settings or Settings(), timing or Timing()
        self.events: list[Event] = []
        self.stop = StopRequest()
        self.recorded = Recorded()
        self.tally = Tally()
        policies = load_policies(settings)
        context = SupervisorContext(
            None, None, {}, policies, self.stop, timing, self.events.append, lambda: None
        )

        def may_work_on(table: str) -> bool:
            return all(policy.skip_reason(table) is None for policy in policies)

        slots = [
            Slot(
                process,
                passes(tables, timing.slice_s, may_work_on, has_first=bool(settings.first)),
                periodic_tasks,
            )
            for process in processes
        ]
        self._supervisor = Supervisor(
            context, slots, self.recorded, self.recorded, self.tally, lambda _processes, _timeout_s: None
        )

    def run(self, *, once: bool = True, idle_s: float = 0.0) -> None:
        self._supervisor.run(once=once, idle_s=idle_s)


def making(jobs: dict[str, int], *, pid: int = 1) -> Script:
    """Return a script that makes so many jobs of each table, and then finds none."""

    def script(order: Order | TaskOrder) -> Iterable[Report]:
        table = order.subject
        if not jobs.get(table):
            yield Finished(table, None, Outcome.NOTHING)
            return
        jobs[table] -= 1
        key = {"number": jobs[table]}
        yield Started(table, key, pid)
        yield Finished(table, key, Outcome.DONE, duration_s=0.1)

    return script
