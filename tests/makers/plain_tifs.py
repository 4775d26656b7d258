"""Folders of plain tifs with a ``session.json`` beside."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from tests.makers.folders import aged, write_file

HEIGHT, WIDTH = 48, 64
SAID = {
    "timeseries_name": "90218-openfield",
    "start": "2024-05-17T14:03:09.250",
    "frame_rate_hz": 30.0,
    "num_planes": 1,
    "num_channels": 1,
}


def write_plain_tifs(folder: Path, pages: Sequence[int] = (8, 5), dtype: str = "int16", **said: Any) -> Path:
    """Write tifs of so many pages each, numbered from 1, and what is said of them; give the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, count in enumerate(pages, 1):
        movie = (
            np.random.default_rng(number).integers(1, 3000, (count, HEIGHT, WIDTH), np.int16).astype(dtype)
        )
        tifffile.imwrite(folder / f"movie_{number}.tif", movie, photometric="minisblack")
        aged(folder / f"movie_{number}.tif")
    write_session_json(folder, **said)
    return folder


def write_session_json(folder: Path, **said: Any) -> Path:
    """Write what is said of a recording; a key that is None is left out."""
    wanted = {key: value for key, value in (SAID | said).items() if value is not None}
    return write_file(folder / "session.json", json.dumps(wanted, indent=2).encode())
