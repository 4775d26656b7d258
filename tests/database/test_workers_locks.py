"""Workers that the transactions of others block, on both backends."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest

from imaging_pipeline.workers.messages import Event, Note, Outcome
from tests.makers.living import add_worker
from tests.makers.processes import fast_processes
from tests.makers.toy_tables import FIRST, ToyPipelineTables
from tests.makers.toy_workers import Toy, outcomes, wait_until

pytestmark = pytest.mark.skipif(os.name == "nt", reason="processes are ended by POSIX signals")


class Impatient(ToyPipelineTables):
    """Tables whose connections wait for no lock for long."""

    def connect(self, config: Any) -> Any:
        connection = super().connect(config)
        is_postgresql = connection.adapter.backend == "postgresql"
        connection.query(f"SET {'lock_timeout' if is_postgresql else 'innodb_lock_wait_timeout'} = 1")
        return connection


IMPATIENT = Impatient(fast_processes().get_start_method())


def test_a_worker_that_is_kept_from_the_jobs_of_the_dead_works_on_and_takes_them_later(toy: Toy) -> None:
    toy.add("quick", "quick")
    add_worker(toy.tables.Worker, "vm7", "first", silent_for_s=60, worker_silent_after=0.5)
    toy.reserve(0, host="vm7", version="vm7")
    jobs = toy.tables.Measurement.jobs

    def stand_in_the_way(events: list[Event]) -> None:
        with jobs.connection.transaction:
            jobs.connection.query(f"SELECT 1 FROM {jobs.full_table_name} WHERE sample_id=0 FOR UPDATE")
            wait_until(
                lambda: any(isinstance(event, Note) and "refused" in event.message for event in events)
            )
        wait_until(lambda: outcomes(events).count(Outcome.DONE) == 2)

    toy.run(stand_in_the_way, lanes=(FIRST,), once=False, tables=IMPATIENT)
    assert toy.measured() == [0, 1]


def test_a_worker_that_is_kept_from_a_job_for_a_moment_does_it_although_it_works_once(toy: Toy) -> None:
    toy.add("quick")
    jobs = toy.tables.Measurement.jobs
    jobs.insert1({"sample_id": 0, "status": "pending", "priority": 5})
    jobs.connection.query(f"UPDATE {jobs.full_table_name} SET scheduled_time='2024-05-17'")
    jobs.connection.start_transaction()
    jobs.connection.query(f"SELECT 1 FROM {jobs.full_table_name} WHERE sample_id=0 FOR UPDATE")

    def step_aside(events: list[Event]) -> None:
        try:
            wait_until(lambda: outcomes(events))
        finally:
            jobs.connection.cancel_transaction()

    ran = toy.run(step_aside, lanes=(FIRST,), tables=IMPATIENT)
    assert ran.outcomes == [Outcome.DISCONNECTED, Outcome.DONE]
    assert toy.measured() == [0]


def test_a_job_that_cannot_be_given_back_for_a_moment_is_later_and_nobody_died_of_it(toy: Toy) -> None:
    toy.add("gate")
    jobs = toy.tables.Measurement.jobs

    def stop_job(events: list[Event]) -> None:
        toy.wait_for_gate(0)
        with jobs.connection.transaction:
            jobs.connection.query(f"SELECT 1 FROM {jobs.full_table_name} WHERE sample_id=0 FOR UPDATE")
            os.kill(toy.reserved_by(0), signal.SIGTERM)
            wait_until(lambda: outcomes(events))
        toy.open_gate(0)

    ran = toy.run(stop_job, lanes=(FIRST,), tables=IMPATIENT)
    assert set(ran.outcomes) == {Outcome.DISCONNECTED, Outcome.DONE}
    assert toy.measured() == [0]
