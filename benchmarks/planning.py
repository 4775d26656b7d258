"""How long it takes to plan a folder of tifs, and to count their frames."""

from __future__ import annotations

import gc
import os
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from benchmarks import page_cache
from benchmarks.fresh_process import call_fresh
from benchmarks.measurement import Measurement
from benchmarks.script import Script, run
from benchmarks.tifs import TifSize, write_sparse_tifs, write_tifs
from benchmarks.timing import interleaved_s
from imaging_pipeline.ingest.listing import scan
from imaging_pipeline.ingest.plan import make_plan
from imaging_pipeline.ingest.records import Request
from imaging_pipeline.readers.scanimage.tif import read_tif

_FLOOR_BYTES = 16 * 1024
_REQUEST = Request("repository", "90218/day1", "2Pminiscope_A", False, "90218", 0)


@dataclass(frozen=True)
class Size:
    """How many files there are, and how long and wide.

    Attributes
    ----------
    files, frames
        Tifs of the folder, and frames of each.
    side_px
        Height and width where tifs are planned, which reads parts of the images too.
    counted_side_px
        The same where frames are only counted: of a real size, but the images are holes in the files.
    many_frames, many_files
        The tifs with which memory is measured, against as many of ``frames`` each.
    repeats
        How often each is done.
    """

    files: int = 100
    frames: int = 500
    side_px: int = 64
    counted_side_px: int = 512
    many_frames: int = 20_000
    many_files: int = 3
    repeats: int = 5


def measure(size: Size, folder: Path) -> Iterator[Measurement]:
    yield from _planning(size, folder / "planned")
    yield from _counting(size, folder / "counted")
    yield _memory(size, folder)


def _planning(size: Size, folder: Path) -> Iterator[Measurement]:
    tifs = write_tifs(folder, size.files, TifSize(size.frames, size.side_px))
    for state, before in _states(tifs):
        plan_s, floor_s = interleaved_s(
            partial(plan, folder), partial(_read_starts, folder), repeats=size.repeats, before=before
        )
        yield Measurement(
            f"plan {size.files} tifs of {size.frames} frames, {state}",
            plan_s * 1e3,
            "ms",
            "list, and read 16 KiB of each",
            floor_s * 1e3,
            at_most_ratio=3 if state == "cold" else None,
        )


def _counting(size: Size, folder: Path) -> Iterator[Measurement]:
    tifs = write_sparse_tifs(folder, size.files, TifSize(size.frames, size.counted_side_px))
    has_peer = find_spec("roiextractors") is not None
    for state, before in _states(tifs):
        count_s, *peer_s = interleaved_s(
            partial(_count, tifs),
            *([partial(_count_with_roiextractors, tifs)] if has_peer else []),
            repeats=size.repeats,
            before=before,
        )
        yield Measurement(
            f"header and frame count of {size.files} tifs, {state}",
            count_s * 1e3,
            "ms",
            "roiextractors" if has_peer else "roiextractors, which is not installed",
            peer_s[0] * 1e3 if has_peer else None,
            at_most_ratio=0.1 if state == "cold" else None,
        )


def _memory(size: Size, folder: Path) -> Measurement:
    peaks_mb = []
    for frames in (size.many_frames, size.frames):
        subfolder = folder / f"{frames}_frames"
        write_tifs(subfolder, size.many_files, TifSize(frames, size.side_px))
        peaks_mb.append(call_fresh(plan, subfolder).peak_mb)
    many_mb, few_mb = peaks_mb
    return Measurement(
        f"memory to plan {size.many_files} tifs of {size.many_frames:,} frames",
        many_mb,
        "MB",
        f"of {size.frames:,} frames",
        few_mb,
        at_most_ratio=1.1,
    )


def plan(folder: Path) -> None:
    """Plan a folder of which nothing is registered."""
    make_plan(_REQUEST, scan(folder), {}, {}, settle_s=0)


def _read_starts(folder: Path) -> None:
    for entry in os.scandir(folder):
        with open(entry.path, "rb", buffering=0) as file:  # noqa: PTH123  without the overhead of Path.open
            file.read(_FLOOR_BYTES)


def _count(tifs: Sequence[Path]) -> None:
    for tif in tifs:
        read_tif(tif)


def _count_with_roiextractors(tifs: Sequence[Path]) -> None:
    # Not at the top: it is installed for benchmarks only.
    from roiextractors import ScanImageImagingExtractor

    with warnings.catch_warnings():
        # It leaves files open.
        warnings.simplefilter("ignore", ResourceWarning)
        for tif in tifs:
            ScanImageImagingExtractor(file_paths=[tif]).get_num_samples()
        gc.collect()


def _states(tifs: Sequence[Path]) -> Iterator[tuple[str, partial[None] | None]]:
    if page_cache.is_droppable():
        yield "cold", partial(page_cache.drop, tifs)
    yield "warm", None


SCRIPT = Script(
    full=Size(),
    tiny=Size(files=2, frames=6, side_px=16, counted_side_px=16, many_frames=12, many_files=1, repeats=1),
    measure=measure,
)

if __name__ == "__main__":
    run(SCRIPT)
