"""The parent's side of the process that runs Suite2p."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imaging_pipeline import progress
from imaging_pipeline.errors import PipelineError, ProcessKilledError, Responsible, RunError
from imaging_pipeline.processes import exit_text
from imaging_pipeline.share_away import is_share_away
from imaging_pipeline.suite2p_runner.run_settings import CELLPOSE_MODELS_VARIABLE, cellpose_models
from imaging_pipeline.suite2p_runner.scratch import has_no_room, is_full, scratch_full_error

_CHILD = "imaging_pipeline.suite2p_runner.child"
_STARTING = "starting Suite2p"
# For the process to end after its last message, or after its input was closed.
_TIMEOUT_S = 10

# Of GNU's C library; other systems ignore them. By default it returns large arrays to the system as soon as
# they are freed, and the system clears every page of the next: 3,900 pages a frame of 256 x 256, more than
# half of the time of a registration. With the memory kept, the results are the same to the bit, in up to a
# third more memory.
_KEEP_MEMORY = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(2**40)}
_SHOWN_LINES = 5

# Ends of names of classes: numpy raises _ArrayMemoryError, torch OutOfMemoryError.
_MEMORY_ERRORS = ("MemoryError", "OutOfMemoryError")
_MEMORY_REMEDY = (
    "If nobody ended it, the machine most likely ran out of memory: a smaller registration.batch_size in the "
    "option set needs less, and so do fewer workers at a time."
)


def run_child(job: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Run a job in a process of its own, and return its result.

    Progress is reported while it runs. The process ends with this call, however that ends: it watches its
    standard input, which closes with this process.

    Parameters
    ----------
    job
        As `suite2p_call.call_suite2p` takes it.
    folder
        A folder for the process alone: its home, its working folder and its standard error.

    Raises
    ------
    StoreError
        The disk is full.
    ProcessKilledError
        The process was ended by a signal; the error has the step and the end of the log.
    RunError
        Suite2p failed, or its process ended without a result; the error has the same.
    """
    progress.report(_STARTING)
    home = folder / "home"
    home.mkdir()
    log_path = folder / "stderr.txt"
    # A file: nobody reads this while the process runs, and a pipe that is full would stop it.
    with log_path.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", _CHILD],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            cwd=home,
            env=_environment(home, int(job["threads"])),
            encoding="utf-8",
        )
    try:
        outcome = _communicate(process, {**job, "folder": str(folder)})
        code = _wait(process)
    finally:
        _end(process)
    if "result" in outcome.last:
        result: dict[str, Any] = outcome.last["result"]
        return result
    raise _error(outcome, code, _last_lines(log_path), job, folder)


def _environment(home: Path, threads: int) -> dict[str, str]:
    """Return an environment with a home of its own: files in a person's home would change results."""
    own = {"HOME": str(home), "USERPROFILE": str(home), CELLPOSE_MODELS_VARIABLE: str(cellpose_models())}
    libraries = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), str(threads))
    # An administrator's settings of memory go first; the home and the threads are always ours.
    return {**_KEEP_MEMORY, **os.environ, **own, **libraries}


@dataclass(frozen=True)
class _Outcome:
    """The last message of a process, empty if it ended without one; its step; the end of its log."""

    last: Mapping[str, Any]
    step: str
    log: tuple[str, ...]


def _communicate(process: subprocess.Popen[str], job: Mapping[str, Any]) -> _Outcome:
    assert process.stdin is not None
    assert process.stdout is not None
    with suppress(BrokenPipeError):  # it ended already; its exit code says more
        process.stdin.write(json.dumps(job) + "\n")
        process.stdin.flush()
    step, log = _STARTING, deque[str](maxlen=_SHOWN_LINES)
    for line in process.stdout:
        message: dict[str, Any] = json.loads(line)
        if "progress" not in message:
            return _Outcome(message, step, tuple(log))
        progress.report(*message["progress"])
        step, _done, _total, logged = message["progress"]
        if logged:
            log.append(logged)
    return _Outcome({}, step, tuple(log))


def _wait(process: subprocess.Popen[str]) -> int:
    """Wait for a process that has sent its last message."""
    try:
        return process.wait(_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _end(process: subprocess.Popen[str]) -> None:
    """End a process that may still run, by closing its standard input."""
    for pipe in (process.stdin, process.stdout):
        assert pipe is not None
        with suppress(BrokenPipeError):
            pipe.close()
    _wait(process)


def _last_lines(log_path: Path) -> tuple[str, ...]:
    if not log_path.is_file():  # somebody cleared the scratch folder
        return ()
    lines = log_path.read_text(encoding="utf-8", errors="replace").splitlines()
    return tuple(line.strip() for line in lines if line.strip())[-_SHOWN_LINES:]


def _error(
    outcome: _Outcome, code: int, last_lines: tuple[str, ...], job: Mapping[str, Any], folder: Path
) -> PipelineError:
    error = outcome.last.get("error")
    reason = f"{error['type']}: {error['message']}" if error else exit_text(code)
    if _is_scratch_full(error, code, folder):
        return scratch_full_error(folder, reason)
    lines = outcome.log if error else (*outcome.log, *last_lines)[-_SHOWN_LINES:]
    what, remedy, responsible = _explain(error, code)
    failure = (ProcessKilledError if _was_killed(error, code) else RunError)(
        f"{what} in the step '{outcome.step}'",
        path=next((file["path"] for file in job.get("originals", ())), None),
        found=f"{reason}; it last said: {' | '.join(lines) or 'nothing'}",
        remedy=remedy,
        responsible=responsible,
    )
    if error:
        failure.add_note(error["traceback"])
        if error["errno"] is not None:  # the workers' policies decide by it
            failure.__cause__ = OSError(error["errno"], error["message"])
    return failure


def _was_killed(error: Mapping[str, Any] | None, code: int) -> bool:
    # A negative code is the signal that ended it; Windows has none.
    return error is None and code < 0


def _is_scratch_full(error: Mapping[str, Any] | None, code: int, folder: Path) -> bool:
    """Return True if a process ended because its disk is full.

    Suite2p's movie is mapped into memory: where the disk has no room for a page of it, the system ends the
    process with SIGBUS.
    """
    if error and error["errno"] is not None:
        return is_full(OSError(error["errno"], error["message"]))
    is_by_map = hasattr(signal, "SIGBUS") and code == -signal.SIGBUS
    return (is_by_map or error is not None) and has_no_room(folder)


def _explain(error: Mapping[str, Any] | None, code: int) -> tuple[str, str, Responsible]:
    """Return what happened to a process, what to do about it, and whose move that is."""
    if _was_killed(error, code):
        return "The process that runs Suite2p was killed", _MEMORY_REMEDY, Responsible.ADMINISTRATOR
    if error is None:
        return (
            "The process that runs Suite2p ended without a result",
            "Look whether Suite2p and torch are whole on this machine, and let the job run again.",
            Responsible.ADMINISTRATOR,
        )
    if error["type"].endswith(_MEMORY_ERRORS):
        return "Suite2p had not enough memory", _MEMORY_REMEDY, Responsible.ADMINISTRATOR
    if error["errno"] is not None and is_share_away(OSError(error["errno"], error["message"])):
        return "Suite2p could not read or write", "Look at the share and the scratch disk.", Responsible.RETRY
    return (
        "Suite2p failed",
        "Look at the recording and the option set; the traceback is in the notes of this error.",
        Responsible.EXPERIMENTER,
    )
