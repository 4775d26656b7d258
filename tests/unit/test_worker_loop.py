"""The loop of a worker, without processes and without a database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

import pytest

from imaging_pipeline.errors import DatabaseError
from imaging_pipeline.lanes import Need, PeriodicTask
from imaging_pipeline.living_worker import Lack
from imaging_pipeline.progress import Progress
from imaging_pipeline.workers.abilities import Abilities
from imaging_pipeline.workers.messages import (
    AbilitiesChanged,
    Advanced,
    Finished,
    Idle,
    Note,
    Order,
    Outcome,
    ProcessEnded,
    Report,
    Started,
    TaskOrder,
)
from imaging_pipeline.workers.settings import Settings, Timing
from imaging_pipeline.workers.slot import Slot
from imaging_pipeline.workers.turns import PassEnded, passes
from tests.makers.stub_process import StubProcess, StubWorker, making

TABLES = ("m:A", "m:B")
KEY = {"number": 0}


def outcomes(worker: StubWorker) -> Counter[Outcome]:
    return Counter(event.outcome for event in worker.events if isinstance(event, Finished))


def notes(worker: StubWorker) -> list[str]:
    return [event.message for event in worker.events if isinstance(event, Note)]


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_each_table_has_its_turn_until_it_has_no_job() -> None:
    orders = passes(TABLES, 60.0, lambda _table: True)
    assert next(orders) == Order("m:A", search=True)
    assert orders.send(Finished("m:A", KEY, Outcome.DONE)) == Order("m:A", search=False)
    assert orders.send(Finished("m:A", None, Outcome.NOTHING)) == Order("m:B", search=True)
    assert orders.send(Finished("m:B", None, Outcome.NOTHING)) == PassEnded(worked=True)
    assert orders.send(None) == Order("m:A", search=True)


def test_a_long_queue_of_one_table_keeps_the_others_waiting_for_a_turn_only() -> None:
    clock = Clock()
    orders = passes(TABLES, 60.0, lambda _table: True, now=clock)
    assert next(orders) == Order("m:A", search=True)
    clock.now = 59.0
    assert orders.send(Finished("m:A", KEY, Outcome.DONE)) == Order("m:A", search=False)
    clock.now = 61.0
    assert orders.send(Finished("m:A", KEY, Outcome.DONE)) == Order("m:B", search=True)


def test_jobs_that_are_to_be_first_are_done_in_all_tables_before_any_other() -> None:
    orders = passes(TABLES, 60.0, lambda _table: True, has_first=True)
    steps = [next(orders)]
    for outcome in (Outcome.NOTHING, Outcome.DONE, *[Outcome.NOTHING] * 5):
        table = steps[-1].table if isinstance(steps[-1], Order) else ""
        steps.append(orders.send(Finished(table, KEY, outcome)))
    assert [(each.table, each.only_first) for each in steps if isinstance(each, Order)] == [
        ("m:A", True),
        ("m:B", True),
        ("m:B", True),
        ("m:A", True),
        ("m:B", True),
        ("m:A", False),
        ("m:B", False),
    ]
    assert steps[-1] == PassEnded(worked=True)


def test_a_table_that_is_to_be_left_alone_gets_no_order() -> None:
    assert next(passes(TABLES, 60.0, lambda table: table == "m:B")) == Order("m:B", search=True)


def test_once_ends_when_a_pass_over_all_tables_did_nothing() -> None:
    worker = StubWorker([StubProcess(1, making({"m:A": 2, "m:B": 3}))], TABLES)
    worker.run()
    assert outcomes(worker) == {Outcome.DONE: 5}
    assert isinstance(worker.events[-1], Idle)


def test_several_processes_work_at_a_time_and_once_ends_when_none_finds_anything() -> None:
    jobs = {"m:A": 7, "m:B": 2}
    processes = [StubProcess(number, making(jobs, pid=number)) for number in (1, 2, 3)]
    worker = StubWorker(processes, TABLES)
    worker.run()
    assert outcomes(worker) == {Outcome.DONE: 9}
    assert all(Order("m:A", search=True) in process.orders for process in processes)


def test_what_one_process_makes_is_work_for_another_that_had_found_nothing() -> None:
    jobs = {"m:A": 0, "m:B": 0}
    second = StubProcess(2, making(jobs))

    def script(order: Order | TaskOrder) -> Iterable[Report]:
        if first.orders == [order]:
            yield Started("m:A", KEY, 1)
            jobs["m:B"] = 1  # comes of it
            yield Finished("m:A", KEY, Outcome.DONE)
        else:
            yield Finished(order.subject, None, Outcome.NOTHING)

    first = StubProcess(1, script)
    worker = StubWorker([first, second], TABLES)
    worker.run()
    assert jobs["m:B"] == 0
    assert outcomes(worker) == {Outcome.DONE: 2}


def test_a_loop_goes_on_until_it_is_told_to_stop() -> None:
    worker = StubWorker([StubProcess(1, making({"m:A": 1}))], TABLES)
    events = worker.events

    def stop_when_idle_twice(order: Order | TaskOrder) -> Iterable[Report]:
        if sum(isinstance(event, Idle) for event in events) == 2:
            worker.stop.ask()
        yield Finished(order.subject, None, Outcome.NOTHING)

    worker = StubWorker([StubProcess(1, stop_when_idle_twice)], TABLES)
    events = worker.events
    worker.run(once=False)
    assert sum(isinstance(event, Idle) for event in events) == 2


def stuck(order: Order | TaskOrder) -> Iterator[Report]:
    """Begin a job that does not end by itself."""
    yield Started(order.subject, KEY, 1)


def stopping_at_once(worker: StubWorker) -> StubWorker:
    worker.stop.ask()
    return worker


def begun(process: StubProcess, *, times: int = 1, **timing: float) -> StubWorker:
    """Return a worker that is asked to stop, once or twice, as soon as its process has begun a job."""
    worker = StubWorker([process], TABLES, timing=Timing(**timing))
    order = process.order

    def ask(next_order: Order | TaskOrder) -> None:
        order(next_order)
        for _ in range(times):
            worker.stop.ask()

    process.order = ask  # type: ignore[method-assign]
    return worker


def test_a_long_job_is_interrupted_when_its_time_to_finish_is_over() -> None:
    process = StubProcess(1, stuck)
    worker = begun(process, finish_s=0.0)
    worker.run(once=False)
    assert outcomes(worker) == {Outcome.INTERRUPTED: 1}
    assert not process.was_killed
    assert notes(worker) == ["Stopping: what runs has 0 s to finish."]


def test_a_job_that_sees_no_signal_is_killed_and_settled() -> None:
    process = StubProcess(1, stuck)
    process.ignores_interrupts = True
    worker = begun(process, finish_s=0.0, give_back_s=0.01)
    worker.run(once=False)
    assert process.was_killed
    assert worker.recorded.settled == [("m:A", KEY)]


def test_a_second_signal_waits_neither_for_the_job_nor_long_for_what_it_gives_back() -> None:
    process = StubProcess(1, stuck)
    process.ignores_interrupts = True
    worker = begun(process, times=2, finish_s=1000.0, give_back_s=1000.0, at_once_s=0.01)
    worker.run(once=False)
    assert process.was_killed


def test_a_worker_that_is_asked_to_stop_while_nothing_runs_ends_without_a_word() -> None:
    worker = stopping_at_once(StubWorker([StubProcess(1, stuck)], TABLES))
    worker.run(once=False)
    assert worker.events == []


def test_a_worker_with_a_number_of_jobs_ends_after_them() -> None:
    jobs = {"m:A": 5}
    processes = [StubProcess(number, making(jobs)) for number in (1, 2)]
    worker = StubWorker(processes, TABLES, Settings(max_jobs=3))
    worker.run(once=False)
    assert outcomes(worker) == {Outcome.DONE: 3}
    assert notes(worker) == ["No further job is begun: --max-jobs 3."]


def test_the_job_of_a_process_that_dies_is_settled_and_the_next_order_goes_on() -> None:
    deaths = [ProcessEnded(1, -9)]

    def script(order: Order | TaskOrder) -> Iterable[Report | ProcessEnded]:
        if deaths:
            return [Started("m:A", KEY, 1), deaths.pop()]
        return [Finished(order.subject, None, Outcome.NOTHING)]

    worker = StubWorker([StubProcess(1, script)], TABLES)
    worker.run()
    assert worker.recorded.settled == [("m:A", KEY)]
    assert outcomes(worker) == {Outcome.CRASHED: 1}


def test_a_process_that_cannot_even_begin_makes_once_give_up_and_a_loop_wait() -> None:
    dying = StubProcess(1, lambda _order: [ProcessEnded(1, 1)])
    worker = StubWorker([dying], TABLES, timing=Timing(longest_pause_s=0.0))
    with pytest.raises(DatabaseError, match="could not work 6 times in a row"):
        worker.run()


def test_a_loop_outlasts_any_number_of_failures() -> None:
    """With a minute between attempts, a day without a database is 1,440 of them."""
    remaining = [1440]

    def script(order: Order | TaskOrder) -> Iterable[Report]:
        remaining[0] -= 1
        if not remaining[0]:
            worker.stop.ask()
        yield Finished("m:A", None, Outcome.DISCONNECTED, "no database")

    worker = StubWorker([StubProcess(1, script)], TABLES[:1], timing=Timing(longest_pause_s=0.0))
    worker.run(once=False)
    assert remaining == [0]


def test_what_lasts_is_reported_once() -> None:
    remaining = [3]

    def script(order: Order | TaskOrder) -> Iterable[Report]:
        remaining[0] -= 1
        if not remaining[0]:
            worker.stop.ask()
        yield Finished("m:A", None, Outcome.FAILED, "no such table")

    worker = StubWorker([StubProcess(1, script)], TABLES[:1])
    worker.run(once=False)
    assert outcomes(worker) == {Outcome.FAILED: 1}


def test_what_the_machine_lacks_is_reported_and_shown_to_others() -> None:
    lack = Lack(Need.SUITE2P, "", "Suite2p 1.x is not installed", "Install it.")
    changes = [AbilitiesChanged(Abilities((lack,))), AbilitiesChanged(Abilities())]

    def script(order: Order | TaskOrder) -> Iterable[Report]:
        yield from changes
        changes.clear()
        yield Finished(order.subject, None, Outcome.NOTHING)

    worker = StubWorker([StubProcess(1, script)], TABLES)
    worker.run()
    assert notes(worker) == [
        "Suite2p 1.x is not installed. Jobs that need it are left to other workers. What to do: Install it.",
        "The suite2p is there again.",
    ]
    assert worker.recorded.abilities == Abilities()


def test_a_periodic_task_is_called_when_it_is_due_and_what_it_does_is_reported() -> None:
    calls = []

    def script(order: Order | TaskOrder) -> Iterable[Report]:
        if isinstance(order, TaskOrder):
            calls.append(order.function)
            yield Finished(order.function, None, Outcome.DONE, "3 animals are new.")
        else:
            yield Finished(order.subject, None, Outcome.NOTHING)

    tasks = [PeriodicTask("m:sync", every_s=1000.0)]
    worker = StubWorker([StubProcess(1, script)], TABLES, periodic_tasks=tasks)
    worker.run()
    assert calls == ["m:sync"]
    assert [event.message for event in worker.events if isinstance(event, Finished)] == ["3 animals are new."]


def test_a_process_that_hangs_before_it_has_a_job_is_shown_as_looking_for_one() -> None:
    hanging = StubProcess(7, lambda _order: [])
    slot = Slot(hanging, passes(("module.imaging:Tif",), 60.0, lambda _table: True), long_s=0.0)
    assert slot.doing() == ""
    slot.next()
    assert slot.doing() == "imaging.Tif: has looked for jobs for 0.0 s, as where a share hangs"
    slot.finish(Finished("module.imaging:Tif", None, Outcome.NOTHING))
    assert slot.doing() == ""


@pytest.mark.parametrize(
    ("progress", "shown"),
    [
        (Progress("reading", 0, 4), "reading 0 of 4"),
        (Progress("listing", 3), "listing 3"),
        (Progress("hashing"), "hashing"),
    ],
)
def test_the_heartbeat_shows_what_each_process_does(progress: Progress, shown: str) -> None:
    def script(order: Order | TaskOrder) -> Iterable[Report]:
        worker.stop.ask()
        key = {"session_name": "abc"}
        yield Started("module.imaging:Tif", key, 1)
        yield Advanced("module.imaging:Tif", key, progress)

    process = StubProcess(7, script)
    process.ignores_interrupts = True
    worker = StubWorker([process], TABLES, timing=Timing(finish_s=0.0, give_back_s=0.0))
    seen = []
    worker.recorded.set_doing = seen.append  # type: ignore[method-assign]
    worker.run(once=False)
    assert {7: f"imaging.Tif abc: {shown}"} in seen
