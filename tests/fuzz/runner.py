"""The parent: gives out inputs, notes which is being read, and ends a process that does not come back."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import re
import shutil
import signal
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Sequence
from multiprocessing.connection import wait
from pathlib import Path

from tests.fuzz.child import STACKS, Begun, Ended, Limits, Task, run
from tests.fuzz.verdict import Verdict
from tests.makers.registered_readers import RegisteredReader

_CHUNK = 40
# Files are written thousands of times; without such a folder on the disk.
_IN_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
_OURS = re.compile(r'File ".*/imaging_pipeline/(?:.*/)?([^/"]+)", line \d+ in (\S+)')


class _Child:
    """A process, the tasks that it has, and how far it is."""

    def __init__(self, readers: Sequence[RegisteredReader], limits: Limits) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="imaging-pipeline-fuzz-", dir=_IN_MEMORY))
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["tests.fuzz.child"])
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=run, args=(readers, self.folder, limits, theirs), daemon=True)
        self._process.start()
        theirs.close()
        self.tasks: deque[Task] = deque()
        # A crash may come of what an earlier input did to the memory.
        self._earlier: deque[Task] = deque(maxlen=_CHUNK)
        self._is_reading = False
        self._heard_at = time.monotonic()

    def give(self, tasks: Sequence[Task]) -> None:
        self.tasks.extend(tasks)
        self.connection.send(list(tasks))

    def hear(self) -> Ended | None:
        """Return what became of an input, where one was read; raise EOFError where the process is gone."""
        message = self.connection.recv()
        self._heard_at = time.monotonic()
        self._is_reading = isinstance(message, Begun)
        if self._is_reading:
            return None
        self._earlier.append(self.tasks.popleft())
        assert isinstance(message, Ended)
        return message

    def has_read_for(self, seconds: float) -> bool:
        """Return True if the process has been reading one input for so long."""
        return self._is_reading and time.monotonic() - self._heard_at > seconds

    def conclude(self, *, was_silent: bool = False) -> Ended | None:
        """End the process if it is not over, and return what became of the input that it was reading."""
        if was_silent and self._process.pid is not None:
            os.kill(self._process.pid, signal.SIGPROF)  # which writes down where it is
            self._process.join(2)
        if was_silent:
            self._process.kill()
        self._process.join()
        stacks = (self.folder / STACKS).read_text(errors="replace") if (self.folder / STACKS).exists() else ""
        shutil.rmtree(self.folder)
        if not self.tasks:
            raise RuntimeError(f"A process that reads inputs ended before it was given any: {stacks}")
        outcome = _how_it_ended(self._process.exitcode or 0, was_silent)
        if not self._is_reading:
            outcome = f"the input was not made: {outcome}"
        match = _OURS.search(stacks)
        function = f"{match[1]}:{match[2]}" if match else ""
        earlier = ", ".join(f"{task.reader} {task.which.number}" for task in self._earlier)
        details = f"{stacks[:20_000]}\nRead before by the same process: {earlier or 'nothing'}"
        return Ended(self.tasks.popleft(), Verdict(outcome, True, function, details), 0)

    def end(self) -> None:
        self.connection.close()
        self._process.join(5)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        shutil.rmtree(self.folder)


def _how_it_ended(exit_code: int, was_silent: bool) -> str:
    if was_silent or exit_code == -signal.SIGPROF:
        return "hang"
    return f"crash by {signal.Signals(-exit_code).name}" if exit_code < 0 else f"exit with {exit_code}"


def run_tasks(
    readers: Sequence[RegisteredReader], tasks: Sequence[Task], limits: Limits, num_processes: int
) -> Iterator[Ended]:
    """Yield what becomes of each task, in the order in which they end."""
    waiting = deque(tasks)
    children: list[_Child] = []
    try:
        while waiting or any(child.tasks for child in children):
            while len(children) < min(num_processes, len(waiting) // _CHUNK + 1):
                children.append(_Child(readers, limits))
            yield from _step(children, waiting, limits)
    finally:
        for child in children:
            child.end()


def _step(children: list[_Child], waiting: deque[Task], limits: Limits) -> Iterator[Ended]:
    for child in children:
        if not child.tasks and waiting:
            child.give([waiting.popleft() for _ in range(min(_CHUNK, len(waiting)))])
    ready = wait([child.connection for child in children], timeout=min(limits.silence_s, 1))
    for child in [*children]:
        is_silent = child.connection not in ready and child.has_read_for(limits.silence_s)
        if child.connection not in ready and not is_silent:
            continue
        ended = None
        with contextlib.suppress(EOFError, ConnectionResetError):
            if not is_silent:
                ended = child.hear()
                if ended is not None:
                    yield ended
                continue
        children.remove(child)
        ended = child.conclude(was_silent=is_silent)
        waiting.extendleft(reversed(child.tasks))
        if ended is not None:
            yield ended
