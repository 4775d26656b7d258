"""Cases of outputs of Suite2p for MATLAB: two sessions in one plane, changed, registered and imported."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Literal

import numpy as np

from imaging_pipeline.ingest.listing import scan
from imaging_pipeline.ingest.plan import make_plan
from imaging_pipeline.ingest.records import Plan, Request
from imaging_pipeline.ingest.verdicts import OutputVerdict
from imaging_pipeline.schemas.make.analyses import analysis_rows, open_plane
from imaging_pipeline.schemas.make.fetching import OutputLocation
from imaging_pipeline.segmentation.frames import Slice
from tests.altered.analysed import session_tifs
from tests.altered.cases import SAME, TOLD, Outcome, Subject, judge_error
from tests.altered.matlab_mishaps import ARRAYS, MATLAB_MISHAPS, WrittenResult, damage
from tests.altered.outputs import STEP, region_in, traces_of
from tests.altered.recordings import SCANIMAGE, Written, draw
from tests.makers.folders import aged
from tests.makers.matlab_file import write_v7, write_v73
from tests.makers.suite2p_matlab import HEIGHT, WIDTH, MatlabSpec, content

_LATER = timedelta(days=400)
_CHANGED = 0.9


def run(random: Random, folder: Path, container: Literal["v7", "v7.3"]) -> Outcome:
    """Write a result, change it, register and import it, and judge what would be stored."""
    path = folder / "share" / "day1"
    written = _draw(random)
    written.recording.write(path)
    result = path / "F_90218_2024-05-17_plane1.mat"
    words: tuple[str, ...] = ()
    is_changed, is_damaged = random.random() < _CHANGED, random.random() < 0.25
    if is_changed and not is_damaged:
        words = (random.choice(MATLAB_MISHAPS)(random, written),)
    (write_v7 if container == "v7" else write_v73)(result, written.content)
    if is_changed and is_damaged:
        written.is_exact = False
        words = (damage(random, result),)
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
    for name, quantity in ARRAYS.items():
        array = traces_of(regions, int(ends[-1]), quantity)
        written.content[name] = tuple(
            array[:, start:end] for start, end in zip(ends[:-1], ends[1:], strict=True)
        )
    for region, stat in zip(regions, written.content["stat"], strict=True):
        stat |= {"mrs": float(region), "cellProb": region / STEP, "neuropilCoefficient": region / STEP}
    moved = np.arange(ends[-1], dtype=float)
    written.content["ops"]["DS"] = np.column_stack([-moved, moved])


_CONTAINERS: Sequence[Literal["v7", "v7.3"]] = ("v7", "v7.3")

MATLAB_OUTPUTS = tuple(
    Subject(f"outputs of Suite2p for MATLAB in {container}", partial(run, container=container))
    for container in _CONTAINERS
)
