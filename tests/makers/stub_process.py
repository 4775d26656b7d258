"""A worker without processes and without a database: what is ordered is carried out at once, by a script."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from imaging_pipeline.lanes import Duty
from imaging_pipeline.workers.abilities import Abilities
from imaging_pipeline.workers.desk import Desk
from imaging_pipeline.workers.messages import Ended, Errand, Event, Fate, Finished, Order, Report, Started
from imaging_pipeline.workers.policies.policy import load_policies
from imaging_pipeline.workers.settings import Settings
from imaging_pipeline.workers.slot import Slot
from imaging_pipeline.workers.stop_signals import StopRequest
from imaging_pipeline.workers.summary import Tally
from imaging_pipeline.workers.supervisor import Supervisor
from imaging_pipeline.workers.timing import Timing
from imaging_pipeline.workers.turns import passes

Script = Callable[[Order | Errand], Iterable[Report | Ended]]


class StubProcess:
    """A job process that says what a script says.

    Attributes
    ----------
    orders
        What it was told to do.
    is_deaf
        Whether it goes on when it is asked to end.
    was_killed
        Whether it had to be.
    """

    def __init__(self, pid: int, script: Script) -> None:
        self.pid: int | None = pid
        self.signs: list[Any] = []
        self.orders: list[Order | Errand] = []
        self.is_deaf = False
        self.was_killed = False
        self._script = script
        self._said: deque[Report | Ended] = deque()
        self._interrupted: float | None = None

    def order(self, order: Order | Errand) -> None:
        self.orders.append(order)
        self._said.extend(self._script(order))

    def receive(self) -> Report | Ended | None:
        return self._said.popleft() if self._said else None

    def interrupt(self) -> None:
        if self._interrupted is None:
            self._interrupted = time.monotonic()
            if not self.is_deaf and self.orders:
                self._said.append(Finished(self.orders[-1].subject, {}, Fate.INTERRUPTED))

    def interrupted_for_s(self) -> float:
        return 0.0 if self._interrupted is None else time.monotonic() - self._interrupted

    def kill(self) -> None:
        self.was_killed = True
        self._said.append(Ended(self.pid or 0, -9))

    def close(self, timeout_s: float) -> None:
        pass


@dataclass
class Watched:
    """What a stubbed worker's heart and undertaker were told."""

    doing: dict[int, str] = field(default_factory=dict)
    abilities: Abilities = field(default_factory=Abilities)
    buried: list[tuple[str, object]] = field(default_factory=list)
    num_looks: int = 0

    def tell(self, doing: dict[int, str]) -> None:
        self.doing = doing

    def able(self, abilities: Abilities) -> None:
        self.abilities = abilities

    def look_after_others(self, pids: frozenset[int]) -> None:
        self.num_looks += 1

    def bury_own(self, table: str, key: Any, ended: Ended) -> Finished:
        self.buried.append((table, key))
        return Finished(table, key, Fate.CRASHED, "It died.")


class StubWorker:
    """A supervisor with stubbed processes.

    Attributes
    ----------
    told
        What its listener heard.
    stop
        Asks it to end.
    watched
        What it told its heart and its undertaker.
    tally
        What came of its orders.
    """

    def __init__(
        self,
        processes: Sequence[StubProcess],
        tables: Sequence[str],
        settings: Settings | None = None,
        *,
        duties: Iterable[Duty] = (),
        timing: Timing | None = None,
    ) -> None:
        settings, timing = settings or Settings(), timing or Timing()
        self.told: list[Event] = []
        self.stop = StopRequest()
        self.watched = Watched()
        self.tally = Tally()
        policies = load_policies(settings)
        desk = Desk(None, None, {}, policies, self.stop, timing, self.told.append)

        def may_work_on(table: str) -> bool:
            return all(policy.why_not(table) is None for policy in policies)

        slots = [
            Slot(
                process,
                passes(tables, timing.slice_s, may_work_on, has_first=bool(settings.first)),
                duties,
            )
            for process in processes
        ]
        self._supervisor = Supervisor(
            desk, slots, self.watched, self.watched, self.tally, lambda _processes, _timeout_s: None
        )

    def run(self, *, once: bool = True, idle_s: float = 0.0) -> None:
        self._supervisor.run(once=once, idle_s=idle_s)


def making(jobs: dict[str, int], *, pid: int = 1) -> Script:
    """Return a script that makes so many jobs of each table, and then finds none."""

    def script(order: Order | Errand) -> Iterable[Report]:
        table = order.subject
        if not jobs.get(table):
            yield Finished(table, None, Fate.NOTHING)
            return
        jobs[table] -= 1
        key = {"number": jobs[table]}
        yield Started(table, key, pid)
        yield Finished(table, key, Fate.DONE, duration_s=0.1)

    return script
