"""Workers on both backends: every job is made once, and no trouble of one is another's."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from imaging_pipeline.errors import OtherVersionError, Responsible, parse_message
from imaging_pipeline.living_worker import OF_PRIORITY
from imaging_pipeline.schemas.table_changes import count_change
from imaging_pipeline.workers.messages import Advanced, Event, Finished, Idle, Note, Outcome
from imaging_pipeline.workers.settings import Settings
from tests.makers.toy_tables import FIRST, NO_STORE, SECOND, WITH_TASK, open_connection
from tests.makers.toy_workers import Ran, Toy, wait_until

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the toy jobs kill by POSIX signals")


# One worker does them all; the number of a sample is its place here.
BEHAVIOURS = (
    *("quick", "bad", "quick", "copying", "exits", "orphan", "deadly", "buggy", "collides", "unmounted"),
    *("unmounted", "quick"),
)


@dataclass(frozen=True)
class Done:
    """What one worker did with samples of all behaviours."""

    ran: Ran
    jobs: dict[str, dict[str, Any]]
    measured: list[int]
    summarised: list[int]
    computed: list[int]
    second: Ran

    def times(self, behaviour: str) -> int:
        """Return how often the first sample of a behaviour was computed."""
        return self.computed.count(BEHAVIOURS.index(behaviour))


@pytest.fixture(scope="module")
def done(declared: Toy) -> Done:
    """Let one worker do jobs of all behaviours, and then a second one what is left."""
    declared.empty()
    declared.add(*BEHAVIOURS)
    ran = declared.run()
    jobs = {name: declared.job(BEHAVIOURS.index(name)) for name in dict.fromkeys(BEHAVIOURS)}
    summarised = list(declared.tables.Summary().to_arrays("sample_id", order_by="sample_id"))
    measured, computed = declared.measured(), declared.computed()
    return Done(ran, jobs, measured, summarised, computed, declared.run())


def test_once_makes_everything_in_all_lanes_and_ends(done: Done) -> None:
    assert done.measured == [0, 2, 8, 11]
    assert done.summarised == [0, 2, 8, 11]
    assert done.ran.summary.done == 8
    assert all(done.times(behaviour) == 1 for behaviour in ("quick", "bad", "copying", "exits", "buggy"))


def test_finished_jobs_are_kept_with_their_durations(done: Done) -> None:
    assert done.jobs["quick"]["status"] == "success"
    assert done.jobs["quick"]["duration"] > 0
    assert done.jobs["quick"]["completed_time"] >= done.jobs["quick"]["reserved_time"]


def test_an_error_is_kept_with_what_to_do_and_where_it_was_raised(done: Done) -> None:
    job = done.jobs["bad"]
    assert job["status"] == "error"
    assert job["error_message"] == (
        "FormatError: The stack is damaged. File: a.tif. Found: no header. What to do: Copy it again."
        " The experimenter's move."
    )
    assert "make_compute" in job["error_stack"]


@pytest.mark.parametrize(
    ("behaviour", "kind", "responsible"),
    [
        ("exits", "SystemExit", Responsible.DEVELOPER),
        ("buggy", "ValueError", Responsible.DEVELOPER),
        ("orphan", "IntegrityError", Responsible.DEVELOPER),
        ("deadly", "", Responsible.ADMINISTRATOR),
    ],
)
def test_every_error_says_who_is_responsible(
    done: Done, behaviour: str, kind: str, responsible: Responsible
) -> None:
    job = done.jobs[behaviour]
    message = parse_message(job["error_message"])
    assert (job["status"], message.kind, message.responsible) == ("error", kind, responsible)
    assert message.remedy


def test_a_job_that_always_kills_its_process_becomes_an_error(done: Done) -> None:
    assert done.times("deadly") == 3
    assert "died (SIGKILL), 3 times in a row." in done.jobs["deadly"]["error_message"]


def test_a_row_that_refers_to_nothing_is_tried_five_times_and_then_an_error(done: Done) -> None:
    assert done.times("orphan") == 5
    assert "(tried 5 times)" in done.jobs["orphan"]["error_message"]


def test_what_a_job_computed_is_inserted_again_after_a_deadlock(done: Done) -> None:
    assert done.times("collides") == 1
    assert done.jobs["collides"]["status"] == "success"
    assert done.jobs["collides"]["error_message"] == ""


def test_what_is_still_being_copied_waits_with_its_reason_and_the_number_of_the_attempt(done: Done) -> None:
    job = done.jobs["copying"]
    assert job["status"] == "pending"
    assert job["scheduled_time"] > job["created_time"]
    assert job["error_message"] == (
        "Attempt 1: StillCopyingError: Files are still being copied. What to do: Nothing; it waits."
        " It is tried again by itself."
    )


def test_what_is_not_mounted_here_stays_for_other_machines_with_its_reason(done: Done) -> None:
    job = done.jobs["unmounted"]
    assert job["status"] == "pending"
    assert (job["scheduled_time"] - job["created_time"]).total_seconds() < 60
    assert job["error_message"].startswith("NotMountedError: The repository is not mounted.")


def test_the_summary_counts_what_was_done_and_says_what_is_left_and_why(done: Done) -> None:
    assert str(done.ran.summary) == (
        "done 8, errors 5, left 3 (toy_tables.Measurement: 2 not for this machine (The repository is not"
        " mounted. What to do: Mount it. The administrator's move.); toy_tables.Measurement: 1 for later"
        " (Files are still being copied. What to do: Nothing; it waits. It is tried again by itself.))"
    )


def test_an_error_from_before_is_not_tried_again_and_is_named(done: Done) -> None:
    assert done.second.summary.done == 0
    assert "5 with an error from before" in str(done.second.summary)


def test_progress_of_a_job_reaches_the_listener(done: Done) -> None:
    steps = [event.progress for event in done.ran.events if isinstance(event, Advanced)]
    assert ("measuring", 3, 3) in [(step.step, step.done, step.total) for step in steps]


def test_attempts_are_counted_from_worker_to_worker(toy: Toy) -> None:
    toy.add("copying")
    for _ in range(3):
        toy.run(lanes=(FIRST,))
        jobs = toy.tables.Measurement.jobs
        delay = "EXTRACT(EPOCH FROM scheduled_time - CURRENT_TIMESTAMP(3)::timestamp)"
        if jobs.adapter.backend == "mysql":
            delay = "TIMESTAMPDIFF(SECOND, CURRENT_TIMESTAMP(3), scheduled_time)"
        pause_s = jobs.connection.query(f"SELECT {delay} FROM {jobs.full_table_name}").fetchone()[0]
        jobs.connection.query(f"UPDATE {jobs.full_table_name} SET scheduled_time=created_time")
    assert toy.job(0)["error_message"].startswith("Attempt 3: ")
    assert 100 < pause_s <= 120


def test_a_table_whose_package_is_missing_is_left_to_other_machines(toy: Toy) -> None:
    toy.add("lacking", "lacking")
    summary = toy.run().summary
    assert (summary.done, summary.errors) == (0, 0)
    assert "2 not for this machine (Suite2p is not installed." in str(summary)
    assert [toy.job(number)["status"] for number in (0, 1)] == ["pending", "pending"]
    assert len(toy.computed()) == 1


def test_a_lane_whose_machine_lacks_something_is_left_to_others_and_others_see_why(toy: Toy) -> None:
    (toy.config.folder / "no_store").touch()
    toy.add("gate")
    lacks = []

    def look(_events: list[Event]) -> None:
        toy.wait_for_gate(0)
        lacks.extend(wait_until(toy.tables.Worker.Lack().to_dicts))
        toy.open_gate(0)

    ran = toy.run(look)
    assert [(lack["lack_kind"], lack["lack_name"]) for lack in lacks] == [("store", "main")]
    assert ran.summary.done == 1
    assert "toy_tables.Summary: 1 not for this machine (The store main is not there" in str(ran.summary)
    assert any(NO_STORE.reason in event.message for event in ran.events if isinstance(event, Note))
    toy.config.folder.joinpath("no_store").unlink()
    assert toy.run().summary.done == 1


def test_a_job_for_which_there_is_no_room_here_is_passed_over_and_no_error(toy: Toy) -> None:
    toy.add("quick", "quick", "quick")
    (toy.config.folder / "0.elsewhere").touch()
    ran = toy.run()
    assert toy.measured() == [1, 2]
    assert toy.job(0)["status"] == "pending"
    assert "1 not for this machine (There is no room for it here.)" in str(ran.summary)


def test_two_processes_of_one_worker_make_each_of_fifty_keys_once(toy: Toy) -> None:
    toy.add(*["gate"] * 2, *["quick"] * 48)

    def begin_together(_events: list[Event]) -> None:
        for number in range(2):
            toy.wait_for_gate(number)
        for number in range(2):
            toy.open_gate(number)

    ran = toy.run(begin_together, settings=Settings(processes=2))
    assert toy.measured() == list(range(50))
    assert sorted(toy.computed()) == list(range(50))
    assert len({int(pid) for pid in toy.tables.Measurement().to_arrays("made_by")}) == 2
    assert (ran.summary.done, ran.summary.errors, ran.summary.left) == (100, 0, ())


def test_four_workers_make_each_of_two_hundred_keys_once(toy: Toy) -> None:
    toy.add(*["gate"] * 4, *["quick"] * 196)
    others = [toy.work(lanes=(FIRST,)) for _ in range(3)]

    def begin_together(_events: list[Event]) -> None:
        for number in range(4):
            toy.wait_for_gate(number)
        for number in range(4):
            toy.open_gate(number)

    ran = toy.run(begin_together, lanes=(FIRST,))
    summaries = [ran.summary, *(other.summary() for other in others)]
    assert toy.measured() == list(range(200))
    assert sorted(toy.computed()) == list(range(200))
    assert len({int(pid) for pid in toy.tables.Measurement().to_arrays("made_by")}) == 4
    assert sum(summary.done for summary in summaries) == 200
    assert sum(summary.errors for summary in summaries) == 0


def test_a_restricted_worker_does_its_own_jobs_and_touches_no_other_row(toy: Toy) -> None:
    toy.add("quick", "quick", "bad")
    toy.run()
    toy.add("quick", "quick", first=3)
    (toy.tables.Summary & {"sample_id": 1}).delete_quick()
    (toy.tables.Measurement & {"sample_id": 1}).delete_quick()
    (toy.tables.Sample & {"sample_id": 2}).delete_quick()
    before = {number: toy.job(number) for number in range(5)}
    ran = toy.run(settings=Settings(restriction="sample_id = 4"))
    assert toy.measured() == [0, 4]
    assert {number: toy.job(number) for number in range(4)} == {number: before[number] for number in range(4)}
    assert (ran.summary.done, ran.summary.left) == (2, ())


def test_what_is_to_be_first_is_made_first_and_then_the_rest(toy: Toy) -> None:
    toy.add("quick", "quick", "quick")
    toy.run(settings=Settings(first="sample_id = 2"))
    assert toy.computed()[0] == 2
    assert sorted(toy.computed()) == [0, 1, 2]


def test_the_more_urgent_is_made_first_and_only_that_where_it_is_asked_for(toy: Toy) -> None:
    toy.add("copying", "quick", "quick")
    toy.run(lanes=(FIRST,), settings=Settings(max_jobs=1))
    toy.tables.Measurement.jobs.update1({"sample_id": 2, "priority": 0})
    ran = toy.run(lanes=(FIRST,), settings=Settings(priority=4))
    assert toy.measured() == [2]
    assert "1 not begun" in str(ran.summary)


def test_a_worker_with_a_number_of_jobs_ends_after_them(toy: Toy) -> None:
    toy.add(*["quick"] * 5)
    ran = toy.run(once=False, settings=Settings(max_jobs=2, processes=2))
    assert len(toy.measured()) == 2
    assert "toy_tables.Measurement: 3 not begun" in str(ran.summary)


def test_a_loop_finds_what_is_counted_as_a_change_at_once_and_the_rest_from_time_to_time(toy: Toy) -> None:
    def add_later(events: list[Event]) -> None:
        wait_until(lambda: any(isinstance(event, Idle) for event in events))
        toy.add("quick")
        num_idle = sum(isinstance(event, Idle) for event in events)
        wait_until(lambda: sum(isinstance(event, Idle) for event in events) > num_idle + 3)
        assert toy.measured() == []
        count_change(toy.tables.TableChange, toy.tables.Sample)
        wait_until(lambda: len(toy.tables.Summary()))

    assert toy.run(add_later, once=False).summary.done == 2

    def add_by_hand(events: list[Event]) -> None:
        wait_until(lambda: any(isinstance(event, Idle) for event in events))
        toy.add("quick", first=1)
        wait_until(lambda: len(toy.tables.Summary()) == 2)

    assert toy.run(add_by_hand, once=False, full_search_s=0.2).summary.done == 2


def test_a_finished_job_whose_row_was_purged_is_made_again_and_one_of_no_key_is_dropped(toy: Toy) -> None:
    toy.add("quick", "quick")
    toy.run()
    for number in (0, 1):
        (toy.tables.Summary & {"sample_id": number}).delete_quick()
        (toy.tables.Measurement & {"sample_id": number}).delete_quick()
    (toy.tables.Sample & {"sample_id": 1}).delete_quick()
    assert toy.run().summary.done == 2
    assert toy.measured() == [0]
    assert toy.job(1)["status"] == "none"


def test_a_job_that_somebody_ignores_stays_ignored(toy: Toy) -> None:
    toy.add("quick", "quick")
    toy.tables.Measurement.jobs.ignore({"sample_id": 0})
    toy.run(lanes=(FIRST,))
    assert toy.measured() == [1]
    assert toy.job(0)["status"] == "ignore"


def test_a_job_whose_input_changed_meanwhile_is_made_again_from_what_there_is_now(toy: Toy) -> None:
    toy.add("gate")

    def change(_events: list[Event]) -> None:
        toy.wait_for_gate(0)
        toy.tables.Sample.update1({"sample_id": 0, "behaviour": "quick"})
        toy.open_gate(0)

    summary = toy.run(change).summary
    assert (summary.done, summary.errors, summary.left) == (2, 0, ())
    assert toy.computed() == [0, 0]


def test_a_job_whose_input_was_purged_meanwhile_is_dropped(toy: Toy) -> None:
    toy.add("gate", "quick")

    def purge(_events: list[Event]) -> None:
        toy.wait_for_gate(0)
        (toy.tables.Sample & {"sample_id": 0}).delete_quick()
        toy.open_gate(0)

    ran = toy.run(purge)
    assert (ran.summary.done, ran.summary.errors, ran.summary.left) == (2, 0, ())
    assert Outcome.GONE in ran.outcomes
    assert toy.job(0)["status"] == "none"


def test_a_job_that_was_made_by_hand_meanwhile_is_no_error(toy: Toy) -> None:
    toy.add("gate")

    def make(_events: list[Event]) -> None:
        toy.wait_for_gate(0)
        toy.tables.Measurement().insert1({"sample_id": 0, "made_by": 0}, allow_direct_insert=True)
        toy.open_gate(0)

    ran = toy.run(make, lanes=(FIRST,))
    assert (ran.summary.errors, ran.summary.left) == (0, ())
    assert toy.job(0)["status"] == "success"


def test_the_heartbeat_goes_on_while_a_job_computes_and_while_the_supervisor_waits(toy: Toy) -> None:
    toy.add("gate")
    worker = toy.tables.Worker
    rows: list[dict[str, Any]] = []
    urgent: list[str] = []

    def look(_events: list[Event]) -> None:
        toy.wait_for_gate(0)
        urgent.extend((worker.Lack & {"lack_kind": OF_PRIORITY}).to_arrays("lack_name"))
        wait_until(lambda: "waiting at the gate" in "".join(worker.Process().to_arrays("process_doing")))
        rows.extend(worker().to_dicts())
        # The rows of the jobs are locked: whoever wants to settle one waits.
        jobs = toy.tables.Measurement.jobs.full_table_name
        with open_connection(toy.config) as other, other.transaction:
            other.query(f"SELECT * FROM {jobs} FOR UPDATE").fetchall()
            toy.open_gate(0)
            for _ in range(3):
                before = worker().fetch1("worker_heartbeat")
                wait_until(lambda before=before: worker().fetch1("worker_heartbeat") > before)

    toy.run(look, settings=Settings(restriction="sample_id < 5", priority=7))
    (row,) = rows
    assert urgent == ["7"]
    assert (row["worker_pid"], row["worker_lanes"]) == (os.getpid(), "first,second")
    assert row["worker_restriction"] == "sample_id < 5"
    assert row["worker_silent_after"] == pytest.approx(0.6)
    assert len(worker()) == len(worker.Process()) == 0


def test_a_reservation_names_its_process_and_its_worker(toy: Toy) -> None:
    toy.add("gate")
    rows = []

    def look(_events: list[Event]) -> None:
        toy.wait_for_gate(0)
        wait_until(lambda: len(toy.tables.Worker.Process()))
        joined = toy.tables.Worker.proj() * toy.tables.Worker.Process()
        rows.append((toy.job(0), joined.fetch1()))
        toy.open_gate(0)

    toy.run(look)
    job, process = rows[0]
    assert (job["pid"], job["version"]) == (process["process_pid"], process["worker_name"])


def test_a_periodic_task_is_done_again_and_again_and_reported_where_it_did_something(toy: Toy) -> None:
    due, wrong = (toy.config.folder / name for name in ("due", "wrong"))

    def change(events: list[Event]) -> None:
        wait_until(lambda: any(isinstance(event, Idle) for event in events))
        due.touch()
        wait_until(lambda: reports_of(events, "3 animals are new"))
        wrong.touch()
        wait_until(lambda: reports_of(events, "ValueError: no such animal"))
        wrong.unlink()
        before = reports_of(events, "3 animals are new")
        wait_until(lambda: reports_of(events, "3 animals are new") > before)

    ran = toy.run(change, lanes=(WITH_TASK,), once=False)
    assert ran.outcomes[0] is Outcome.DONE
    assert reports_of(ran.events, "ValueError: no such animal") == 1


def reports_of(events: list[Event], message: str) -> int:
    return sum(isinstance(event, Finished) and event.message == message for event in events)


def test_lanes_without_work_of_their_own_end_at_once(toy: Toy) -> None:
    assert str(toy.run(lanes=(SECOND,)).summary) == "done 0, errors 0, left 0"


@pytest.fixture(autouse=True)
def _no_worker_left(declared: Toy, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[None]:
    """Hold after each test that its workers removed their rows."""
    yield
    assert len(declared.tables.Worker()) == 0


def test_a_worker_whose_tables_are_upgraded_meanwhile_writes_no_more_and_stops(toy: Toy) -> None:
    toy.add("gate", "quick")

    def upgrade(events: list[Event]) -> None:
        toy.wait_for_gate(0)
        (toy.config.folder / "upgraded").touch()
        toy.open_gate(0)

    with pytest.raises(OtherVersionError, match=r"Found: version 2\. Allowed: version 1\."):
        toy.run(upgrade, lanes=(FIRST,))
    assert (toy.computed(), toy.measured()) == ([0], [])
    # For a worker of the newer version.
    assert toy.job(0)["status"] == "pending"
    assert len(toy.tables.Worker()) == 0
    (toy.config.folder / "upgraded").unlink()
    assert toy.run(lanes=(FIRST,)).summary.done == 2
