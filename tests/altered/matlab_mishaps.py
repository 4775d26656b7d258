"""What people, copying and other versions do to a result of Suite2p for MATLAB."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from tests.altered.recordings import Written

ARRAYS = {"Fcell": "F", "FcellNeu": "Fneu", "sp": "spks"}

Content = dict[str, Any]


@dataclass
class WrittenResult:
    """A result and its tifs.

    Attributes
    ----------
    recording
        The tifs of all sessions.
    frames
        Frames of each session, in order of their start.
    content
        The variables of the result.
    cells
        Regions that are cells.
    is_exact
        Whether all values are those that were written.
    """

    recording: Written
    frames: dict[str, int]
    content: Content = field(default_factory=dict)
    cells: set[int] = field(default_factory=set)
    is_exact: bool = True


Mishap = Callable[[Random, WrittenResult], str]


def _drop_row(random: Random, written: WrittenResult) -> str:
    name = random.choice([*ARRAYS, "stat"])
    if name == "stat":
        del written.content["stat"][random.randrange(len(written.content["stat"]))]
    else:
        _change(random, written, name, lambda array: np.delete(array, random.randrange(len(array)), axis=0))
    return f"drop a row of {name}"


def _drop_frame(random: Random, written: WrittenResult) -> str:
    name = random.choice([*ARRAYS])
    _change(random, written, name, lambda array: np.delete(array, random.randrange(array.shape[1]), axis=1))
    return f"drop a frame of {name}"


def _drop_frame_of_all(random: Random, written: WrittenResult) -> str:
    session = random.randrange(len(written.frames))
    for name in ARRAYS:
        arrays = list(written.content[name])
        arrays[session] = np.delete(arrays[session], 0, axis=1)
        written.content[name] = tuple(arrays)
    return "drop a frame of all traces"


def _swap_sessions(random: Random, written: WrittenResult) -> str:
    # Of sessions of one length, nothing tells which is which.
    if len(set(written.frames.values())) < len(written.frames):
        return _swap_names(random, written)
    for name in ARRAYS:
        written.content[name] = written.content[name][::-1]
    written.content["ops"]["Nframes"] = written.content["ops"]["Nframes"][:, ::-1]
    return "swap the sessions of all traces"


def _swap_names(random: Random, written: WrittenResult) -> str:
    written.content["ops"]["fsroot"] = written.content["ops"]["fsroot"][::-1]
    return "swap the sessions' names"


def _reorder(random: Random, written: WrittenResult) -> str:
    order = list(range(len(written.content["stat"])))
    random.shuffle(order)
    written.content["stat"] = [written.content["stat"][index] for index in order]
    for name in ARRAYS:
        written.content[name] = tuple(array[order] for array in written.content[name])
    return "reorder the regions"


def _drop_region(random: Random, written: WrittenResult) -> str:
    at = random.randrange(len(written.content["stat"]))
    written.cells.discard(int(written.content["stat"].pop(at)["mrs"]))
    for name in ARRAYS:
        written.content[name] = tuple(np.delete(array, at, axis=0) for array in written.content[name])
    return "drop a region"


def _curate(random: Random, written: WrittenResult) -> str:
    written.cells.clear()
    for region in written.content["stat"]:
        is_cell = random.random() < 0.5
        region["iscell"] = np.array([[is_cell]])
        written.cells |= {int(region["mrs"])} if is_cell else set()
    return "curate"


def _change_type(random: Random, written: WrittenResult) -> str:
    name = random.choice([*ARRAYS])
    dtype = random.choice(("float64", "int16", "uint8"))
    written.is_exact = dtype == "float64"
    _change(random, written, name, lambda array: array.astype(dtype), of_all=True)
    return f"save {name} as {dtype}"


def _transpose(random: Random, written: WrittenResult) -> str:
    name = random.choice([*ARRAYS])
    # As many frames as regions could be either.
    if any(len(array) == array.shape[1] for array in written.content[name]):
        return _drop_row(random, written)
    _change(random, written, name, lambda array: array.T, of_all=True)
    return f"save {name} transposed"


def _lose_variable(random: Random, written: WrittenResult) -> str:
    name = random.choice(("Fcell", "FcellNeu", "stat", "ops"))
    del written.content[name]
    return f"lose {name}"


def _put_nan(random: Random, written: WrittenResult) -> str:
    region = random.choice(written.content["stat"])
    name = random.choice(("iscell", "cellProb", "neuropilCoefficient"))
    region[name] = np.nan
    return f"put NaN into {name}"


MATLAB_MISHAPS: Sequence[Mishap] = (
    _drop_row,
    _drop_frame,
    _drop_frame_of_all,
    _swap_sessions,
    _swap_names,
    _reorder,
    _drop_region,
    _curate,
    _change_type,
    _transpose,
    _lose_variable,
    _put_nan,
)


def damage(random: Random, path: Path) -> str:
    size = path.stat().st_size
    what = random.choice(("cut the end off", "append bytes", "zero a block"))
    if what == "cut the end off":
        os.truncate(path, random.randrange(size))
    else:
        with path.open("rb+") as file:
            file.seek(size if what == "append bytes" else random.randrange(size))
            file.write(bytes(random.randint(1, 200)))
    return what


def _change(
    random: Random, written: WrittenResult, name: str, change: Callable[[Any], Any], *, of_all: bool = False
) -> None:
    """Change the array of one session, or those of all."""
    chosen = random.randrange(len(written.frames))
    written.content[name] = tuple(
        change(array) if of_all or session == chosen else array
        for session, array in enumerate(written.content[name])
    )
