"""Cases of Suite2p's outputs: written with their tifs, changed, registered and imported."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import numpy as np

from imaging_pipeline.ingest.comparison import compare
from imaging_pipeline.ingest.listing import scan
from imaging_pipeline.ingest.plan import make_plan
from imaging_pipeline.ingest.records import DatasetRecord, Plan, Request
from imaging_pipeline.ingest.verdicts import OutputVerdict
from imaging_pipeline.schemas.make.analyses import analysis_rows, open_plane
from imaging_pipeline.schemas.make.fetching import OutputLocation, SessionTifs
from imaging_pipeline.segmentation.frames import Slice
from imaging_pipeline.segmentation.package import SegmentedPlane
from tests.altered.analysed import session_tifs
from tests.altered.cases import SAME, TOLD, Outcome, Subject, judge_error
from tests.altered.mishaps import Mishap
from tests.altered.output_mishaps import OUTPUT_MISHAPS
from tests.altered.outputs import STEP, WrittenOutput, draw, load, region_in
from tests.altered.recordings import SCANIMAGE

_LATER = timedelta(days=400)
_CHANGED = 0.9
_FIRST_MERGED = 200
_OTHER_LABELS = "labels of the planes are passed over"


@dataclass(frozen=True)
class _Imported:
    """A plane, or what was merged of several, and its first frame."""

    plane: SegmentedPlane
    first_frame: int
    num_frames: int


def run(random: Random, folder: Path) -> Outcome:
    """Write an output, change it, register and import it, and judge what would be stored."""
    path = folder / "share" / "day1"
    written = draw(random, path)
    mishap: Mishap | None = None
    try:
        if random.random() < _CHANGED:
            mishap = random.choice(OUTPUT_MISHAPS)(random, written)
        words = (mishap.what,) if mishap else ()
        plan = _plan(path)
        told = [output.reason for output in plan.outputs if output.verdict is not OutputVerdict.FINISHED]
        if told or not plan.outputs:
            kind = TOLD if words else "an unchanged output is not finished"
            return Outcome(kind, words, "; ".join(told) or "no output")
        found = list(_differences(written, plan, path))
    except Exception as error:
        words, names = ((mishap.what,), mishap.names) if mishap else ((), ())
        return judge_error(error, words, names, path)
    said = [finding.message for finding in compare(plan, ()).findings]
    if found == [_OTHER_LABELS] and any("the labels in" in message for message in said):
        return Outcome(TOLD, words)
    return Outcome("; ".join(dict.fromkeys(found)) or SAME, words)


def _plan(path: Path) -> Plan:
    request = Request("moser", path.name, SCANIMAGE, False, "90218", 0)
    return make_plan(request, scan(path), {}, {}, now=datetime.now(UTC).replace(tzinfo=None) + _LATER)


def _differences(written: WrittenOutput, plan: Plan, path: Path) -> Iterator[str]:
    (metasession,) = plan.metasessions
    (session,) = metasession.sessions
    own = session_tifs(session, written.recording)
    cells: list[int] = []
    for dataset in metasession.datasets:
        yield from _plane_differences(written, _location(dataset, path), own, cells)
    if written.is_exact and sorted(cells) != sorted(written.cells):
        yield _other_cells(written, cells)


def _other_cells(written: WrittenOutput, cells: Sequence[int]) -> str:
    labels = np.concatenate([load(folder / "iscell.npy") for folder in written.imported])
    of_imported = np.round(labels[labels[:, 0] > 0.5, 1] * STEP).astype(int).tolist()
    if sorted(cells) == sorted(of_imported) and written.has_combined:
        return _OTHER_LABELS
    if len(set(cells)) < len(cells):
        return "a region is there twice"
    return "other regions are cells"


def _location(dataset: DatasetRecord, path: Path) -> OutputLocation:
    return OutputLocation(dataset.datasettype, str(path.parent / dataset.files[0].path), "")


def _plane_differences(
    written: WrittenOutput, output: OutputLocation, tifs: SessionTifs, cells: list[int]
) -> Iterator[str]:
    row = analysis_rows(output, [tifs], tifs.session_name).row
    if (row["first_frame"], row["num_frames"]) != (0, written.num_frames):
        yield "the session's frames are other ones"
    with open_plane(output) as plane:
        is_cell, probability = plane.cell_labels()
        imported = _Imported(plane, row["first_frame"], row["num_frames"])
        regions = [roi.mrs for roi in plane.rois()]
        numbers = [int(regions[index] or 0) for index in np.flatnonzero(is_cell)]
        cells += numbers
        yield from _cell_differences(written, imported, np.flatnonzero(is_cell).tolist(), numbers)
        if written.is_exact and not np.allclose(probability[is_cell] * STEP, numbers):
            yield "a cell's probability is another one's"
        for single in plane.single_planes:
            yield from _motion_differences(written, single)


def _cell_differences(
    written: WrittenOutput, imported: _Imported, indices: Sequence[int], numbers: Sequence[int]
) -> Iterator[str]:
    plane = imported.plane
    traces = plane.traces(Slice(imported.first_frame, imported.num_frames))
    quantities = [("F", traces.fluo), ("Fneu", traces.neuropil), ("spks", traces.spikes)]
    quantities += [("F", traces.fluo_chan2), ("Fneu", traces.neuropil_chan2)]
    for (quantity, array), (index, number) in (
        (pair, cell) for pair in quantities for cell in zip(indices, numbers, strict=True)
    ):
        region = (
            None if array is None else region_in(np.asarray(array[index]), imported.first_frame, quantity)
        )
        if array is not None and region != number and (written.is_exact or region is not None):
            yield f"{quantity} of a cell is another one's"
            break
    rois = plane.rois()
    for index, number in zip(indices, numbers, strict=True):
        if number < _FIRST_MERGED and rois[index].plane != (number - 1) // 10:
            yield "a cell is of another plane"
            break
    red = plane.red_cells()
    if red is not None and written.is_exact and not np.allclose(red[1][list(indices)] * STEP, numbers):
        yield "a cell's red probability is another one's"


def _motion_differences(written: WrittenOutput, plane: SegmentedPlane) -> Iterator[str]:
    motion = plane.motion()
    expected = (plane.plane or 0) * STEP + np.arange(written.num_frames)
    if written.is_exact and not np.array_equal(motion.x_offset, expected):
        yield "a frame's motion is another one's"


OUTPUTS = Subject("outputs of Suite2p", run)
