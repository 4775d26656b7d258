"""Cases of outputs of Suite2p for MATLAB: two sessions in one plane, changed, registered and imported."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Literal

import numpy as np

from imaging_pipeline.ingest.listing import scan
from imaging_pipeline.ingest.plan import make_plan
from imaging_pipeline.ingest.records import OutputVerdict, Plan, Request
from imaging_pipeline.schemas.make.analyses import analysis_rows, open_plane
from imaging_pipeline.schemas.make.fetching import OutputLocation
from imaging_pipeline.segmentation.frames import Slice
from tests.altered.analysed import session_tifs
from tests.altered.cases import SAME, TOLD, Outcome, Subject, judge_error
from tests.altered.outputs import STEP, region_in, traces_of
from tests.altered.recordings import SCANIMAGE, Written, draw
from tests.makers.folders import aged
from tests.makers.matlab_file import write_v7, write_v73
from tests.makers.suite2p_matlab import HEIGHT, WIDTH, MatlabSpec, content

_LATER = timedelta(days=400)
_CHANGED = 0.9
_ARRAYS = {"Fcell": "F", "FcellNeu": "Fneu", "sp": "spks"}

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
    name = random.choice([*_ARRAYS, "stat"])
    if name == "stat":
        del written.content["stat"][random.randrange(len(written.content["stat"]))]
    else:
        _change(random, written, name, lambda array: np.delete(array, random.randrange(len(array)), axis=0))
    return f"drop a row of {name}"


def _drop_frame(random: Random, written: WrittenResult) -> str:
    name = random.choice([*_ARRAYS])
    _change(random, written, name, lambda array: np.delete(array, random.randrange(array.shape[1]), axis=1))
    return f"drop a frame of {name}"


def _drop_frame_of_all(random: Random, written: WrittenResult) -> str:
    session = random.randrange(len(written.frames))
    for name in _ARRAYS:
        arrays = list(written.content[name])
        arrays[session] = np.delete(arrays[session], 0, axis=1)
        written.content[name] = tuple(arrays)
    return "drop a frame of all traces"


def _swap_sessions(random: Random, written: WrittenResult) -> str:
    for name in _ARRAYS:
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
    for name in _ARRAYS:
        written.content[name] = tuple(array[order] for array in written.content[name])
    return "reorder the regions"


def _drop_region(random: Random, written: WrittenResult) -> str:
    at = random.randrange(len(written.content["stat"]))
    written.cells.discard(int(written.content["stat"].pop(at)["mrs"]))
    for name in _ARRAYS:
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
    name = random.choice([*_ARRAYS])
    dtype = random.choice(("float64", "int16", "uint8"))
    written.is_exact = dtype == "float64"
    _change(random, written, name, lambda array: array.astype(dtype), of_all=True)
    return f"save {name} as {dtype}"


def _transpose(random: Random, written: WrittenResult) -> str:
    name = random.choice([*_ARRAYS])
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


_MISHAPS: Sequence[Mishap] = (
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


def _damaged(random: Random, path: Path) -> str:
    size = path.stat().st_size
    what = random.choice(("cut the end off", "append bytes", "zero a block"))
    if what == "cut the end off":
        os.truncate(path, random.randrange(size))
    else:
        with path.open("rb+") as file:
            file.seek(size if what == "append bytes" else random.randrange(size))
            file.write(bytes(random.randint(1, 200)))
    return what


def run(random: Random, folder: Path, container: Literal["v7", "v7.3"]) -> Outcome:
    """Write a result, change it, register and import it, and judge what would be stored."""
    path = folder / "share" / "day1"
    written = _draw(random)
    written.recording.write(path)
    result = path / "F_90218_2024-05-17_plane1.mat"
    words: tuple[str, ...] = ()
    is_changed, is_damaged = random.random() < _CHANGED, random.random() < 0.25
    if is_changed and not is_damaged:
        words = (random.choice(_MISHAPS)(random, written),)
    (write_v7 if container == "v7" else write_v73)(result, written.content)
    if is_changed and is_damaged:
        written.is_exact = False
        words = (_damaged(random, result),)
    aged(result)
    try:
        request = Request("moser", path.name, SCANIMAGE, True, "90218", 0)
        now = datetime.now(UTC).replace(tzinfo=None) + _LATER
        plan = make_plan(request, scan(path), {}, {}, now=now)
        told = [output.reason for output in plan.outputs if output.verdict is not OutputVerdict.FINISHED]
        if told or not plan.outputs:
            return Outcome(TOLD if words else "an unchanged output is not finished", words, "; ".join(told))
        found = list(dict.fromkeys(_differences(written, plan, path)))
    except Exception as error:
        return judge_error(error, words, (result.name, path.name), path)
    return Outcome("; ".join(found) or SAME, words)


def _differences(written: WrittenResult, plan: Plan, path: Path) -> Iterator[str]:
    (metasession,) = plan.metasessions
    (dataset,) = metasession.datasets
    output = OutputLocation(dataset.datasettype, str(path.parent / dataset.files[0].path), "")
    for session in metasession.sessions:
        first = sum(
            written.frames[each.timeseries_name]
            for each in metasession.sessions
            if each.start < session.start
        )
        tifs = [session_tifs(each, written.recording) for each in metasession.sessions]
        row = analysis_rows(output, tifs, session.session_name).row
        if (row["first_frame"], row["num_frames"]) != (first, written.frames[session.timeseries_name]):
            yield "the session's frames are other ones"
            return
        with open_plane(output) as plane:
            is_cell, probability = plane.cell_labels()
            rois, coefficients = plane.rois(), plane.neuropil_coefficients()
            traces = plane.traces(Slice(row["first_frame"], row["num_frames"]))
            motion = plane.motion()
        numbers = [int(rois[index].mrs or 0) for index in np.flatnonzero(is_cell)]
        if written.is_exact and set(numbers) != written.cells:
            yield "other regions are cells"
        for name, array in (("F", traces.fluo), ("Fneu", traces.neuropil), ("spks", traces.spikes)):
            for index, number in zip(np.flatnonzero(is_cell), numbers, strict=True):
                region = None if array is None else region_in(np.asarray(array[index]), first, name)
                if region != number and (written.is_exact or region is not None):
                    yield f"{name} of a cell is another one's"
        for values in (probability[is_cell], coefficients[is_cell]):
            known = np.isfinite(values)
            if written.is_exact and not np.allclose(values[known] * STEP, np.array(numbers)[known]):
                yield "a cell's probability or coefficient is another one's"
        if written.is_exact and not np.array_equal(motion.x_offset, np.arange(sum(written.frames.values()))):
            yield "a frame's motion is another one's"


def _draw(random: Random) -> WrittenResult:
    recording = draw(random, SCANIMAGE)
    while not _is_planar(recording):
        recording = draw(random, SCANIMAGE)
    recording.tifs = {name: tif for name, tif in recording.tifs.items() if tif.frames[0].acquisition == 1}
    for name, tif in recording.tifs.items():
        recording.tifs[name] = replace(tif, shape=(HEIGHT, WIDTH))
    names: dict[str, list[str]] = {}
    for name, tif in recording.tifs.items():
        names.setdefault(tif.frames[0].session, []).append(name)
    frames = {
        session: sum(len(recording.tifs[name].frames) for name in of_session)
        for session, of_session in names.items()
    }
    num_rois = random.randint(2, 5)
    labels = [random.random() < 0.7 for _ in range(num_rois)]
    spec = MatlabSpec(tifs=list(names.values()), frames=list(frames.values()), is_cell=labels)
    written = WrittenResult(recording, frames, content(spec))
    _tell(written, labels)
    return written


def _is_planar(recording: Written) -> bool:
    settings, generation = recording.settings, recording.generation
    return (
        settings.num_planes == 1 and len(settings.channels) == 1 and bool(generation and generation.has_times)
    )


def _tell(written: WrittenResult, labels: Sequence[bool]) -> None:
    """Let each value tell of which region, session and frame it is."""
    regions = [number + 1 for number in range(len(labels))]
    written.cells = {region for region, is_cell in zip(regions, labels, strict=True) if is_cell}
    ends = np.cumsum([0, *written.frames.values()])
    for name, quantity in _ARRAYS.items():
        array = traces_of(regions, int(ends[-1]), quantity)
        written.content[name] = tuple(
            array[:, start:end] for start, end in zip(ends[:-1], ends[1:], strict=True)
        )
    for region, stat in zip(regions, written.content["stat"], strict=True):
        stat |= {"mrs": float(region), "cellProb": region / STEP, "neuropilCoefficient": region / STEP}
    moved = np.arange(ends[-1], dtype=float)
    written.content["ops"]["DS"] = np.column_stack([-moved, moved])


def _change(
    random: Random, written: WrittenResult, name: str, change: Callable[[Any], Any], *, of_all: bool = False
) -> None:
    """Change the array of one session, or those of all."""
    chosen = random.randrange(len(written.frames))
    written.content[name] = tuple(
        change(array) if of_all or session == chosen else array
        for session, array in enumerate(written.content[name])
    )


_CONTAINERS: Sequence[Literal["v7", "v7.3"]] = ("v7", "v7.3")

MATLAB_OUTPUTS = tuple(
    Subject(f"outputs of Suite2p for MATLAB in {container}", partial(run, container=container))
    for container in _CONTAINERS
)
