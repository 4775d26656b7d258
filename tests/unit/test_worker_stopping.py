"""How a worker is told to stop, and shares a machine that may have nothing left for it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from imaging_pipeline.suite2p_runner.cores import num_cores
from imaging_pipeline.workers.console_window import handler
from imaging_pipeline.workers.job_handle import JobHandle
from imaging_pipeline.workers.messages import Ended, Order
from imaging_pipeline.workers.settings import Settings
from imaging_pipeline.workers.stop_signals import StopRequest, stop_signals
from imaging_pipeline.workers.suite2p_turn import suite2p_turn
from imaging_pipeline.workers.threads import library_threads
from imaging_pipeline.workers.timing import Timing
from imaging_pipeline.workers.wiring import Wiring
from imaging_pipeline.workers.workshop import Assignment

CTRL_C, CLOSE = 0, 2


def test_a_closed_window_asks_to_stop_at_once_and_holds_its_end_up_until_that_is_done() -> None:
    request = StopRequest()
    answers: list[bool] = []
    closing = threading.Thread(target=lambda: answers.append(handler(request)(CLOSE)))
    closing.start()
    while request.count < 2:
        assert closing.is_alive()
    assert answers == []
    request.is_over.set()
    closing.join()
    assert answers == [True]


def test_other_console_events_are_left_to_python() -> None:
    request = StopRequest()
    assert not handler(request)(CTRL_C)
    assert request.count == 0


WORK = """
import fcntl, sys, termios, time
from pathlib import Path
from imaging_pipeline.workers.stop_signals import stop_signals
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
with stop_signals() as stop:
    print("at work", flush=True)
    while not stop.count:
        time.sleep(0.01)
    print("a word to nobody", flush=True)
Path(sys.argv[1]).write_text(str(stop.count))
"""


def closed_on(*command: str) -> int:
    """Start a command on a terminal of its own, close that when it is at work, and give the exit code."""
    terminal, end = os.openpty()
    with subprocess.Popen(command, stdin=end, stdout=end, stderr=end, start_new_session=True) as process:
        os.close(end)
        said = b""
        while b"at work" not in said:
            said += os.read(terminal, 1000)
        os.close(terminal)
    return process.returncode


def test_a_closed_terminal_ends_a_worker_in_order_though_nobody_hears_its_words(tmp_path: Path) -> None:
    assert closed_on(sys.executable, "-c", WORK, str(tmp_path / "asked")) == 0
    assert (tmp_path / "asked").read_text() == "1"


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
from imaging_pipeline.workers.suite2p_turn import suite2p_turn
with suite2p_turn(Path(sys.argv[1]), int(sys.argv[2]) or None) as is_ours:
    print(is_ours, flush=True)
    sys.stdin.read()
"""


@contextmanager
def run_elsewhere(scratch: Path, threads: int = 0) -> Iterator[bool]:
    """Let another process begin a run, and say whether it may; a process has its places to itself."""
    command = [sys.executable, "-c", HOLD, str(scratch), str(threads)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline() == "True\n"
        process.communicate()


def test_one_run_of_suite2p_goes_on_at_a_time_on_a_machine(tmp_path: Path) -> None:
    with run_elsewhere(tmp_path) as is_first:
        assert is_first
        with suite2p_turn(tmp_path, None) as is_second, suite2p_turn(tmp_path, num_cores()) as is_third:
            assert not is_second
            assert not is_third
    with suite2p_turn(tmp_path, None) as is_next:
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
def test_a_job_process_that_the_system_has_no_room_for_is_told() -> None:
    import resource

    handle = JobHandle(Assignment(Wiring(), None, (), Settings(), "tester", Timing()))
    former = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, former[1]))
    try:
        handle.order(Order("m:A", look=True))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, former)
    ended = handle.receive()
    assert isinstance(ended, Ended)
    assert ended.reason.startswith("No job process could be started: ")
    assert "Too many open files" in ended.reason
    assert handle.receive() is None
