"""How much time the pipeline adds to a run of Suite2p, and how much it saves."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks import servers
from benchmarks.bare_suite2p import run_bare
from benchmarks.fresh_process import call_fresh
from benchmarks.measurement import Measurement
from benchmarks.script import Script, run
from imaging_pipeline import database
from imaging_pipeline.analysis.matching import match_centres, trace_correlations
from imaging_pipeline.config.config import Config
from imaging_pipeline.demo.field_of_view import FieldSettings, make_field
from imaging_pipeline.demo.movie import MovieSettings, make_movie
from imaging_pipeline.demo.scanimage_file import write_stack
from imaging_pipeline.demo.scanimage_settings import ScanImageSettings
from imaging_pipeline.readers.npy.file import load_npy
from imaging_pipeline.schemas import suite2p_jobs, tables
from imaging_pipeline.schemas.administer.option_sets import add_options
from tests.makers.folders import aged
from tests.makers.lab import emptied_lab, register

_MAX_OVERHEAD_S = 2
_MIN_CORRELATION = 0.999
_RATE_HZ = MovieSettings().frame_rate_hz
_OPTIONS = {
    "defaults": {"registration": {"batch_size": 100}},
    "auto": {"registration": {"batch_size": "auto"}},
}


@dataclass(frozen=True)
class Size:
    """Side and length of the movie, how many cells are in it, and how often it is analysed each way."""

    side_px: int = 256
    frames: int = 1500
    cells: int = 80
    repeats: int = 2


@dataclass(frozen=True)
class _Run:
    seconds: float
    plane: Path

    @property
    def fluo(self) -> npt.NDArray[np.float32]:
        traces: npt.NDArray[np.float32] = np.load(self.plane / "F.npy")
        return traces

    @property
    def centres_px(self) -> npt.NDArray[np.float64]:
        return np.array([roi["med"] for roi in load_npy(self.plane / "stat.npy")], np.float64)


def measure(size: Size, folder: Path) -> Iterator[Measurement]:
    tif = _write_movie(size, folder / "share" / "90218" / "2024-05-17")
    with servers.running("postgresql") as config:
        rounds = [_round(config, tif, number) for number in range(size.repeats)]
    bare, defaults, auto = (min(runs, key=lambda timed: timed.seconds) for runs in zip(*rounds, strict=True))
    what = f"of {size.side_px}² × {size.frames:,}"
    yield Measurement(
        f"Suite2Py {what}, Suite2p's defaults",
        defaults.seconds,
        "s",
        "bare run_s2p",
        bare.seconds,
        at_most=bare.seconds + _MAX_OVERHEAD_S,
    )
    yield Measurement("traces that differ from those of bare", _differing(defaults, bare), "ROIs", at_most=0)
    yield Measurement(
        f"Suite2Py {what}, batch_size: auto",
        auto.seconds,
        "s",
        "bare run_s2p",
        bare.seconds,
        at_most_ratio=0.5,
    )
    yield Measurement(
        "1 less the lowest correlation with traces of bare",
        max(0.0, 1 - _lowest_correlation(auto, bare)),
        "",
        at_most=1 - _MIN_CORRELATION,
    )


def _write_movie(size: Size, folder: Path) -> Path:
    folder.mkdir(parents=True)
    field = make_field(FieldSettings(size.side_px, size.side_px, size.cells), seed=1)
    movie = make_movie(field, MovieSettings(), size.frames, seed=1)
    tif = folder / "90218-openfield_00001_00001.tif"
    write_stack(tif, (frame for chunk in movie.chunks() for frame in chunk), ScanImageSettings(_RATE_HZ))
    return aged(tif)


def _round(config: Config, tif: Path, number: int) -> tuple[_Run, ...]:
    home = Path(tempfile.mkdtemp(dir=tif.parents[3]))
    bare = call_fresh(run_bare, tif, _RATE_HZ, home)
    ours = [_pipeline_run(config, tif, f"{name} {number}", options) for name, options in _OPTIONS.items()]
    return _Run(bare.seconds, bare.result), *ours


def _pipeline_run(config: Config, tif: Path, ops_name: str, options: Mapping[str, Any]) -> _Run:
    share = tif.parents[2]
    lab = emptied_lab(config, share.parent, share)
    add_options(tables.default_tables(), ops_name, options)
    register(lab, tif.parent, combined=False, ops_name=ops_name)
    populated = call_fresh(_populate, lab.config)
    return _Run(populated.seconds, share / populated.result / "suite2p" / "plane0")


def _populate(config: Config) -> str:
    database.connect(config)
    suite2p_jobs.Suite2Py.populate()
    return str(suite2p_jobs.Suite2Py().fetch1("output_folder"))


def _differing(ours: _Run, bare: _Run) -> int:
    """Count the ROIs whose traces differ in any bit; all, if the number of ROIs differs."""
    if ours.fluo.shape != bare.fluo.shape:
        return max(len(ours.fluo), len(bare.fluo))
    return int(np.any(ours.fluo.view(np.uint32) != bare.fluo.view(np.uint32), axis=1).sum())


def _lowest_correlation(ours: _Run, bare: _Run) -> float:
    match = match_centres(bare.centres_px, ours.centres_px, max_distance_px=2)
    return float(trace_correlations(match, bare.fluo, ours.fluo).min())


SCRIPT = Script(full=Size(), tiny=Size(side_px=136, frames=60, cells=8, repeats=1), measure=measure)

if __name__ == "__main__":
    run(SCRIPT)
