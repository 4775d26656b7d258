"""Pipes that nobody writes to, and what is read while one of them could be opened."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

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


@contextmanager
def watched(pipe: Path) -> Iterator[None]:
    """Check at the end that this process did not open the pipe meanwhile; let it go if it did."""
    stop, opened = Event(), Event()

    def look() -> None:
        while not (opened.is_set() or stop.wait(_LOOK_S)):
            if _has_reader(pipe):
                opened.set()

    watcher = Thread(target=look)
    watcher.start()
    try:
        yield
    finally:
        stop.set()
        watcher.join()
    assert not opened.is_set(), "the pipe was opened"


def _has_reader(pipe: Path) -> bool:
    """Open a pipe to write, which fails unless somebody opened it to read; that reader then gets its end."""
    try:
        os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
    except OSError:
        return False
    return True
