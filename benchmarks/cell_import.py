"""How long the import of a session's cells takes, and the memory that it needs."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.cell_session import delete_derived, import_session, register_session
from benchmarks.fresh_process import FreshCall, call_fresh
from benchmarks.measurement import Measurement
from benchmarks.script import Script, run
from imaging_pipeline import database
from imaging_pipeline.analysis.traces import baseline, corrected, delta_f_over_f
from imaging_pipeline.config.config import Config
from imaging_pipeline.schemas import imaging
from tests.makers.recordings import RATE_HZ

_READ = ("F", "Fneu", "spks")
_WRITTEN = ("F", "Fneu", "F", "F", "spks")
_BLOCK = 64
_NEUROPIL_COEFFICIENT = 0.7


@dataclass(frozen=True)
class Size:
    """How many cells and frames the session has, and how often it is imported."""

    cells: int = 1000
    frames: int = 20_000
    repeats: int = 3


@dataclass(frozen=True)
class _Round:
    imported: FreshCall
    df_f_s: float
    floor_s: float


def measure(size: Size, folder: Path, config: Config) -> Iterator[Measurement]:
    lab, plane = register_session(config, folder / "lab", size.cells, size.frames)
    rounds = [_round(lab.config, plane, folder) for _ in range(size.repeats)]
    df_f_s = min(times.df_f_s for times in rounds)
    what = f"import {size.cells:,} cells × {size.frames:,} frames"
    yield Measurement(
        f"{what}, without dF/F",
        min(times.imported.result for times in rounds) - df_f_s,
        "s",
        "read three arrays, write five, fsync",
        min(times.floor_s for times in rounds),
        at_most_ratio=3,
    )
    yield Measurement("dF/F of these cells by itself", df_f_s, "s")
    yield Measurement(f"memory to {what}", max(times.imported.peak_mb for times in rounds), "MB", at_most=500)


def _round(config: Config, plane: Path, folder: Path) -> _Round:
    params = imaging.BaselineParams().fetch1()
    df_f = call_fresh(_df_f_s, plane, params["baseline_percentile"], params["baseline_window_s"])
    floor = call_fresh(_read_and_write, plane, Path(tempfile.mkdtemp(dir=folder)))
    imported = call_fresh(_import_s, config)
    delete_derived()
    return _Round(imported, df_f.result, floor.seconds)


def _import_s(config: Config) -> float:
    database.connect(config)
    start = time.perf_counter()
    import_session()
    return time.perf_counter() - start


def _df_f_s(plane: Path, percentile: float, window_s: float) -> float:
    """Return how long dF/F takes, computed block by block as the import does."""
    import scipy.ndimage  # noqa: F401  its import is no part of the computation

    fluo, neuropil = (np.load(plane / f"{name}.npy", mmap_mode="r") for name in ("F", "Fneu"))
    seconds = 0.0
    for first in range(0, len(fluo), _BLOCK):
        cells = slice(first, first + _BLOCK)
        fcorr = corrected(fluo[cells], neuropil[cells], _NEUROPIL_COEFFICIENT)
        start = time.perf_counter()
        delta_f_over_f(fcorr, baseline(fcorr, RATE_HZ, percentile, window_s))
        seconds += time.perf_counter() - start
    return seconds


def _read_and_write(plane: Path, folder: Path) -> None:
    arrays = {name: np.load(plane / f"{name}.npy") for name in _READ}
    for number, name in enumerate(_WRITTEN):
        with (folder / f"{number}.npy").open("wb") as file:
            np.save(file, arrays[name])
            file.flush()
            os.fsync(file.fileno())


SCRIPT = Script(full=Size(), tiny=Size(cells=3, frames=30, repeats=1), measure=measure, on_servers=True)

if __name__ == "__main__":
    run(SCRIPT)
