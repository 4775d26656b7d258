"""Pipes that nobody writes to, and what is read while one of them could be opened."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[2]
# How long the other process is left alone between two looks at the pipe.
_LOOK_S = 0.05


def answer_without_writer(pipe: Path, statement: str) -> str:
    """Run a statement of Python in a process of its own, and give what it prints.

    Raises
    ------
    AssertionError
        It opened the pipe, whose reader would wait for ever. It is let go then.
    """
    command = [sys.executable, "-c", statement]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as process:
        while process.poll() is None:
            assert not _has_reader(pipe), "the pipe was opened"
            try:
                process.wait(_LOOK_S)
            except subprocess.TimeoutExpired:
                continue
        assert process.stdout is not None
        return process.stdout.read()


def _has_reader(pipe: Path) -> bool:
    """Open a pipe to write, which fails unless somebody opened it to read; that reader then gets its end."""
    try:
        os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
    except OSError:
        return False
    return True
