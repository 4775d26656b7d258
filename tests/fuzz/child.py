"""The process that makes inputs and reads them: it may hang, crash, or want all memory there is."""

from __future__ import annotations

import contextlib
import faulthandler
import os
import resource
import signal
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from tests.fuzz.canary import Watch, write_canary
from tests.fuzz.guard import Guard
from tests.fuzz.inputs import Input, InputNumber, make_input
from tests.fuzz.verdict import Verdict, judge
from tests.makers.registered_readers import RegisteredReader

STACKS = "stacks.txt"
# Of the processor, to make an input.
_MAKING_S = 60


@dataclass(frozen=True)
class Limits:
    """How much an input may take.

    Attributes
    ----------
    memory_bytes
        Beyond what the process has before it reads anything.
    cpu_s
        Of the processor.
    silence_s
        By the clock, while it is read, whatever the process does or waits for.
    """

    memory_bytes: int = 2**30
    cpu_s: float = 5
    silence_s: float = 120


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True)
class Task:
    """One input for one reader."""

    reader: str
    which: InputNumber


@dataclass(frozen=True)
class Begun:
    """An input is made, and is now read."""

    task: Task


@dataclass(frozen=True)
class Ended:
    """An input was read."""

    task: Task
    verdict: Verdict
    seconds: float


class Sample:
    """A whole file or folder of a reader in a folder of its own, where one file at a time is exchanged."""

    def __init__(self, reader: RegisteredReader, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.reader, self.folder, self.path = reader, folder, folder / reader.path
        reader.write(self.path)
        found = [path for path in folder.rglob("*") if path.is_file()]
        self.files = {path.relative_to(folder): path.read_bytes() for path in found}

    @contextlib.contextmanager
    def exchanged(self, made: Input) -> Iterator[None]:
        """Have the input in the place of the whole file."""
        self._put(made.file, made.content)
        try:
            yield
        finally:
            self._put(made.file, self.files[made.file])

    def _put(self, file: Path, content: bytes) -> None:
        # Never into the file itself: a value of before may still be mapped to it.
        new = self.folder / "new"
        new.write_bytes(content)
        new.replace(self.folder / file)


def run(readers: Sequence[RegisteredReader], folder: Path, limits: Limits, connection: Connection) -> None:
    """Do tasks until none comes any more, and tell of each when it is begun and ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends this process
    warnings.simplefilter("ignore")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    tempfile.tempdir = str(folder)
    with (folder / STACKS).open("w") as stacks:
        _tell_of_crashes(stacks.fileno())
        write_canary(folder / "data" / "secret")
        guard, watch = Guard(), Watch(folder / "data" / "secret")
        samples = {reader.name: Sample(reader, folder / "data" / reader.name) for reader in readers}
        for sample in samples.values():
            _check_whole(sample, guard, watch)
        with contextlib.suppress(EOFError, BrokenPipeError):  # the parent needs no more
            while True:
                for task in connection.recv():
                    _do(task, samples[task.reader], guard, watch, limits, connection)


def _do(
    task: Task, sample: Sample, guard: Guard, watch: Watch, limits: Limits, connection: Connection
) -> None:
    os.chdir(sample.folder)
    began = time.perf_counter()
    signal.setitimer(signal.ITIMER_PROF, _MAKING_S)
    made = make_input(sample.reader, sample.files, task.which)
    with sample.exchanged(made):
        connection.send(Begun(task))
        with _limited(limits):
            verdict = judge(sample.reader, sample.path, guard, watch)
    connection.send(Ended(task, verdict, time.perf_counter() - began))


def _check_whole(sample: Sample, guard: Guard, watch: Watch) -> None:
    """Read what is whole, which also imports what is imported only when it is needed."""
    os.chdir(sample.folder)
    sample.reader.read(sample.path)
    verdict = judge(sample.reader, sample.path, guard, watch)
    if verdict.outcome != "value":
        raise AssertionError(f"{sample.reader.name} does not read its whole file: {verdict}")


def _tell_of_crashes(stacks: int) -> None:
    faulthandler.enable(stacks)
    # The signal of the timer, after which the process ends as it does without a handler.
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    faulthandler.register(signal.SIGPROF, stacks, chain=True)


@contextlib.contextmanager
def _limited(limits: Limits) -> Iterator[None]:
    """Limit what the process may take from here on; the timer's signal ends it."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + limits.memory_bytes, most))
    signal.setitimer(signal.ITIMER_PROF, limits.cpu_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
