"""Traces of a Suite2p folder, and the labels of each ROI: cell or not, red or not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from imaging_pipeline.errors import OutputError
from imaging_pipeline.readers.conversion_errors import conversion_errors
from imaging_pipeline.readers.npy.file import load_npy, read_header
from imaging_pipeline.readers.regular_file import is_present, require_regular_file
from imaging_pipeline.readers.suite2p.plane import PlaneOutput, read_plane

Trace = NDArray[np.float32]

_NUMBERS = "biuf"
_PLANE = re.compile(r"plane(\d+)")


@dataclass(frozen=True)
class Traces:
    """Traces of N ROIs in T frames, each float32 (N, T) and memory-mapped unless it is put together here.

    Attributes
    ----------
    fluo, neuropil
        Fluorescence of the ROI and of its surround, in the raw units of the movie.
    spikes
        Deconvolved activity; None where nothing was deconvolved, which Suite2p for Python always does.
    fluo_chan2, neuropil_chan2
        The same of a second channel, or None. Suite2p merges planes without it: for ``combined`` it is put
        together from the planes.
    """

    fluo: Trace
    neuropil: Trace
    spikes: Trace | None
    fluo_chan2: Trace | None
    neuropil_chan2: Trace | None


def read_traces(plane: PlaneOutput) -> Traces:
    """Open the traces of a folder.

    Raises
    ------
    OutputError
        A file is missing, or the files disagree about ROIs or frames.
    """
    expected = (plane.num_rois, plane.num_frames)
    return Traces(
        fluo=_open(plane.folder / "F.npy", expected),
        neuropil=_open(plane.folder / "Fneu.npy", expected),
        spikes=_open(plane.folder / "spks.npy", expected),
        fluo_chan2=_second_channel(plane, "F_chan2.npy"),
        neuropil_chan2=_second_channel(plane, "Fneu_chan2.npy"),
    )


def _second_channel(plane: PlaneOutput, name: str) -> Trace | None:
    path = plane.folder / name
    if is_present(path):
        return _open(path, (plane.num_rois, plane.num_frames))
    return _merged(plane, name) if plane.plane is None else None


def _merged(combined: PlaneOutput, name: str) -> Trace | None:
    """Merge the planes' files as Suite2p does: by number, with zeros where a plane has fewer frames."""
    numbers = ((_PLANE.fullmatch(path.name), path) for path in combined.folder.parent.iterdir())
    numbered = sorted(
        (int(match[1]), path) for match, path in numbers if match and is_present(path / "stat.npy")
    )
    planes = [read_plane(folder, number) for number, folder in numbered]
    if not any(is_present(plane.folder / name) for plane in planes):
        return None
    rois = sum(plane.num_rois for plane in planes)
    if rois != combined.num_rois:
        raise OutputError(
            "The planes have other ROIs than what was merged of them, so that the second channel is lost",
            path=combined.folder / name,
            found=f"{rois} ROIs in {', '.join(plane.label for plane in planes)}",
            allowed=combined.num_rois,
            remedy="Run Suite2p again; a folder mixed from two runs cannot be imported.",
        )
    merged = np.zeros((rois, combined.num_frames), np.float32)
    first = 0
    for plane in planes:
        traces = _open(plane.folder / name, (plane.num_rois, plane.num_frames))
        merged[first : first + plane.num_rois, : plane.num_frames] = traces
        first += plane.num_rois
    return merged


def _open(path: Path, expected: tuple[int, int]) -> Trace:
    if not is_present(path):
        raise OutputError(
            "A Suite2p output lacks a file of traces",
            path=path,
            remedy="Let Suite2p finish, or copy it again.",
        )
    require_regular_file(path)
    with path.open("rb") as file:
        header = read_header(file, path)
    if header.shape != expected:
        raise OutputError(
            "Files of one Suite2p folder disagree about ROIs or frames",
            path=path,
            found=f"shape {header.shape}",
            allowed=f"shape {expected}",
            remedy="Run Suite2p again; a folder mixed from two runs cannot be imported.",
        )
    num_bytes = path.stat().st_size - header.size_bytes
    if num_bytes < header.content_bytes or header.dtype.kind != "f":
        raise OutputError(
            "A file of traces is not whole",
            path=path,
            found=f"{num_bytes:,} bytes of {header.dtype}",
            allowed=f"{header.content_bytes:,} bytes of floating-point numbers",
            remedy="Let Suite2p finish, or copy it again.",
        )
    # A file without elements cannot be mapped.
    mode: Literal["r"] | None = "r" if 0 not in expected else None
    traces: NDArray[Any] = np.load(path, mmap_mode=mode, allow_pickle=False)
    return traces.astype(np.float32, copy=False)


def read_cell_labels(plane: PlaneOutput) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Read which ROIs are cells.

    Returns
    -------
    is_cell
        bool (N,): what the classifier, or the person who curated, decided.
    cell_probability
        float64 (N,): the classifier's probability; a person's decision does not change it.

    Raises
    ------
    OutputError
        The file is missing or not of shape (N, 2).
    """
    return _labels(plane.folder / "iscell.npy", plane.num_rois)


def read_red_cells(plane: PlaneOutput) -> tuple[NDArray[np.bool_], NDArray[np.float64]] | None:
    """Read which ROIs are labelled in the second channel.

    Returns
    -------
    is_red, red_probability
        bool and float64 (N,); None where there was no second channel.

    Raises
    ------
    OutputError
        The file is not of shape (N, 2).
    """
    path = plane.folder / "redcell.npy"
    return _labels(path, plane.num_rois) if is_present(path) else None


def _labels(path: Path, num_rois: int) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    with conversion_errors(path):
        labels: Any = load_npy(path) if is_present(path) else None
        if labels is None or labels.shape != (num_rois, 2) or labels.dtype.kind not in _NUMBERS:
            raise OutputError(
                "The labels of the ROIs are not one row a ROI",
                path=path,
                found="no file" if labels is None else f"{labels.dtype}, shape {labels.shape}",
                allowed=f"numbers, shape {(num_rois, 2)}",
                remedy="Run Suite2p's classifier again, or copy the file that belongs to these traces.",
            )
        # Suite2p saves labels as floating-point numbers, 0.0 and 1.0.
        return labels[:, 0] > 0.5, labels[:, 1].astype(np.float64)
