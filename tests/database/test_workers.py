"""Workers on both backends: every job is made once, and no trouble of one is another's."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from imaging_pipeline.config import Config
from imaging_pipeline.workers.connection import revive
from imaging_pipeline.workers.messages import Advanced, Fate, Finished
from tests.makers.server_process import ServerProcess
from tests.makers.toy_tables import FIRST
from tests.makers.toy_workers import Toy, declared_toy, has_ended, wait_until

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the toy jobs kill by POSIX signals")


@pytest.fixture
def toy(server_config: Config, tmp_path: Path) -> Iterator[Toy]:
    """Give the toy tables, empty."""
    with declared_toy(server_config, "toy", tmp_path) as toy:
        yield toy


def fates(told: list[object]) -> list[Fate]:
    return [event.fate for event in told if isinstance(event, Finished)]


def test_once_makes_everything_in_all_lanes_and_ends(toy: Toy) -> None:
    toy.add("quick", "quick", "quick")
    summary = toy.work().summary()
    assert (summary.done, summary.errors, summary.left) == (6, 0, ())
    assert toy.measured() == [0, 1, 2]
    assert len(toy.tables.Summary()) == 3


def test_finished_jobs_are_kept_with_their_durations(toy: Toy) -> None:
    toy.add("quick")
    toy.work().summary()
    assert toy.job(0)["status"] == "success"
    assert toy.job(0)["duration"] > 0


def test_an_error_is_kept_and_the_others_go_on(toy: Toy) -> None:
    toy.add("quick", "bad", "quick")
    summary = toy.work().summary()
    assert (summary.done, summary.errors, summary.left) == (4, 1, ())
    assert toy.measured() == [0, 2]
    assert toy.job(1)["status"] == "error"
    assert toy.job(1)["error_message"].startswith("FormatError: The stack is damaged. File: a.tif.")
    assert "make_compute" in toy.job(1)["error_stack"]


def test_an_error_from_before_is_not_tried_again_and_is_named(toy: Toy) -> None:
    toy.add("bad")
    toy.work().summary()
    assert "1 with an error from before" in str(toy.work().summary())
    assert toy.computed() == [0]


def test_a_job_whose_process_is_killed_is_made_once_afterwards(toy: Toy) -> None:
    toy.add("gate")
    worker = toy.work()
    toy.wait_for_gate(0)
    os.kill(toy.reserved_by(0), signal.SIGKILL)
    wait_until(lambda: Fate.CRASHED in fates(worker.told()))
    toy.open_gate(0)
    assert worker.summary().done == 2
    assert toy.computed() == [0, 0]
    assert toy.job(0)["status"] == "success"


def test_a_job_that_always_kills_its_process_becomes_an_error(toy: Toy) -> None:
    toy.add("deadly", "quick")
    summary = toy.work(lanes=(FIRST,)).summary()
    assert (summary.done, summary.errors) == (1, 1)
    assert "died (SIGKILL), 3 times in a row" in toy.job(0)["error_message"]


def test_when_the_supervisor_is_killed_the_next_worker_makes_the_job(toy: Toy) -> None:
    toy.add("gate")
    worker = toy.work()
    toy.wait_for_gate(0)
    job_process = toy.reserved_by(0)
    os.kill(worker.process.pid, signal.SIGKILL)
    wait_until(lambda: has_ended(job_process))
    assert toy.job(0)["status"] == "pending"
    toy.open_gate(0)
    assert toy.work().summary().done == 2
    assert toy.measured() == [0]


def test_when_supervisor_and_job_process_are_killed_the_next_worker_makes_the_job(toy: Toy) -> None:
    toy.add("gate")
    worker = toy.work()
    toy.wait_for_gate(0)
    job_process = toy.reserved_by(0)
    psutil.Process(worker.process.pid).suspend()
    os.kill(job_process, signal.SIGKILL)
    os.kill(worker.process.pid, signal.SIGKILL)
    wait_until(lambda: has_ended(job_process))
    worker.process.join()
    assert toy.job(0)["status"] == "reserved"
    toy.open_gate(0)
    assert toy.work().summary().done == 2
    assert toy.measured() == [0]
    assert len(toy.tables.Worker()) == 0


def test_a_worker_that_is_told_to_stop_gives_its_job_back(toy: Toy) -> None:
    toy.add("gate")
    worker = toy.work()
    toy.wait_for_gate(0)
    os.kill(worker.process.pid, signal.SIGTERM)
    summary = worker.summary()
    assert (summary.done, summary.errors) == (0, 0)
    assert "1 not begun" in str(summary)
    assert toy.job(0)["status"] == "pending"
    assert toy.job(0)["error_message"] == ""


def test_a_worker_that_is_told_to_stop_lets_a_short_job_finish(toy: Toy) -> None:
    toy.add("gate", "quick")
    worker = toy.work(finish_s=30.0)
    toy.wait_for_gate(0)
    os.kill(worker.process.pid, signal.SIGTERM)
    toy.open_gate(0)
    assert worker.summary().done == 1
    assert toy.measured() == [0]
    assert toy.job(1)["status"] == "pending"


def test_asking_twice_does_not_wait_for_the_job(toy: Toy) -> None:
    toy.add("gate")
    worker = toy.work(finish_s=1000.0)
    toy.wait_for_gate(0)
    os.kill(worker.process.pid, signal.SIGINT)
    os.kill(worker.process.pid, signal.SIGTERM)
    worker.summary()
    assert toy.job(0)["status"] == "pending"


def test_a_job_that_hears_nothing_is_killed_when_the_worker_is_told_to_stop(toy: Toy) -> None:
    toy.add("deaf")
    worker = toy.work(give_back_s=0.5)
    toy.wait_for_gate(0)
    os.kill(worker.process.pid, signal.SIGTERM)
    assert "1 not begun" in str(worker.summary())
    assert toy.job(0)["status"] == "pending"


def test_a_library_that_ends_the_program_is_an_error_of_its_job_only(toy: Toy) -> None:
    toy.add("exits", "quick")
    summary = toy.work(lanes=(FIRST,)).summary()
    assert (summary.done, summary.errors) == (1, 1)
    assert toy.job(0)["error_message"] == "SystemExit: 3"


def test_a_job_process_that_gets_the_signal_itself_gives_its_job_back(toy: Toy) -> None:
    toy.add("gate")
    worker = toy.work()
    toy.wait_for_gate(0)
    os.kill(toy.reserved_by(0), signal.SIGTERM)
    wait_until(lambda: Fate.INTERRUPTED in fates(worker.told()))
    toy.open_gate(0)
    assert worker.summary().done == 2


def test_a_job_whose_reservation_was_taken_away_inserts_nothing(toy: Toy) -> None:
    toy.add("gate")
    worker = toy.work(once=False)
    toy.wait_for_gate(0)
    other = {"sample_id": 0, "host": "elsewhere", "pid": 4711}
    toy.tables.Measurement.jobs.update1(other)
    toy.open_gate(0)
    wait_until(lambda: Fate.LOST in fates(worker.told()))
    assert toy.measured() == []
    job = toy.job(0)
    assert (job["status"], job["host"], job["pid"]) == ("reserved", "elsewhere", 4711)
    os.kill(worker.process.pid, signal.SIGTERM)
    assert "1 being made by another worker" in str(worker.summary())


def test_a_job_whose_input_changed_meanwhile_is_made_again_from_what_there_is_now(toy: Toy) -> None:
    toy.add("gate")
    worker = toy.work()
    toy.wait_for_gate(0)
    toy.tables.Sample.update1({"sample_id": 0, "behaviour": "quick"})
    toy.open_gate(0)
    summary = worker.summary()
    assert (summary.done, summary.errors, summary.left) == (2, 0, ())
    assert toy.computed() == [0, 0]


def test_a_job_whose_input_was_purged_meanwhile_is_dropped(toy: Toy) -> None:
    toy.add("gate", "quick")
    worker = toy.work()
    toy.wait_for_gate(0)
    (toy.tables.Sample & {"sample_id": 0}).delete_quick()
    toy.open_gate(0)
    summary = worker.summary()
    assert (summary.done, summary.errors, summary.left) == (2, 0, ())
    assert Fate.GONE in fates(worker.told())
    assert toy.job(0)["status"] == "none"


def test_a_row_that_refers_to_nothing_is_tried_five_times_and_then_an_error(toy: Toy) -> None:
    toy.add("orphan", "quick")
    summary = toy.work(lanes=(FIRST,)).summary()
    assert (summary.done, summary.errors) == (1, 1)
    assert toy.computed().count(0) == 5
    assert toy.job(0)["error_message"].startswith("IntegrityError")


def test_two_workers_make_each_of_fifty_keys_once(toy: Toy) -> None:
    toy.add(*["quick"] * 50)
    workers = [toy.work(), toy.work()]
    summaries = [worker.summary() for worker in workers]
    assert toy.measured() == list(range(50))
    assert sorted(toy.computed()) == list(range(50))
    assert sum(summary.done for summary in summaries) == 100
    assert sum(summary.errors for summary in summaries) == 0


def test_what_is_still_being_copied_waits_with_its_reason(toy: Toy) -> None:
    toy.add("copying", "quick")
    summary = toy.work().summary()
    assert (summary.done, summary.errors) == (2, 0)
    assert "1 for later (Files are still being copied." in str(summary)
    assert toy.job(0)["status"] == "pending"
    assert toy.job(0)["scheduled_time"] > toy.job(0)["created_time"]
    assert toy.job(0)["error_message"].startswith("Files are still being copied.")
    assert toy.computed().count(0) == 1


def test_of_jobs_that_wait_for_several_reasons_one_is_told_as_the_last(toy: Toy) -> None:
    toy.add("unmounted", "unmounted", "copying")
    assert "3 for later (the last: Files are still being copied." in str(toy.work().summary())


def test_a_table_whose_package_is_missing_is_left_to_other_machines(toy: Toy) -> None:
    toy.add("lacking", "lacking")
    summary = toy.work().summary()
    assert (summary.done, summary.errors) == (0, 0)
    assert "2 not for this machine (Suite2p is not installed." in str(summary)
    assert [toy.job(number)["status"] for number in (0, 1)] == ["pending", "pending"]
    assert len(toy.computed()) == 1


def test_a_connection_that_is_lost_while_a_job_computes_is_made_again(toy: Toy) -> None:
    toy.add("gate", "quick")
    worker = toy.work(heartbeat_s=0.5)
    toy.wait_for_gate(0)
    cut_connections(toy)
    toy.open_gate(0)
    summary = worker.summary()
    assert (summary.done, summary.errors, summary.left) == (4, 0, ())
    assert sorted(toy.computed()) == [0, 1]


def test_a_loop_whose_connections_are_lost_while_it_waits_goes_on(toy: Toy) -> None:
    worker = toy.work(once=False)
    toy.add("quick")
    wait_until(lambda: len(toy.tables.Summary()))
    cut_connections(toy)
    toy.tables.Sample().insert1({"sample_id": 1, "behaviour": "quick"})
    wait_until(lambda: len(toy.tables.Summary()) == 2)
    os.kill(worker.process.pid, signal.SIGTERM)
    assert worker.summary().errors == 0


def test_the_heart_beats_while_a_job_computes_and_the_row_goes_in_the_end(toy: Toy) -> None:
    toy.add("gate")
    worker = toy.work()
    toy.wait_for_gate(0)
    wait_until(
        lambda: "waiting at the gate" in "".join(toy.tables.Worker.Process().to_arrays("process_doing"))
    )
    row = toy.tables.Worker().fetch1()
    assert (row["worker_pid"], row["worker_lanes"]) == (worker.process.pid, "first,second")
    wait_until(lambda: toy.tables.Worker().fetch1("worker_heartbeat") > row["worker_heartbeat"])
    toy.open_gate(0)
    worker.summary()
    assert len(toy.tables.Worker()) == 0


def test_progress_of_a_job_reaches_the_listener(toy: Toy) -> None:
    toy.add("quick")
    worker = toy.work()
    worker.summary()
    steps = [event.progress for event in worker.told() if isinstance(event, Advanced)]
    assert [(step.step, step.done, step.total) for step in steps][-1] == ("measuring", 3, 3)


def test_a_loop_finds_work_that_comes_later(toy: Toy) -> None:
    worker = toy.work(once=False)
    wait_until(lambda: len(toy.tables.Worker()))
    toy.add("quick")
    wait_until(lambda: len(toy.tables.Summary()))
    os.kill(worker.process.pid, signal.SIGTERM)
    assert worker.summary().done == 2


@pytest.fixture
def stoppable(server: ServerProcess, embedded_lab_config: Config, tmp_path: Path) -> Iterator[Toy]:
    """Give the toy tables on a server that may be stopped."""
    config = server.configured(embedded_lab_config, tmp_path)
    with declared_toy(config, "toy", tmp_path) as toy:
        yield toy
        server.start()
        revive(toy.tables.Sample().connection)


def test_a_server_that_is_away_for_a_while_is_waited_for(stoppable: Toy, server: ServerProcess) -> None:
    stoppable.add("gate", "quick")
    worker = stoppable.work()
    stoppable.wait_for_gate(0)
    server.stop()
    stoppable.open_gate(0)
    wait_until(lambda: any("does not answer" in str(event) for event in worker.told()))
    server.start()
    summary = worker.summary()
    revive(stoppable.tables.Sample().connection)
    assert (summary.done, summary.errors, summary.left) == (4, 0, ())
    assert stoppable.computed() == [0, 1]
    assert stoppable.measured() == [0, 1]


def test_a_job_that_inserts_while_the_server_goes_away_is_made_afterwards(
    stoppable: Toy, server: ServerProcess
) -> None:
    stoppable.add("slow insert")
    worker = stoppable.work()
    stoppable.wait_for_gate(0)
    server.stop()
    stoppable.open_gate(0)
    wait_until(lambda: Fate.DISCONNECTED in fates(worker.told()))
    server.start()
    summary = worker.summary()
    revive(stoppable.tables.Sample().connection)
    assert (summary.done, summary.errors, summary.left) == (2, 0, ())
    assert stoppable.measured() == [0]


def cut_connections(toy: Toy) -> None:
    """End every connection to the server but the test's own."""
    connection = toy.tables.Sample().connection
    if connection.adapter.backend == "postgresql":
        connection.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
        ).fetchall()
        return
    mine = connection.query("SELECT CONNECTION_ID()").fetchone()[0]
    for row in connection.query("SHOW PROCESSLIST").fetchall():
        if row[0] != mine and row[1] == connection.conn_info["user"]:
            connection.query(f"KILL {row[0]}")
