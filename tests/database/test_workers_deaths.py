"""Workers and job processes that die, are suspended or are told to stop, on both backends."""

from __future__ import annotations

import os
import platform
import signal
from pathlib import Path

import psutil
import pytest

from imaging_pipeline.errors import Responsible, parse_message
from imaging_pipeline.workers.dead_workers import server_up_s
from imaging_pipeline.workers.messages import Event, Note, Outcome
from imaging_pipeline.workers.settings import Settings
from imaging_pipeline.workers.worker_rows import machine_hash
from tests.makers.living import add_worker
from tests.makers.toy_tables import FIRST
from tests.makers.toy_workers import Toy, has_ended, outcomes, wait_until

pytestmark = pytest.mark.skipif(os.name == "nt", reason="processes are killed by POSIX signals")

# No process has this number: the system's largest is lower.
NO_PID = 2**30


def notes(events: list[Event]) -> str:
    return "\n".join(event.message for event in events if isinstance(event, Note))


def test_a_job_whose_process_is_killed_is_made_once_afterwards_and_its_row_tells(toy: Toy) -> None:
    toy.add("gate")
    left = []

    def kill(events: list[Event]) -> None:
        toy.wait_for_gate(0)
        os.kill(toy.reserved_by(0), signal.SIGKILL)
        wait_until(lambda: Outcome.CRASHED in outcomes(events))
        left.append(toy.job(0))
        toy.open_gate(0)

    assert toy.run(kill).summary.done == 2
    assert toy.computed() == [0, 0]
    assert left[0]["error_message"] == (
        "Attempt 1, deaths 1: The job's process died (SIGKILL). What to do: Nothing yet; after 3 deaths it"
        " becomes an error. It is tried again by itself."
    )
    assert (toy.job(0)["status"], toy.job(0)["error_message"]) == ("success", "")


def test_when_the_supervisor_is_killed_the_next_worker_makes_the_job(toy: Toy) -> None:
    toy.add("gate")
    worker = toy.work()
    toy.wait_for_gate(0)
    job_process = toy.reserved_by(0)
    os.kill(worker.process.pid, signal.SIGKILL)
    wait_until(lambda: has_ended(job_process))
    assert toy.job(0)["status"] == "pending"
    toy.open_gate(0)
    assert toy.run().summary.done == 2
    assert toy.measured() == [0]


def test_when_supervisor_and_job_process_are_killed_the_next_worker_here_makes_the_job(toy: Toy) -> None:
    toy.add("gate")
    worker = toy.work(heartbeat_s=1000.0)
    toy.wait_for_gate(0)
    supervisor, job_process = worker.processes()
    supervisor.suspend()
    job_process.kill()
    supervisor.kill()
    wait_until(lambda: has_ended(job_process.pid))
    worker.process.join()
    assert toy.job(0)["status"] == "reserved"
    toy.open_gate(0)
    ran = toy.run()
    assert ran.summary.done == 2
    assert f"died: its process {supervisor.pid} is gone." in notes(ran.events)
    assert len(toy.tables.Worker()) == 0


def elsewhere(toy: Toy, name: str, number: int, **columns: object) -> None:
    """Let a worker on another machine have reserved a sample's job."""
    # A server that was started a moment ago would not have heard it for longer.
    row = {"worker_silent_after": 0.5, **columns}
    add_worker(toy.tables.Worker, name, "first,second", processes={NO_PID: ""}, **row)
    toy.reserve(number, host=name, pid=NO_PID, version=name)


def test_a_worker_elsewhere_that_missed_its_beats_loses_its_job_once_and_with_a_note(toy: Toy) -> None:
    toy.add("gate")
    elsewhere(toy, "vm7", 0, silent_for_s=60)
    messages = []

    def look(_events: list[Event]) -> None:
        toy.wait_for_gate(0)
        messages.append(toy.job(0)["error_message"])
        toy.open_gate(0)

    ran = toy.run(look)
    assert toy.measured() == [0]
    message = parse_message(messages[0])
    assert (message.deaths, message.responsible) == (1, Responsible.RETRY)
    assert message.what.startswith("The worker vm7 on vm7 gave no sign of life for 6")
    assert notes(ran.events).count("gave no sign of life") == 2  # of the worker, and of its job
    assert len(toy.tables.Worker()) == len(toy.tables.Worker.Process()) == 0


def test_a_server_whose_clock_is_set_forward_makes_nobody_dead(toy: Toy) -> None:
    toy.add("quick", "gate")
    elsewhere(toy, "vm7", 0, worker_silent_after=3.0, silent_for_s=-300.0)  # it beats until then
    worker = toy.tables.Worker
    connection = worker().connection
    ago = connection.adapter.interval_expr(600, "second")
    wait_until(lambda: server_up_s(connection) > 3.0)

    def set_clock(_events: list[Event]) -> None:
        toy.wait_for_gate(1)
        name = (worker - {"worker_name": "vm7"}).fetch1("worker_name")
        own = worker & {"worker_name": name}
        connection.query(f"UPDATE {worker.full_table_name} SET worker_heartbeat = worker_heartbeat - {ago}")
        for _ in range(3):
            before = own.fetch1("worker_heartbeat")
            wait_until(lambda before=before: own.fetch1("worker_heartbeat") > before)
        toy.open_gate(1)

    toy.run(set_clock, lanes=(FIRST,))
    assert len(worker & {"worker_name": "vm7"}) == 1
    assert (toy.job(0)["status"], toy.job(0)["host"]) == ("reserved", "vm7")


def test_a_long_job_elsewhere_that_beats_is_never_taken(toy: Toy) -> None:
    toy.add("quick")
    elsewhere(toy, "vm7", 0, worker_silent_after=1000.0, silent_for_s=900)
    jobs = toy.tables.Measurement.jobs
    ago = jobs.adapter.interval_expr(30 * 86400, "second")
    jobs.connection.query(f"UPDATE {jobs.full_table_name} SET reserved_time = reserved_time - {ago}")
    ran = toy.run(lanes=(FIRST,))
    assert "1 being made by another worker" in str(ran.summary)
    assert (toy.job(0)["status"], toy.job(0)["host"]) == ("reserved", "vm7")


def test_the_third_death_of_a_job_is_its_error_whichever_workers_died_of_it(toy: Toy) -> None:
    toy.add("quick")
    for name in ("vm7", "vm8", "vm9"):
        elsewhere(toy, name, 0, silent_for_s=60)
        toy.run(lanes=(FIRST,), settings=Settings(priority=0))
    job = toy.job(0)
    assert job["status"] == "error"
    message = parse_message(job["error_message"])
    assert message.what.endswith(", 3 times in a row.")
    assert message.responsible is Responsible.ADMINISTRATOR
    assert toy.computed() == []


def test_two_workers_that_find_a_dead_one_take_its_job_once(toy: Toy) -> None:
    toy.add("quick")
    elsewhere(toy, "vm7", 0, silent_for_s=60)
    other = toy.work()
    toy.run()
    other.summary()
    assert toy.computed() == [0]


def test_what_a_person_populates_by_hand_elsewhere_is_left_alone(toy: Toy) -> None:
    toy.add("quick", "quick")
    toy.reserve(0, host="office", pid=NO_PID)
    toy.run(lanes=(FIRST,))
    assert toy.job(0)["status"] == "reserved"
    assert toy.measured() == [1]


def test_what_a_person_populated_by_hand_here_is_made_when_that_process_is_gone(toy: Toy) -> None:
    toy.add("quick")
    toy.reserve(0, host=platform.node(), pid=NO_PID)
    toy.run()
    assert toy.measured() == [0]


def test_a_machine_of_the_same_name_is_not_taken_for_this_one(toy: Toy) -> None:
    toy.add("quick")
    row = {"worker_host": platform.node(), "worker_pid": NO_PID, "worker_silent_after": 1000.0}
    elsewhere(toy, "vm7", 0, **row)
    toy.run(lanes=(FIRST,))
    assert toy.job(0)["status"] == "reserved"
    workers = toy.tables.Worker()
    workers.update1({"worker_name": "vm7", "worker_machine": machine_hash()})
    toy.run(lanes=(FIRST,))
    assert toy.measured() == [0]


def test_a_restricted_worker_takes_only_its_own_jobs_from_the_dead(toy: Toy) -> None:
    toy.add("quick", "quick")
    elsewhere(toy, "vm7", 0, silent_for_s=60)
    toy.reserve(1, host="vm7", pid=NO_PID, version="vm7")
    toy.run(lanes=(FIRST,), settings=Settings(restriction="sample_id = 1"))
    assert toy.measured() == [1]
    assert (toy.job(0)["status"], toy.job(0)["version"]) == ("reserved", "vm7")
    toy.run(lanes=(FIRST,))
    assert toy.measured() == [0, 1]


def test_a_suspended_worker_that_wakes_finds_its_job_made_and_discards_its_own(toy: Toy) -> None:
    toy.add("gate")
    sleeper = toy.work(once=False)
    toy.wait_for_gate(0)
    row = wait_until(toy.tables.Worker().to_dicts)[0]
    asleep = sleeper.processes()
    for process in asleep:
        process.suspend()
    (toy.config.folder / "0.begun").unlink()

    def wake(_events: list[Event]) -> None:
        toy.wait_for_gate(0)
        toy.open_gate(0)
        wait_until(toy.measured)
        for process in asleep:
            process.resume()
        wait_until(lambda: Outcome.LOST in outcomes(sleeper.events()))
        wait_until(lambda: toy.tables.Worker & {"worker_name": row["worker_name"]})

    ran = toy.run(wake, once=False)
    assert "gave no sign of life" in notes(ran.events)
    sleeper.process.terminate()
    assert sleeper.summary().errors == 0
    assert toy.measured() == [0]
    assert (toy.job(0)["status"], toy.computed()) == ("success", [0, 0])


def test_a_job_whose_reservation_was_taken_away_inserts_nothing(toy: Toy) -> None:
    toy.add("gate")

    def take(events: list[Event]) -> None:
        toy.wait_for_gate(0)
        add_worker(toy.tables.Worker, "vm7", "first")
        toy.tables.Measurement.jobs.update1({"sample_id": 0, "host": "vm7", "pid": 4711, "version": "vm7"})
        toy.open_gate(0)
        wait_until(lambda: Outcome.LOST in outcomes(events))

    ran = toy.run(take, once=False)
    assert toy.measured() == []
    job = toy.job(0)
    assert (job["status"], job["host"], job["pid"]) == ("reserved", "vm7", 4711)
    assert "1 being made by another worker" in str(ran.summary)


def stop(toy: Toy, *signals: int) -> None:
    toy.wait_for_gate(0)
    for number in signals:
        os.kill(os.getpid(), number)


def test_a_worker_that_is_told_to_stop_gives_its_job_back_as_it_was(toy: Toy) -> None:
    toy.add("gate")
    ran = toy.run(lambda _events: stop(toy, signal.SIGTERM), finish_s=0.0)
    assert (ran.summary.done, ran.summary.errors) == (0, 0)
    assert "1 not begun" in str(ran.summary)
    assert (toy.job(0)["status"], toy.job(0)["error_message"]) == ("pending", "")


def test_a_worker_that_is_told_to_stop_lets_a_short_job_finish(toy: Toy) -> None:
    toy.add("gate", "gate")

    def finish(_events: list[Event]) -> None:
        wait_until(lambda: any(toy.config.folder.glob("*.begun")))
        os.kill(os.getpid(), signal.SIGINT)
        for number in range(2):
            toy.open_gate(number)

    assert toy.run(finish, finish_s=30.0).summary.done == 1
    (made,) = toy.measured()
    assert toy.job(1 - made)["status"] == "pending"


def test_asking_twice_does_not_wait_for_the_job(toy: Toy) -> None:
    toy.add("gate")
    toy.run(lambda _events: stop(toy, signal.SIGINT, signal.SIGTERM), finish_s=1000.0)
    assert toy.job(0)["status"] == "pending"


def test_a_job_that_sees_no_signal_is_killed_when_the_worker_is_told_to_stop(toy: Toy) -> None:
    toy.add("ignoring signals")
    ran = toy.run(lambda _events: stop(toy, signal.SIGTERM), give_back_s=0.5)
    assert "1 not begun" in str(ran.summary)
    assert (toy.job(0)["status"], toy.job(0)["error_message"]) == ("pending", "")


def test_a_job_process_that_gets_the_signal_itself_gives_its_job_back(toy: Toy) -> None:
    toy.add("gate")

    def end(events: list[Event]) -> None:
        toy.wait_for_gate(0)
        os.kill(toy.reserved_by(0), signal.SIGTERM)
        wait_until(lambda: Outcome.INTERRUPTED in outcomes(events))
        toy.open_gate(0)

    assert toy.run(end).summary.done == 2


def test_no_process_is_left_when_a_worker_has_ended(toy: Toy, tmp_path: Path) -> None:
    toy.add("quick", "quick")
    made_by = []

    def look(_events: list[Event]) -> None:
        wait_until(lambda: len(toy.measured()) == 2)
        made_by.extend(int(pid) for pid in toy.tables.Measurement().to_arrays("made_by"))

    toy.run(look, once=False)
    assert not any(psutil.pid_exists(pid) and not has_ended(pid) for pid in made_by)
