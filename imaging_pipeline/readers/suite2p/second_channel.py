"""Traces of a second channel, which Suite2p's window may leave with other ROIs than the first one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from imaging_pipeline.readers.regular_file import is_present
from imaging_pipeline.readers.suite2p.plane import PlaneOutput, array_shape, read_plane
from imaging_pipeline.readers.suite2p.trace_file import Trace, open_traces

_FILES = ("F_chan2.npy", "Fneu_chan2.npy")
_PLANE = re.compile(r"plane(\d+)")


def read_second_channel(plane: PlaneOutput) -> tuple[Trace, Trace] | None:
    """Read fluorescence and neuropil of a second channel, each float32 (N, T).

    Suite2p merges planes without it: for ``combined`` it is put together from the planes. None where there is
    none, or where it is not of the ROIs of the first channel (see `second_channel_fault`).

    Raises
    ------
    OutputError
        A file is not whole.
    """
    sources = _sources(plane)
    if not sources or second_channel_fault(plane):
        return None
    fluo, neuropil = (_merged(plane, sources, name) for name in _FILES)
    return fluo, neuropil


def second_channel_fault(plane: PlaneOutput) -> str:
    """Return in words why a second channel that is there cannot be imported, or nothing."""
    sources = _sources(plane)
    for source in sources:
        for name in _FILES:
            shape, expected = array_shape(source.folder / name), (source.num_rois, source.num_frames)
            if shape != expected:
                has = f"has shape {shape}, not {expected}" if shape else "is not there"
                return f"{source.label}/{name} {has}"
    if sources and sources != [plane]:
        return _difference(plane, sources)
    return ""


def _sources(plane: PlaneOutput) -> list[PlaneOutput]:
    """Return the folders that the second channel is read from; none where there is no second channel."""
    if _has_any(plane.folder):
        return [plane]
    planes = _merged_planes(plane.folder.parent) if plane.plane is None else []
    return planes if any(_has_any(source.folder) for source in planes) else []


def _has_any(folder: Path) -> bool:
    return any(is_present(folder / name) for name in _FILES)


def _merged_planes(root: Path) -> list[PlaneOutput]:
    numbers = ((_PLANE.fullmatch(path.name), path) for path in root.iterdir())
    numbered = sorted(
        (int(match[1]), path) for match, path in numbers if match and is_present(path / "stat.npy")
    )
    return [read_plane(folder, number) for number, folder in numbered]


def _difference(combined: PlaneOutput, planes: Sequence[PlaneOutput]) -> str:
    """Return how the ROIs of planes differ from those that were merged of them, or nothing."""
    labels = ", ".join(plane.label for plane in planes)
    num_rois = sum(plane.num_rois for plane in planes)
    if num_rois != combined.num_rois:
        return f"{labels} have {num_rois} ROIs, and {combined.label} has {combined.num_rois}"
    merged = _opened(combined, "F.npy")
    first = 0
    for plane in planes:
        own = _opened(plane, "F.npy")
        # As many ROIs may be others, if a person merged or drew some in both: their traces then differ.
        frames = [0, plane.num_frames // 2] if plane.num_frames else []
        rows = merged[first : first + plane.num_rois]
        if not np.array_equal(rows[:, frames], own[:, frames], equal_nan=True):
            return f"{plane.label} holds other ROIs than {combined.label}"
        first += plane.num_rois
    return ""


def _merged(plane: PlaneOutput, sources: Sequence[PlaneOutput], name: str) -> Trace:
    """Merge the planes' files as Suite2p does: by number, with zeros where a plane has fewer frames."""
    if sources == [plane]:
        return _opened(plane, name)
    merged = np.zeros((plane.num_rois, plane.num_frames), np.float32)
    first = 0
    for source in sources:
        merged[first : first + source.num_rois, : source.num_frames] = _opened(source, name)
        first += source.num_rois
    return merged


def _opened(plane: PlaneOutput, name: str) -> Trace:
    return open_traces(plane.folder / name, (plane.num_rois, plane.num_frames))
