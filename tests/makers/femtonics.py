"""Recording folders as a Femtonics microscope's computer leaves them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import tifffile

from tests.makers.folders import aged, write_file
from tests.makers.mesc import START_UTC, Z_STACK, MescUnitSpec, movie, write_mesc

ENCODER = (
    b"Rotary encoder POSITION DATA\r\ntimestamp_sys,timestamp,position,interrupt,position_at_interrupt\r\n"
)

FIRST = MescUnitSpec(0)
STACK = MescUnitSpec(1, START_UTC + timedelta(minutes=20), method=Z_STACK)
SECOND = MescUnitSpec(2, START_UTC + timedelta(minutes=40), channels=("UG", "UR"))
LATER = MescUnitSpec(3, START_UTC + timedelta(minutes=80), seed=3)


def write_femtonics(folder: Path, name: str = "90218") -> Path:
    """Write two time series and a z-stack, with what lies beside, into a folder, which is given back."""
    write_mesc(folder / f"{name}.mesc", FIRST, STACK, SECOND)
    for unit in (FIRST, SECOND):
        write_beside(folder, unit)
    return folder


def write_beside(folder: Path, unit: MescUnitSpec, before: str = "") -> None:
    """Write tracking, video and exported tifs of a measurement; ``before`` stands before its name."""
    name = f"{before}MUnit_{unit.number}"
    write_file(folder / f"{name}.csv", ENCODER + name.encode())
    write_file(folder / f"{name}.mp4", b"\0\0\0\x18ftypmp42" + name.encode())
    export_tifs(folder / name, unit)


def export_tifs(folder: Path, unit: MescUnitSpec, num_files: int = 2) -> list[Path]:
    """Write the first channel as tifs of equal length, as MESc exports it: pages without a header."""
    folder.mkdir(parents=True, exist_ok=True)
    per_file = unit.frames // num_files
    paths = []
    for number in range(num_files):
        path = folder / f"MUnit_{unit.number}_{number + 1:05d}.tif"
        pages = movie(unit)[number * per_file : (number + 1) * per_file]
        tifffile.imwrite(path, pages, metadata=None)
        paths.append(aged(path))
    return paths
