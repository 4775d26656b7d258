"""From a Suite2p output to the rows and stored arrays of its cells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imaging_pipeline import progress, trace_store
from imaging_pipeline.analysis.spikes import filtered_spikes
from imaging_pipeline.analysis.traces import baseline, corrected, delta_f_over_f
from imaging_pipeline.readers import suite2p_output
from imaging_pipeline.readers.suite2p_output import Roi, Traces

from .analysis_rows import read_plane
from .fetching import Row

_QUANTITIES = ("fluo", "neuropil", "fcorr", "df_f")
# Cells at a time: with 20,000 frames each quantity is 5 MB.
_BLOCK = 64


@dataclass(frozen=True)
class Cells:
    """Rows of ``Cell`` and its parts, without their keys."""

    row: Row
    rois: list[Row]
    traces: list[Row]
    spikes: list[Row]


@dataclass(frozen=True)
class Filtered:
    """Rows of ``FilteredSpikes`` and its part, without their keys."""

    objects: dict[str, str]
    rows: list[Row]


@dataclass(frozen=True)
class _Channel:
    """One channel of the traces of a plane, and which part of it is wanted."""

    name: str
    fluo: NDArray[np.float32]
    neuropil: NDArray[np.float32]
    cell_ids: NDArray[np.intp]
    frames: slice
    coefficient: float
    frame_rate_hz: float
    percentile: float
    window_s: float
    num_invalid: dict[int, int] = field(default_factory=dict)

    def blocks(self) -> Iterator[Mapping[str, NDArray[np.float32]]]:
        """Compute the quantities of a few cells after the other."""
        for start in range(0, len(self.cell_ids), _BLOCK):
            progress.report(f"traces, {self.name}", start, len(self.cell_ids))
            ids = self.cell_ids[start : start + _BLOCK]
            fluo, neuropil = self.fluo[ids, self.frames], self.neuropil[ids, self.frames]
            fcorr = corrected(fluo, neuropil, self.coefficient)
            change = delta_f_over_f(
                fcorr, baseline(fcorr, self.frame_rate_hz, self.percentile, self.window_s)
            )
            self.num_invalid.update(zip(ids.tolist(), change.num_invalid.tolist(), strict=True))
            yield {"fluo": fluo, "neuropil": neuropil, "fcorr": fcorr, "df_f": change.df_f}


def import_cells(key: Row, place: Row, analysis: Row, params: Row) -> Cells:
    """Read the regions and traces of a session, and write what is derived to the store.

    Parameters
    ----------
    key
        Of ``ImagingAnalysis``; names the folder in the store.
    place
        From `fetching.output_place`.
    analysis
        ``first_frame``, ``num_frames``, ``analysis_rate_hz`` and ``ops_neucoeff``.
    params
        A row of ``BaselineParams``.

    Raises
    ------
    OutputError, UnsafeContentError, StoreError
    """
    _, plane = read_plane(place)
    is_cell, probability = suite2p_output.read_cell_labels(plane)
    cell_ids = np.flatnonzero(is_cell)
    row = {
        "num_rois": len(is_cell),
        "num_cells": len(cell_ids),
        "baseline_params_id": params["baseline_params_id"],
    }
    if not len(cell_ids):
        return Cells({**row, "trace_objects": {}}, [], [], [])
    rois = suite2p_output.read_rois(plane)
    red = suite2p_output.read_red_cells(plane)
    traces = suite2p_output.read_traces(plane)
    frames = slice(analysis["first_frame"], analysis["first_frame"] + analysis["num_frames"])
    channels = _channels(traces, cell_ids, frames, analysis, params)
    where, shape = _folder(key), (len(cell_ids), int(analysis["num_frames"]))
    objects = {
        channel.name: trace_store.write_arrays(where, _QUANTITIES, shape, channel.blocks())
        for channel in channels
    }
    spikes = trace_store.write_arrays(where, ("spikes",), shape, _spike_blocks(traces, cell_ids, frames))
    objects["primary"] |= spikes
    return Cells(
        row={**row, "trace_objects": objects},
        rois=[
            _roi_row(rois[i], i, float(probability[i]), None if red is None else (red[0][i], red[1][i]))
            for i in cell_ids.tolist()
        ],
        traces=[
            _trace_row(channel, objects[channel.name], number, cell_id, shape[1])
            for channel in channels
            for number, cell_id in enumerate(cell_ids.tolist())
        ],
        spikes=[
            {"cell_id": cell_id, "spikes": {"object": spikes["spikes"], "row": number}}
            for number, cell_id in enumerate(cell_ids.tolist())
        ],
    )


def stored_array(cell: Any, quantity: str, channel: str) -> NDArray[np.float32]:
    """Give a quantity of all cells of one row of ``Cell``: float32 (cells, frames)."""
    objects, num_cells = cell.fetch1("trace_objects", "num_cells")
    if not num_cells:
        return np.empty((0, 0), np.float32)
    return trace_store.read_array(objects[channel][quantity])


def filter_spikes(key: Row, objects: Row, cell_ids: list[int], num_std: float) -> Filtered:
    """Filter the spikes of all cells of a session and write them to the store."""
    if not cell_ids:
        return Filtered({}, [])
    filtered = filtered_spikes(trace_store.read_array(objects["primary"]["spikes"]), num_std)
    stored = trace_store.write_arrays(
        _folder(key), ("filtered_spikes",), filtered.spikes.shape, [{"filtered_spikes": filtered.spikes}]
    )
    return Filtered(
        stored,
        [
            {
                "cell_id": cell_id,
                "spike_threshold": float(filtered.thresholds[number]),
                "filtered_spikes": {"object": stored["filtered_spikes"], "row": number},
            }
            for number, cell_id in enumerate(cell_ids)
        ],
    )


def _folder(key: Row) -> str:
    return f"{key['metasession_name']}/{key['session_name']}/{key['dataset_name']}"


def _channels(
    traces: Traces, cell_ids: NDArray[np.intp], frames: slice, analysis: Row, params: Row
) -> list[_Channel]:
    pairs = [("primary", traces.fluo, traces.neuropil)]
    if traces.fluo_chan2 is not None and traces.neuropil_chan2 is not None:
        pairs.append(("secondary", traces.fluo_chan2, traces.neuropil_chan2))
    return [
        _Channel(
            name=name,
            fluo=fluo,
            neuropil=neuropil,
            cell_ids=cell_ids,
            frames=frames,
            coefficient=analysis["ops_neucoeff"],
            frame_rate_hz=analysis["analysis_rate_hz"],
            percentile=params["baseline_percentile"],
            window_s=params["baseline_window_s"],
        )
        for name, fluo, neuropil in pairs
    ]


def _spike_blocks(
    traces: Traces, cell_ids: NDArray[np.intp], frames: slice
) -> Iterator[Mapping[str, NDArray[np.float32]]]:
    for start in range(0, len(cell_ids), _BLOCK):
        yield {"spikes": traces.spikes[cell_ids[start : start + _BLOCK], frames]}


def _trace_row(channel: _Channel, objects: Mapping[str, str], number: int, cell_id: int, samples: int) -> Row:
    return {
        "cell_id": cell_id,
        "channel": channel.name,
        "samples": samples,
        "neuropil_coef": channel.coefficient,
        "num_invalid": channel.num_invalid[cell_id],
        **{name: {"object": objects[name], "row": number} for name in _QUANTITIES},
    }


def _roi_row(roi: Roi, cell_id: int, probability: float, red: tuple[bool, float] | None) -> Row:
    return {
        "cell_id": cell_id,
        "center_plane": roi.plane,
        "center_x": roi.center_x,
        "center_y": roi.center_y,
        "npix": roi.npix,
        "xpix": roi.xpix,
        "ypix": roi.ypix,
        "roi_weights": roi.roi_weights,
        "isoverlap": roi.isoverlap,
        "cell_prob": probability,
        "radius": roi.radius,
        "aspect_ratio": roi.aspect_ratio,
        "compact": roi.compact,
        "footprint": roi.footprint,
        "mrs": roi.mrs,
        "mrs0": roi.mrs0,
        "skew": roi.skew,
        "std": roi.std,
        "npix_norm": roi.npix_norm,
        "npix_soma": roi.npix_soma,
        "soma_crop": roi.soma_crop,
        "redcell": None if red is None else bool(red[0]),
        "redcell_prob": None if red is None else float(red[1]),
    }
