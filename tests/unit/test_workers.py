"""What a worker decides and shows, without a database."""

from __future__ import annotations

import contextlib
import inspect
import io
import logging
import os
import pkgutil
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import datajoint as dj
import pytest
from click.testing import CliRunner
from rich.console import Console

from batch_populate.command import main
from batch_populate.log_file import LogFile
from imaging_pipeline.errors import (
    InputError,
)
from imaging_pipeline.lanes import LANES, lanes_named, short_name
from imaging_pipeline.processes import is_gone
from imaging_pipeline.progress import Progress
from imaging_pipeline.workers.heartbeat import Regularity
from imaging_pipeline.workers.messages import Advanced, Event, Finished, Note, Outcome, Started
from imaging_pipeline.workers.stop_signals import stop_signals
from imaging_pipeline.workers.summary import Left, Summary
from imaging_pipeline.workers.view import view
from imaging_pipeline.workers.worker_rows import Identity
from tests.makers.definitions import tables

TIF = "imaging_pipeline.schemas.imaging:Tif"
KEY = {"session_name": "0123456789abcdef"}
ANSI = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


def test_lanes_come_in_the_order_in_which_work_flows() -> None:
    assert [lane.name for lane in lanes_named(["computed", "ingest"])] == ["ingest", "computed"]
    assert lanes_named([]) == LANES


def test_each_table_that_makes_rows_itself_is_in_one_lane() -> None:
    making = [table for table in tables() if issubclass(table, (dj.Imported, dj.Computed))]
    in_lanes = [pkgutil.resolve_name(name) for lane in LANES for name in lane.tables]
    assert sorted(in_lanes, key=repr) == sorted(making, key=repr)


def test_each_periodic_task_is_a_function_of_the_tables() -> None:
    tasks = [task for lane in LANES for task in lane.periodic_tasks]
    assert tasks
    for task in tasks:
        assert len(inspect.signature(pkgutil.resolve_name(task.function)).parameters) == 1


def test_an_unknown_lane_is_refused_with_the_nearest_known_one() -> None:
    with pytest.raises(InputError, match=r"imprted.*Did you mean imported\?"):
        lanes_named(["imprted"])


def test_importing_the_lanes_imports_no_tables() -> None:
    code = "import sys, imaging_pipeline.lanes as m; print('datajoint' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "False"


def test_a_table_is_shown_by_its_short_name() -> None:
    assert short_name(TIF) == "imaging.Tif"


def test_this_process_is_not_gone() -> None:
    assert not is_gone(os.getpid())


def test_a_process_that_ended_is_gone_although_nobody_has_asked_for_it() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        deadline = time.monotonic() + 30
        while not is_gone(child.pid):
            assert time.monotonic() < deadline
        assert child.returncode is None
    assert is_gone(child.pid)


class Clock:
    """A clock that a test sets."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clocks() -> tuple[Clock, Clock]:
    """Return one that stands still while the machine sleeps, and one that people set."""
    return Clock(5.0), Clock(1.7e9)


def pass_by(clocks: Iterable[Clock], duration_s: float) -> None:
    for clock in clocks:
        clock.now += duration_s


def test_a_heartbeat_is_regular_since_its_last_failed_beat(clocks: tuple[Clock, Clock]) -> None:
    regularity = Regularity(20.0, clocks)
    regularity.record_beat()
    assert regularity.regular_for_s() == float("inf")
    pass_by(clocks, 5.0)
    regularity.record_failure()
    pass_by(clocks, 12.0)
    regularity.record_beat()
    assert regularity.regular_for_s() == 12.0


def test_a_worker_that_was_suspended_is_not_regular_before_others_could_beat_again(
    clocks: tuple[Clock, Clock],
) -> None:
    regularity = Regularity(20.0, clocks)
    regularity.record_beat()
    pass_by(clocks[1:], 8 * 3600.0)
    assert regularity.regular_for_s() == 0.0  # also before its own next beat
    regularity.record_beat()
    assert regularity.regular_for_s() == 0.0
    pass_by(clocks, 12.0)
    regularity.record_beat()
    assert regularity.regular_for_s() == 12.0


def test_a_beat_that_is_late_by_the_server_s_clock_is_late(clocks: tuple[Clock, Clock]) -> None:
    regularity = Regularity(20.0, clocks)
    regularity.record_beat(0.0)
    regularity.record_beat(12.0)
    assert regularity.regular_for_s() == float("inf")
    regularity.record_beat(600.0)
    assert regularity.regular_for_s() == 0.0


def test_a_clock_that_is_set_back_makes_no_beat_late(clocks: tuple[Clock, Clock]) -> None:
    regularity = Regularity(20.0, clocks)
    regularity.record_beat()
    pass_by(clocks[1:], -3600.0)
    regularity.record_beat()
    assert regularity.regular_for_s() == float("inf")


def test_signals_become_a_request_and_are_given_back() -> None:
    former = signal.getsignal(signal.SIGTERM)
    with stop_signals() as stop:
        assert stop.count == 0
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
        assert stop.count == 2
    assert signal.getsignal(signal.SIGTERM) is former


def test_a_summary_says_what_is_left_and_why() -> None:
    summary = Summary(4, 1, (Left(TIF, 2, "for later"), Left("a.suite2p_jobs:Suite2Py", 3, "not begun")))
    assert str(summary) == (
        "done 4, errors 1, left 5 (imaging.Tif: 2 for later; suite2p_jobs.Suite2Py: 3 not begun)"
    )


EVENTS: tuple[Event, ...] = (
    Started(TIF, KEY, 4711),
    Advanced(TIF, KEY, Progress("reading headers", 1, 2)),
    Advanced(TIF, KEY, Progress("reading times")),
    Advanced(TIF, KEY, Progress("reading headers", 2, 2)),
    Advanced(TIF, KEY, Progress("reading times")),
    Finished(TIF, KEY, Outcome.ERROR, "The stack is damaged. File: [a].tif.", 1.25),
    Note("The connection to the database was lost, and made again.", 30),
)


def test_a_log_has_a_line_for_each_event_but_mere_counts(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"), view(Console(file=io.StringIO())) as show:
        for event in EVENTS:
            show(event)
    job = "imaging.Tif session_name=0123456789abcdef"
    assert [(record.levelname, record.message) for record in caplog.records] == [
        ("INFO", f"{job}: begins"),
        ("INFO", f"{job}: reading headers 1 of 2"),
        ("INFO", f"{job}: reading times"),
        ("ERROR", f"{job}: error after 1.2 s: The stack is damaged. File: [a].tif."),
        ("WARNING", "The connection to the database was lost, and made again."),
    ]


def test_a_log_that_is_full_and_cannot_be_renamed_is_written_on_and_its_earlier_parts_stay(
    tmp_path: Path,
) -> None:
    log = LogFile(tmp_path / "worker.log")
    log.maxBytes = 1
    (tmp_path / "worker.log.1").write_text("earlier\n")
    (tmp_path / "worker.log.0").mkdir()  # as little can the log be renamed while another program reads it
    for number in range(3):
        log.emit(logging.makeLogRecord({"msg": f"line {number}"}))
    log.close()
    assert (tmp_path / "worker.log").read_text() == "line 0\nline 1\nline 2\n"
    assert (tmp_path / "worker.log.1").read_text() == "earlier\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no disk that is always full")
def test_a_log_on_a_full_disk_is_reported_in_one_line_and_stops_no_worker(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log = LogFile(Path("/dev/full"))
    for _ in range(3):
        log.emit(logging.makeLogRecord({"msg": "a line"}))
    with contextlib.suppress(OSError):  # what it still holds
        log.close()
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("The log /dev/full cannot be written: [Errno 28] No space left on device")


def drawn(events: tuple[Event, ...], width: int = 160) -> str:
    screen = io.StringIO()
    with view(Console(file=screen, force_terminal=True, width=width)) as show:
        for event in events:
            show(event)
    return screen.getvalue()


def test_a_terminal_shows_how_far_the_running_job_is() -> None:
    assert "reading headers 2 of 2" in drawn(EVENTS[:4])


def test_however_much_a_step_says_the_job_and_its_time_are_whole_in_one_line() -> None:
    event = Advanced(TIF, KEY, Progress("reading headers", 1, 2, "of a recording with a long name " * 9))
    *_, line = re.split(r"[\r\n]+", ANSI.sub("", drawn((EVENTS[0], event), width=80)).rstrip())
    assert line.startswith("imaging.Tif 01234567 ")
    assert "reading headers 1 of 2" in line
    assert line.endswith("0:00:00")


def test_a_terminal_keeps_a_line_of_what_became_of_a_job() -> None:
    screen = drawn(EVENTS)
    assert "error after 1.2 s: The stack is damaged. File: [a].tif." in screen
    assert "The connection to the database was lost, and made again." in screen
    done = drawn((Finished(TIF, KEY, Outcome.DONE, "day1: 2 sessions new", 1.25),))
    assert "imaging.Tif 01234567: done after 1.2 s: day1: 2 sessions new" in done


@pytest.mark.parametrize(
    ("arguments", "message"),
    [([], "--once"), (["--once", "--idle", "0"], "--idle"), (["x", "--once"], "no such lane")],
)
def test_a_wrong_command_line_is_refused(arguments: list[str], message: str) -> None:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert message in result.output


def test_a_condition_that_others_could_not_read_whole_is_refused() -> None:
    with pytest.raises(InputError, match=r"Found: 1025 characters. Allowed: 1024"):
        Identity("ingest", "x" * 1025, 30.0)
