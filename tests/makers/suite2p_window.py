"""What a person does to an output in Suite2p's window, as versions 0.14 and 1.1 save it, long ago."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from tests.makers.folders import aged

Generation = Literal["0.x", "1.x"]
_TRACES = ("F", "Fneu", "spks")


def merge(folder: Path, *groups: Sequence[int], generation: Generation = "0.x", second: bool = False) -> None:
    """Open a folder, merge ROIs of each group to one more, and save.

    A group may name a ROI that an earlier group, or an earlier opening, made. ``second`` tells whether the
    window has the second channel's traces, which it appends to as well.
    """
    stat = _load_stat(folder)
    for roi in stat:
        roi["inmerge"] = 0
        roi.setdefault("imerge", [])
    names = [*_TRACES, *(("F_chan2", "Fneu_chan2") if second else ())]
    arrays = {name: np.load(folder / f"{name}.npy") for name in names}
    labels = np.load(folder / "iscell.npy")
    for group in groups:
        parts = sorted({part for number in group for part in [*stat[number]["imerge"]] or [number]})
        stat.append(_merged(stat, parts))
        for name, array in arrays.items():
            arrays[name] = np.concatenate([array, array[parts].mean(axis=0, keepdims=True)])
        labels = np.concatenate([labels, [[labels[group[0], 0], labels[parts, 1].mean()]]])
        for part in parts:
            stat[part]["inmerge"] = len(stat) - 1
            if generation == "1.x":
                labels[part, 0] = 0
    _save(folder, stat, arrays, labels)


def draw(folder: Path, row: int, column: int, *, says_plane: bool = True) -> None:
    """Open a folder, draw a ROI about a pixel, and save; it comes before the others, as a cell.

    The window gives it the plane of the first ROI where that one has any; before 0.10 it gave none.
    """
    stat = _load_stat(folder)
    rows, columns = np.mgrid[row - 2 : row + 3, column - 2 : column + 3].reshape(2, -1)
    roi = {
        "ypix": rows,
        "xpix": columns,
        "lam": np.ones(rows.size),
        "med": [rows.mean(), columns.mean()],
        "npix": rows.size,
        "compact": 1,
        "footprint": 2,
        "manual": 1,
    }
    if says_plane and "iplane" in stat[0]:
        roi["iplane"] = stat[0]["iplane"]
    arrays = {name: np.load(folder / f"{name}.npy") for name in _TRACES}
    arrays = {name: np.concatenate([array[:1] + 1, array]) for name, array in arrays.items()}
    _save(folder, [roi, *stat], arrays, np.concatenate([[[1, 1]], np.load(folder / "iscell.npy")]))


def change_stat(folder: Path, number: int, **changes: Any) -> None:
    """Change keys of a ROI as a person's own script does; one that becomes ``...`` is removed."""
    stat = _load_stat(folder)
    stat[number] = {key: value for key, value in (stat[number] | changes).items() if value is not ...}
    np.save(folder / "stat.npy", np.array(stat, dtype=object))


def _load_stat(folder: Path) -> list[dict[str, Any]]:
    return list(np.load(folder / "stat.npy", allow_pickle=True))


def _merged(stat: Sequence[dict[str, Any]], parts: Sequence[int]) -> dict[str, Any]:
    pixels = np.concatenate([np.column_stack([stat[part]["ypix"], stat[part]["xpix"]]) for part in parts])
    weights = np.concatenate([stat[part]["lam"] for part in parts])
    pixels, first = np.unique(pixels, axis=0, return_index=True)
    plane = {key: stat[parts[0]][key] for key in ("iplane",) if key in stat[parts[0]]}
    measures = {key: stat[parts[0]][key] for key in ("footprint", "radius", "aspect_ratio", "compact")}
    return {
        "imerge": np.array(parts),
        **plane,
        "ypix": pixels[:, 0],
        "xpix": pixels[:, 1],
        "med": [int(np.median(pixels[:, 0])), int(np.median(pixels[:, 1]))],
        "lam": weights[first],
        "npix": len(pixels),
        "chan2_prob": -1,
        "inmerge": -1,
        "skew": np.float32(1.5),
        "std": np.float32(30),
        **measures,
    }


def _save(folder: Path, stat: list[dict[str, Any]], arrays: dict[str, Any], labels: Any) -> None:
    np.save(folder / "stat.npy", np.array(stat, dtype=object))
    np.save(folder / "iscell.npy", labels.astype(float))
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array.astype(np.float32))
    for name in ("stat", "iscell", *arrays):
        aged(folder / f"{name}.npy")
