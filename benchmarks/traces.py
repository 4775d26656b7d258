"""How long an analyst waits for traces that are in the database."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.cell_session import import_session, register_session
from benchmarks.measurement import Measurement
from benchmarks.script import Script, run
from benchmarks.timing import interleaved_s
from imaging_pipeline.config.config import Config
from imaging_pipeline.schemas import imaging


@dataclass(frozen=True)
class Size:
    """How many cells and frames the session has, how often all are read, and how many one by one."""

    cells: int = 1000
    frames: int = 20_000
    repeats: int = 15
    single_cells: int = 100


def measure(size: Size, folder: Path, config: Config) -> Iterator[Measurement]:
    register_session(config, folder / "lab", size.cells, size.frames)
    import_session()
    session = imaging.Cell().fetch1("KEY")
    copy = folder / "copy.npy"
    np.save(copy, imaging.Cell.array(session, "df_f"))
    ours_s, floor_s = interleaved_s(partial(_whole, session), partial(np.load, copy), repeats=size.repeats)
    yield Measurement(
        f"traces of {size.cells:,} cells × {size.frames:,} frames as one array",
        ours_s * 1e3,
        "ms",
        "np.load",
        floor_s * 1e3,
        at_most_ratio=2,
    )
    single_s = [
        interleaved_s(partial(_single, session, cell % size.cells), repeats=1)[0]
        for cell in range(size.single_cells)
    ]
    yield Measurement("trace of one cell, median", statistics.median(single_s) * 1e3, "ms", at_most=5)


def _whole(session: dict[str, str]) -> None:
    # Copied, since the array is only mapped, while np.load reads all of it.
    np.array(imaging.Cell.array(session, "df_f"))


def _single(session: dict[str, str], cell_id: int) -> None:
    (imaging.Cell.Traces & session & {"cell_id": cell_id, "channel": "primary"}).fetch1("df_f")


SCRIPT = Script(
    full=Size(), tiny=Size(cells=3, frames=30, repeats=1, single_cells=2), measure=measure, on_servers=True
)

if __name__ == "__main__":
    run(SCRIPT)
