"""The parent's side of the process that runs Suite2p."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from imaging_pipeline import progress
from imaging_pipeline.errors import Move, PipelineError, RunError, StoreError
from imaging_pipeline.suite2p_runner.run_settings import CELLPOSE_MODELS_VARIABLE, cellpose_models

_CHILD = "imaging_pipeline.suite2p_runner.child"
_PATIENCE_S = 10
_TOLD_CHARACTERS = 2000


def run_child(job: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Run a job in a process of its own, and give its result.

    Progress is reported as it comes. Whatever ends this call ends the process: it listens to its standard
    input, which closes with this process, however that ends.

    Parameters
    ----------
    job
        As `suite2p_call.call_suite2p` takes it.
    folder
        A folder for the process alone: its home, its working folder and what it says to standard error.

    Raises
    ------
    StoreError
        Where the disk is full.
    RunError
        Where Suite2p failed, or the process was ended from outside.
    """
    progress.report("starting Suite2p")
    home = folder / "home"
    home.mkdir()
    said = folder / "stderr.txt"
    with said.open("wb") as stderr:
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
        outcome = _converse(process, {**job, "folder": str(folder)})
        code = _wait(process)
    finally:
        _end(process)
    if "result" in outcome:
        result: dict[str, Any] = outcome["result"]
        return result
    raise _error(outcome.get("error"), code, said.read_text(encoding="utf-8", errors="replace"))


def _environment(home: Path, threads: int) -> dict[str, str]:
    """Give the process a home of its own: what lies in a person's would change results."""
    own = {"HOME": str(home), "USERPROFILE": str(home), CELLPOSE_MODELS_VARIABLE: str(cellpose_models())}
    libraries = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), str(threads))
    return {**os.environ, **own, **libraries}


def _converse(process: subprocess.Popen[str], job: Mapping[str, Any]) -> dict[str, Any]:
    assert process.stdin is not None
    assert process.stdout is not None
    with suppress(BrokenPipeError):  # it ended already; its exit code says more
        process.stdin.write(json.dumps(job) + "\n")
        process.stdin.flush()
    for line in process.stdout:
        message: dict[str, Any] = json.loads(line)
        if "progress" not in message:
            return message
        progress.report(*message["progress"])
    return {}


def _wait(process: subprocess.Popen[str]) -> int:
    """Wait for a process that has said all it had to say."""
    try:
        return process.wait(_PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _end(process: subprocess.Popen[str]) -> None:
    """End a process, if it runs still: closing its standard input tells it so."""
    for pipe in (process.stdin, process.stdout):
        assert pipe is not None
        with suppress(BrokenPipeError):
            pipe.close()
    _wait(process)


def _error(error: Mapping[str, Any] | None, code: int, said: str) -> PipelineError:
    if error is None:
        return RunError(
            "The process that runs Suite2p was ended from outside",
            found=f"exit code {code}; it last said: {said[-_TOLD_CHARACTERS:].strip() or 'nothing'}",
            remedy="Look whether the machine ran out of memory; a smaller batch_size needs less.",
            move=Move.ADMINISTRATOR,
        )
    told = f"{error['type']}: {error['message']}"
    if error["errno"] == errno.ENOSPC:
        return StoreError("The scratch disk filled up while Suite2p ran", found=told, remedy="Make room.")
    failure = RunError(
        "Suite2p failed",
        found=told,
        remedy="Look at the recording and the option set; the traceback is in the notes of this error.",
    )
    failure.add_note(error["traceback"])
    if error["errno"] is not None:  # whoever decides what becomes of the run wants to know
        failure.__cause__ = OSError(error["errno"], error["message"])
    return failure
