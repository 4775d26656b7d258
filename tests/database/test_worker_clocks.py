"""Clocks of workers' machines may be ten minutes wrong: all times are the server's."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from imaging_pipeline.config.config import Config
from imaging_pipeline.workers.messages import Finished, Outcome
from tests.makers.other_clock import clock_off_by
from tests.makers.toy_tables import FIRST
from tests.makers.toy_workers import Toy, ToyWorker, declared_toy, wait_until

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the toy jobs kill by POSIX signals")

AHEAD, BEHIND = 10, -10
BEAT_S = 2.0
COPYING = 23


@pytest.fixture
def toy(server_config: Config, tmp_path: Path) -> Iterator[Toy]:
    """Return the toy tables, empty."""
    with declared_toy(server_config, "toy_clocks", tmp_path) as toy:
        yield toy


@pytest.fixture
def workers(toy: Toy) -> list[ToyWorker]:
    """Return two workers, on machines whose clocks are twenty minutes apart."""
    return [worker(toy, minutes) for minutes in (BEHIND, AHEAD)]


def worker(toy: Toy, minutes: int) -> ToyWorker:
    """Start a worker on a machine whose clock is wrong by so much."""
    with clock_off_by(minutes):
        spawned = multiprocessing.get_context("spawn")
        return toy.work(lanes=(FIRST,), once=False, processes=spawned, heartbeat_s=BEAT_S)


def is_off(pid: int) -> bool:
    """Return True if a process sees another clock than ours."""
    return "FAKETIME" in psutil.Process(pid).environ()


def beats(toy: Toy) -> dict[str, object]:
    """Return when each worker last gave a sign of life."""
    return {row["worker_name"]: row["worker_heartbeat"] for row in toy.tables.Worker().to_dicts()}


def kill_who_makes(toy: Toy, number: int) -> None:
    """Kill the worker that has a sample's job, without a chance to give it back."""
    job_process = psutil.Process(toy.reserved_by(number))
    supervisor = job_process.parent()
    assert supervisor
    supervisor.suspend()
    job_process.kill()
    supervisor.kill()


@pytest.mark.slow(reason="each worker is a process with a clock of its own, and one has to be found dead")
def test_workers_whose_clocks_differ_make_each_key_once_and_take_none_but_the_dead_for_dead(
    toy: Toy, workers: list[ToyWorker]
) -> None:
    toy.add("gate", "gate", "gate", *["quick"] * 20, "copying")
    for number in (0, 1):
        toy.wait_for_gate(number)
        assert is_off(toy.reserved_by(number))
    # Each is at work, and looks whether the other is dead.
    for _ in range(2):
        before = beats(toy)
        wait_until(lambda before=before: all(beats(toy)[name] != beat for name, beat in before.items()))
    for number in (0, 1):
        toy.open_gate(number)
    toy.wait_for_gate(2)
    wait_until(lambda: len(toy.measured()) == 22 and toy.job(COPYING)["error_message"])
    # What waits is not tried before its time, by whichever clock.
    assert sorted(toy.computed()) == list(range(24))
    kill_who_makes(toy, 2)
    toy.open_gate(2)
    wait_until(lambda: len(toy.measured()) == 23)
    assert sorted(toy.computed()) == sorted([*range(24), 2])
    events = [event for worker in workers for event in worker.events()]
    outcomes = [event.outcome for event in events if isinstance(event, Finished)]
    assert (outcomes.count(Outcome.DONE), outcomes.count(Outcome.WAITING), len(outcomes)) == (23, 1, 24)
