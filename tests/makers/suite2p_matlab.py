"""Results of Suite2p for MATLAB, without running it.

Names, shapes and classes are those that ``run_pipeline``, ``add_deconvolution`` and the window ``new_main``
of cortex-lab/Suite2P save; what is in the arrays is drawn from a seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from tests.makers.folders import aged
from tests.makers.matlab_file import write_v7, write_v73

HEIGHT, WIDTH = 48, 64
# From 1, as MATLAB counts: rows 3 to 46 and columns 2 to 61 were always in view.
Y_RANGE, X_RANGE = np.arange(3, 47), np.arange(2, 62)
COEFFICIENTS = (0.7, 0.55, 0.8, 0.62, 0.91)


@dataclass(frozen=True)
class MatlabSpec:
    """What to write.

    Attributes
    ----------
    tifs, frames
        Names of the tifs and frames of the plane, of each session.
    plane
        From 1, as MATLAB counts.
    is_cell
        What the classifier, or a person, decided.
    deconvolved
        Whether ``add_deconvolution`` was run.
    noted_in
        Which window curated: that of today notes labels in ``stat``, an early one in ``cl``.
    pixels_in
        What ``ypix``, ``xpix`` and ``med`` count in: the part that was always in view, as ``ipix`` does, or
        the whole frame.
    """

    tifs: Sequence[Sequence[str]] = (("90218-openfield_00001_00001.tif",),)
    frames: Sequence[int] = (60,)
    container: Literal["v7", "v7.3"] = "v7.3"
    plane: int = 1
    num_planes: int = 1
    rate_hz: float = 10.0
    is_cell: Sequence[bool] = (True, True, True, True, True)
    deconvolved: bool = True
    noted_in: Literal["stat", "cl"] = "stat"
    with_tifs: bool = True
    num_blocks: int = 1
    has_red: bool = False
    pixels_in: Literal["part", "frame"] = "part"
    seed: int = 0


def write_result(folder: Path, spec: MatlabSpec = MatlabSpec()) -> Path:
    """Write what a run leaves of a plane, as long ago, and give its path."""
    return _write(folder, f"F_90218_2024-05-17_plane{spec.plane}.mat", spec, content(spec))


def write_curated(folder: Path, spec: MatlabSpec = MatlabSpec()) -> Path:
    """Write what the window saves of a plane, as long ago, and give its path."""
    held = content(spec)
    labels = {"iscell": np.array([spec.is_cell], float)} if spec.noted_in == "cl" else {}
    held["cl"] = {"Ly": float(Y_RANGE.size), "Lx": float(X_RANGE.size), "threshold": 0.5, **labels}
    held["filename"] = "D:\\DATA\\F\\F_90218_2024-05-17_plane1.mat"
    return _write(folder, f"F_90218_2024-05-17_plane{spec.plane}_proc.mat", spec, {"dat": held})


def _write(folder: Path, name: str, spec: MatlabSpec, variables: dict[str, Any]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    write = write_v73 if spec.container == "v7.3" else write_v7
    return aged(write(folder / name, variables))


def content(spec: MatlabSpec) -> dict[str, Any]:
    """Return the variables of a result; the same seed gives the same traces and regions."""
    random = np.random.default_rng([spec.seed, spec.plane])
    shapes = [(len(spec.is_cell), frames) for frames in spec.frames]
    variables = {
        "ops": _ops(random, spec),
        "stat": [_region(random, spec, number) for number in range(len(spec.is_cell))],
        "Fcell": tuple(random.normal(500, 40, shape).astype(np.float32) for shape in shapes),
        "FcellNeu": tuple(random.normal(200, 10, shape).astype(np.float32) for shape in shapes),
    }
    if spec.deconvolved:
        variables["sp"] = tuple(random.exponential(3, shape).astype(np.float32) for shape in shapes)
    return variables


def _ops(random: np.random.Generator, spec: MatlabSpec) -> dict[str, Any]:
    num_frames = sum(spec.frames)
    image = random.normal(300, 50, (HEIGHT, WIDTH))
    shifts = (num_frames, 2) if spec.num_blocks == 1 else (num_frames, 2, spec.num_blocks)
    ops = {
        "mouse_name": "90218",
        "date": "2024-05-17",
        "iplane": float(spec.plane),
        "nplanes": float(spec.num_planes),
        "nchannels": 2.0 if spec.has_red else 1.0,
        "imageRate": spec.rate_hz * spec.num_planes,
        "sensorTau": 2.0,
        "diameter": 12.0,
        "nonrigid": float(spec.num_blocks > 1),
        "doRegistration": 1.0,
        "maxNeurop": np.inf,
        "Ly": float(HEIGHT),
        "Lx": float(WIDTH),
        "yrange": Y_RANGE[None].astype(float),
        "xrange": X_RANGE[None].astype(float),
        "Nframes": np.array([spec.frames], float),
        "mimg": image + 1,
        "mimg1": image,
        "Vcorr": random.uniform(0, 1, (Y_RANGE.size, X_RANGE.size)),
        "DS": np.round(random.normal(0, 2, shifts), 1),
        "CorrFrame": random.uniform(0.01, 0.05, (num_frames, spec.num_blocks)),
        "badframes": random.uniform(0, 1, (1, num_frames)) < 0.1,
        "expts": np.zeros((0, 0)),
    }
    if spec.has_red:
        ops |= {"mimgRED": image / 3, "mimgREDcorrected": image / 4}
    if spec.with_tifs:
        ops["fsroot"] = tuple(
            [{"name": f"D:\\DATA\\90218\\{name}", "bytes": 1e6} for name in names] for names in spec.tifs
        )
    return ops


def _region(random: np.random.Generator, spec: MatlabSpec, number: int) -> dict[str, Any]:
    y, x = random.integers(6, Y_RANGE.size - 6), random.integers(6, X_RANGE.size - 6)
    offsets_y, offsets_x = np.mgrid[-3:4, -3:4]
    inside = offsets_y**2 + offsets_x**2 <= 9
    ypix, xpix = (y + offsets_y[inside])[:, None], (x + offsets_x[inside])[:, None]
    region = {
        "ipix": (ypix + (xpix - 1) * Y_RANGE.size).astype(float),
        "ypix": ypix.astype(float),
        "xpix": xpix.astype(float),
        "lam": random.uniform(0.1, 1, ypix.shape),
        "npix": float(ypix.size),
        "med": np.array([[y, x]], float),
        "mrs": 0.35,
        "mrs0": 0.34,
        "cmpct": 0.35 / 0.34,
        "footprint": 1.0,
        "radius": 3.2,
        "aspect_ratio": 1.1,
        "isoverlap": np.zeros(ypix.shape, bool),
        "skew": random.uniform(1, 4),
        "std": 1.7,
        "iscell": np.array([[spec.is_cell[number]]]),
        "cellProb": 0.75,
        "neuropilCoefficient": COEFFICIENTS[number % len(COEFFICIENTS)],
    }
    if spec.pixels_in == "frame":
        first_y, first_x = Y_RANGE[0] - 1, X_RANGE[0] - 1
        moved = {"ypix": region["ypix"] + first_y, "xpix": region["xpix"] + first_x}
        region |= moved | {"med": region["med"] + [first_y, first_x]}
    if spec.has_red:
        region |= {"redcell": np.array([[number == 1]]), "redprob": 0.25}
    return region
