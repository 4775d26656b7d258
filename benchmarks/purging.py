"""How long it takes to delete what is derived of a session."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.cell_session import import_session, register_session
from benchmarks.fresh_process import call_fresh
from benchmarks.measurement import Measurement
from benchmarks.script import Script, run
from imaging_pipeline.config.config import Config


@dataclass(frozen=True)
class Size:
    """How many cells and frames the session has, and how often it is purged."""

    cells: int = 2000
    frames: int = 1000
    repeats: int = 5


@dataclass(frozen=True)
class _Purge:
    """Seconds of a purge, seconds to find and count its rows, and how many rows it deletes."""

    purge_s: float
    count_s: float
    num_rows: int


def measure(size: Size, folder: Path, config: Config) -> Iterator[Measurement]:
    # The tables are bound to one database a process.
    purged: _Purge = call_fresh(_purge_session, size, folder, config).result
    yield Measurement(
        f"purge a session of {size.cells:,} cells ({purged.num_rows:,} rows)",
        purged.purge_s,
        "s",
        "find and count the rows",
        purged.count_s,
        at_most=1,
    )


def _purge_session(size: Size, folder: Path, config: Config) -> _Purge:
    from imaging_pipeline.ingest.folder_changes import Purge, PurgeSeed
    from imaging_pipeline.schemas import imaging, tables
    from imaging_pipeline.schemas.register import purge

    lab, _ = register_session(config, folder / "lab", size.cells, size.frames)
    import_session()
    key = imaging.Cell().fetch1("KEY")
    purges = [
        Purge(
            PurgeSeed.LINKS,
            key["metasession_name"],
            "curated",
            (key["session_name"],),
            key["dataset_name"],
        )
    ]
    purge_s, count_s = [], []
    for _ in range(size.repeats):
        start = time.perf_counter()
        counted = purge.find(tables.default_tables(), purges).counted
        count_s.append(time.perf_counter() - start)
        # Rolled back, so that the next round finds the same rows.
        lab.connection.start_transaction()
        start = time.perf_counter()
        purge.find(tables.default_tables(), purges).delete_rows()
        purge_s.append(time.perf_counter() - start)
        lab.connection.cancel_transaction()
    return _Purge(min(purge_s), min(count_s), sum(table.num_rows for table in counted))


SCRIPT = Script(full=Size(), tiny=Size(cells=3, frames=30, repeats=1), measure=measure, on_servers=True)

if __name__ == "__main__":
    run(SCRIPT)
