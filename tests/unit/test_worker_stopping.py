"""How a worker is told to stop, and shares a machine that may have nothing left for it."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from imaging_pipeline.suite2p_runner.cores import num_cores
from imaging_pipeline.workers.job_context import JobContext
from imaging_pipeline.workers.job_handle import JobHandle
from imaging_pipeline.workers.messages import Order, ProcessEnded
from imaging_pipeline.workers.pipeline_tables import PipelineTables
from imaging_pipeline.workers.settings import Settings, Timing
from imaging_pipeline.workers.shared_cores import library_threads, suite2p_run_lock
from imaging_pipeline.workers.stop_signals import StopRequest, console_handler, stop_signals

CTRL_C, CLOSE = 0, 2
DEADLINE_S = 60.0


def test_a_closed_window_asks_to_stop_at_once_and_holds_its_end_up_until_that_is_done() -> None:
    request = StopRequest()
    answers: list[bool] = []
    closing = threading.Thread(target=lambda: answers.append(console_handler(request)(CLOSE)))
    closing.start()
    while request.count < 2:
        assert closing.is_alive()
    assert answers == []
    request.is_over.set()
    closing.join()
    assert answers == [True]


def test_other_console_events_are_left_to_python() -> None:
    request = StopRequest()
    assert not console_handler(request)(CTRL_C)
    assert request.count == 0


# A process inherits what becomes of a hang-up: the second argument says it anew.
BEGIN = """
import fcntl, os, signal, sys, termios, time
from contextlib import suppress
from pathlib import Path
from imaging_pipeline.workers.stop_signals import stop_signals
signal.signal(signal.SIGHUP, signal.Handlers(int(sys.argv[2])))
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
"""
WORK_UNTIL_ASKED_TO_STOP = f"""{BEGIN}
with stop_signals() as stop:
    print("at work", flush=True)
    while not stop.count:
        time.sleep(0.01)
    print("a word to nobody", flush=True)
Path(sys.argv[1]).write_text(str(stop.count))
"""
WORK_UNTIL_THE_TERMINAL_IS_CLOSED = f"""{BEGIN}
with stop_signals() as stop:
    print("at work", flush=True)
    with suppress(OSError):  # some systems say so, others end the file
        while os.read(0, 1):
            pass
Path(sys.argv[1]).write_text(str(stop.count))
"""


def closed_on(program: str, path: Path, hang_up: signal.Handlers) -> int:
    """Start a program on a terminal of its own, close that when it is at work, and return the exit code."""
    terminal, end = os.openpty()
    command = [sys.executable, "-c", program, str(path), str(int(hang_up))]
    process = subprocess.Popen(command, stdin=end, stdout=end, stderr=end, start_new_session=True)
    try:
        os.close(end)
        output = b""
        while not output.endswith(b"\n"):  # before, its own word would meet the closed terminal
            assert select.select([terminal], [], [], DEADLINE_S)[0], "it does not begin"
            output += os.read(terminal, 1000)
        os.close(terminal)
        return process.wait(DEADLINE_S)
    finally:
        process.kill()
        process.wait(DEADLINE_S)


@pytest.fixture(params=[signal.SIG_DFL, signal.SIG_IGN], ids=["", "nohup"])
def _hang_up_of_the_suite(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let the suite itself be started without and by nohup."""
    former = signal.signal(signal.SIGHUP, request.param)
    yield
    signal.signal(signal.SIGHUP, former)


@pytest.mark.usefixtures("_hang_up_of_the_suite")
def test_a_closed_terminal_ends_a_worker_in_order_though_nobody_hears_its_words(tmp_path: Path) -> None:
    assert closed_on(WORK_UNTIL_ASKED_TO_STOP, tmp_path / "asked", signal.SIG_DFL) == 0
    assert (tmp_path / "asked").read_text() == "1"


@pytest.mark.usefixtures("_hang_up_of_the_suite")
def test_a_closed_terminal_ends_no_worker_that_was_started_by_nohup(tmp_path: Path) -> None:
    assert closed_on(WORK_UNTIL_THE_TERMINAL_IS_CLOSED, tmp_path / "asked", signal.SIG_IGN) == 0
    assert (tmp_path / "asked").read_text() == "0"


def test_a_worker_that_is_to_outlive_its_terminal_does() -> None:
    former = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        with stop_signals() as stop:
            signal.raise_signal(signal.SIGHUP)
            assert stop.count == 0
    finally:
        signal.signal(signal.SIGHUP, former)


HOLD = """
import sys
from pathlib import Path
from imaging_pipeline.workers.shared_cores import suite2p_run_lock
with suite2p_run_lock(Path(sys.argv[1]), int(sys.argv[2]) or None) as is_ours:
    print(is_ours, flush=True)
    sys.stdin.read()
"""


@contextmanager
def run_elsewhere(scratch: Path, threads: int = 0) -> Iterator[bool]:
    """Let another process begin a run, and yield whether it may; locks are a process's own."""
    command = [sys.executable, "-c", HOLD, str(scratch), str(threads)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline() == "True\n"
        process.communicate()


def test_one_run_of_suite2p_goes_on_at_a_time_on_a_machine(tmp_path: Path) -> None:
    with run_elsewhere(tmp_path) as is_first:
        assert is_first
        with (
            suite2p_run_lock(tmp_path, None) as is_second,
            suite2p_run_lock(tmp_path, num_cores()) as is_third,
        ):
            assert not is_second
            assert not is_third
    with suite2p_run_lock(tmp_path, None) as is_next:
        assert is_next


@pytest.mark.skipif(num_cores() < 2, reason="one core has no room for two runs")
def test_as_many_runs_go_on_as_their_threads_fit_into_the_cores(tmp_path: Path) -> None:
    threads = num_cores() // 2
    with run_elsewhere(tmp_path, threads) as first, run_elsewhere(tmp_path, threads) as second:
        assert first
        assert second


def test_libraries_get_the_threads_that_were_asked_for_and_the_environment_is_given_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    with library_threads(Settings(threads=3)):
        assert (os.environ["OMP_NUM_THREADS"], os.environ["MKL_NUM_THREADS"]) == ("3", "3")
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert "MKL_NUM_THREADS" not in os.environ
    with library_threads(Settings(processes=num_cores())):
        assert (os.environ["OMP_NUM_THREADS"], os.environ["MKL_NUM_THREADS"]) == ("7", "1")


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX limits")
def test_a_job_process_that_the_system_has_no_room_for_is_reported() -> None:
    import resource

    handle = JobHandle(JobContext(PipelineTables(), None, (), Settings(), "tester", Timing()))
    former = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, former[1]))
    try:
        handle.order(Order("m:A", search=True))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, former)
    ended = handle.receive()
    assert isinstance(ended, ProcessEnded)
    assert ended.reason.startswith("No job process could be started: ")
    assert "Too many open files" in ended.reason
    assert handle.receive() is None
