"""Traces of a Suite2p folder."""

from __future__ import annotations

from dataclasses import dataclass

from imaging_pipeline.readers.suite2p.plane import PlaneOutput
from imaging_pipeline.readers.suite2p.second_channel import read_second_channel
from imaging_pipeline.readers.suite2p.trace_file import Trace, open_traces

__all__ = ["Trace", "Traces", "read_traces"]


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
        The same of a second channel, or None where there is none that is of the same ROIs.
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
        A file of the first channel is missing, or the files disagree about ROIs or frames.
    """
    expected = (plane.num_rois, plane.num_frames)
    second = read_second_channel(plane)
    return Traces(
        fluo=open_traces(plane.folder / "F.npy", expected),
        neuropil=open_traces(plane.folder / "Fneu.npy", expected),
        spikes=open_traces(plane.folder / "spks.npy", expected),
        fluo_chan2=None if second is None else second[0],
        neuropil_chan2=None if second is None else second[1],
    )
