"""How long it takes to register a folder, and to register it again unchanged."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from benchmarks.fresh_process import call_fresh
from benchmarks.measurement import Measurement
from benchmarks.script import Script, run
from benchmarks.share import write_share
from benchmarks.timing import interleaved_s
from imaging_pipeline.config.config import Config
from imaging_pipeline.ingest.listing import scan
from imaging_pipeline.ingest.plan import make_plan
from imaging_pipeline.ingest.records import FileRecord, Plan, Request

_FLOOR_BYTES = 16 * 1024
_OPEN_FILES = Path("/proc/self/fd")
_REQUEST = Request("moser", "day0000", "2Pminiscope_A", False, "a0f1", 0)


@dataclass(frozen=True)
class Size:
    """How many folders and files there are.

    Attributes
    ----------
    folders, files
        Folders of the share, and files of each.
    batch
        Folders that are timed together; the shortest time of a batch counts.
    large_files
        Files of the one folder that is only planned.
    repeats
        How often it is.
    """

    folders: int = 1000
    files: int = 50
    batch: int = 50
    large_files: int = 10_000
    repeats: int = 5


@dataclass(frozen=True)
class _Share:
    """Figures of registering all folders of a share.

    Attributes
    ----------
    new_s, floor_s, again_s, list_s
        Seconds a folder: registered; only listed and begun to be read; unchanged; only listed.
    open_files
        The most of its files that were open at a time; None where this system does not tell.
    """

    new_s: float
    floor_s: float
    again_s: float
    list_s: float
    open_files: int | None


def measure(size: Size, folder: Path, config: Config) -> Iterator[Measurement]:
    # The tables are bound to one database a process.
    call = call_fresh(_register_share, size, folder / "lab", config)
    share: _Share = call.result
    yield Measurement(
        f"register a folder of {size.files} files, of {size.folders:,}",
        share.new_s * 1e3,
        "ms",
        "list, and read 16 KiB of each",
        share.floor_s * 1e3,
        at_most=50,
    )
    yield Measurement(
        "the same, unchanged", share.again_s * 1e3, "ms", "list", share.list_s * 1e3, at_most=10
    )
    yield Measurement("memory to register all", call.peak_mb, "MB", at_most=200)
    if share.open_files is not None:
        yield Measurement("files open at a time", share.open_files, "files", at_most=1)
    yield _planning(size, folder / "large")


def _register_share(size: Size, folder: Path, config: Config) -> _Share:
    from imaging_pipeline.schemas import imaging
    from tests.makers.lab import Lab, emptied_lab

    folder.mkdir()
    lab: Lab = emptied_lab(config, folder)
    folders = write_share(lab.share, size.folders, size.files)
    observed, *batches = (folders[first : first + size.batch] for first in range(0, len(folders), size.batch))

    def register(batch: Sequence[Path]) -> None:
        imaging.BaseFolder.insert(lab.request(path, combined=False) for path in batch)
        imaging.MakeDatasetSessions.populate(reserve_jobs=True)

    # Counting open files takes time, so that this batch is not timed.
    with _OpenFiles(lab.share) as opened:
        register(observed)
    new_s = _shortest_s(register, batches)
    if config.backend == "postgresql":
        # It does so by itself only once a minute, and reads whole tables until then.
        lab.connection.query("ANALYZE")
    again_s = _shortest_s(register, batches)
    return _Share(
        new_s, _shortest_s(_begin_to_read, batches), again_s, _shortest_s(_list, batches), opened.most
    )


def _shortest_s(action: Callable[[Sequence[Path]], None], batches: Sequence[Sequence[Path]]) -> float:
    """Return the seconds for a folder, of the fastest batch."""
    seconds = []
    for batch in batches:
        start = time.perf_counter()
        action(batch)
        seconds.append((time.perf_counter() - start) / len(batch))
    return min(seconds)


def _list(batch: Sequence[Path]) -> None:
    for folder in batch:
        scan(folder)


def _begin_to_read(batch: Sequence[Path]) -> None:
    for folder in batch:
        for entry in scan(folder).files:
            with (folder / entry.path).open("rb", buffering=0) as file:
                file.read(_FLOOR_BYTES)


class _OpenFiles:
    """Counts continually how many files of a folder this process has open."""

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.most: int | None = None

    def __enter__(self) -> _OpenFiles:
        if _OPEN_FILES.exists():
            self.most = 0
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        if self._thread.is_alive():
            self._thread.join()

    def _watch(self) -> None:
        while not self._is_over.wait(0.01):
            self.most = max(self.most or 0, sum(map(self._is_of_folder, _OPEN_FILES.iterdir())))

    def _is_of_folder(self, opened: Path) -> bool:
        try:
            return str(opened.readlink()).startswith(self._folder)
        except OSError:
            # It was closed meanwhile.
            return False


def _planning(size: Size, share: Path) -> Measurement:
    (folder,) = write_share(share, 1, size.large_files)
    stored = _stored(make_plan(_REQUEST, scan(folder), {}, {}, settle_s=0))
    plan_s, list_s = interleaved_s(
        partial(_plan, folder, stored), partial(scan, folder), repeats=size.repeats
    )
    return Measurement(
        f"plan {size.large_files:,} files, all known",
        plan_s,
        "s",
        "list",
        list_s,
        at_most=1,
    )


def _plan(folder: Path, stored: dict[str, FileRecord]) -> None:
    make_plan(_REQUEST, scan(folder), stored, {})


def _stored(plan: Plan) -> dict[str, FileRecord]:
    """Return what the database would hold of the files of a plan."""
    return {
        file.path: replace(file, session_start=session.start)
        for metasession in plan.metasessions
        for session in metasession.sessions
        for dataset in session.datasets
        for file in dataset.files
    }


SCRIPT = Script(
    full=Size(),
    tiny=Size(folders=2, files=6, batch=1, large_files=10, repeats=1),
    measure=measure,
    on_servers=True,
)

if __name__ == "__main__":
    run(SCRIPT)
