"""From a segmentation output to the rows and stored arrays of its cells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from imaging_pipeline import progress
from imaging_pipeline.analysis.traces import baseline as running_baseline
from imaging_pipeline.analysis.traces import corrected, delta_f_over_f, spread
from imaging_pipeline.errors import InputError, OutputError
from imaging_pipeline.readers.suite2p.rois import Roi
from imaging_pipeline.readers.suite2p.traces import Trace, Traces
from imaging_pipeline.schemas.make.analyses import open_plane
from imaging_pipeline.schemas.make.fetching import AnalysedFrames, Baseline, OutputLocation
from imaging_pipeline.schemas.make.stored_columns import number_or_null
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.segmentation.frames import Slice
from imaging_pipeline.segmentation.package import SegmentedPlane
from imaging_pipeline.store import traces as trace_store

_QUANTITIES = ("fluo", "neuropil", "fcorr", "df_f")
# Cells at a time: with 20,000 frames each quantity is 5 MB.
_BLOCK = 64


@dataclass(frozen=True)
class Cells:
    """Rows of ``Cell`` and its parts, without their keys."""

    row: Row
    rois: list[Row]
    merged: list[Row]
    traces: list[Row]
    spikes: list[Row]


@dataclass(frozen=True)
class _Channel:
    """One channel of the traces of a session, and which of its regions are cells.

    Attributes
    ----------
    coefficients
        float64 (N,), the part of the neuropil that is subtracted, for each region.
    num_invalid, spreads
        Filled by `blocks`: cell_id → samples of df_f that are NaN, and → standard deviation and skewness of
        fcorr.
    """

    name: str
    fluo: NDArray[np.float32]
    neuropil: NDArray[np.float32]
    cell_ids: NDArray[np.intp]
    coefficients: NDArray[np.float64]
    frame_rate_hz: float
    baseline: Baseline
    num_invalid: dict[int, int] = field(default_factory=dict)
    spreads: dict[int, tuple[float, float]] = field(default_factory=dict)

    @property
    def num_frames(self) -> int:
        """Frames of the session."""
        return int(self.fluo.shape[1])

    def array_name(self, quantity: str) -> str:
        """Name a quantity of this channel among all that are written together."""
        return f"{self.name}_{quantity}"

    def blocks(self) -> Iterator[Mapping[str, NDArray[np.float32]]]:
        """Compute the quantities of a few cells at a time, so that memory does not grow with their number."""
        for start in range(0, len(self.cell_ids), _BLOCK):
            progress.report(f"traces, {self.name}", start, len(self.cell_ids))
            ids = self.cell_ids[start : start + _BLOCK]
            fluo, neuropil = self.fluo[ids], self.neuropil[ids]
            fcorr = corrected(fluo, neuropil, self.coefficients[ids])
            f0 = running_baseline(fcorr, self.frame_rate_hz, self.baseline.percentile, self.baseline.window_s)
            change = delta_f_over_f(fcorr, f0)
            self.num_invalid.update(zip(ids.tolist(), change.num_invalid.tolist(), strict=True))
            measured = spread(fcorr)
            pairs = zip(measured.std.tolist(), measured.skew.tolist(), strict=True)
            self.spreads.update(zip(ids.tolist(), pairs, strict=True))
            computed = {"fluo": fluo, "neuropil": neuropil, "fcorr": fcorr, "df_f": change.df_f}
            yield {self.array_name(quantity): rows for quantity, rows in computed.items()}


def import_cells(folder: str, output: OutputLocation, frames: AnalysedFrames, baseline: Baseline) -> Cells:
    """Read the regions and traces of a session, and write what is derived to the store.

    Parameters
    ----------
    folder
        Where the arrays go in the store.
    output, frames
        The output, and the session's frames in it.
    baseline
        How F0 is found.

    Raises
    ------
    OutputError
        The output is damaged, or no longer has the plane.
    UnsafeContentError
        A file of the output would do more than be read.
    StoreError
        The store is full, missing or read-only.
    """
    with open_plane(output) as plane:
        is_cell, probability = plane.cell_labels()
        cell_ids = np.flatnonzero(is_cell)
        row = {
            "num_rois": len(is_cell),
            "num_cells": len(cell_ids),
            "baseline_params_id": baseline.params_id,
        }
        merged = [{"merged_id": part, "inmerge": whole} for part, whole in sorted(plane.merges().items())]
        # Nothing is written then: an array needs at least one row.
        if not len(cell_ids):
            return Cells({**row, "trace_objects": {}}, [], merged, [], [])
        traces = plane.traces(Slice(frames.first_frame, frames.num_frames))
        channels = _channels(traces, cell_ids, plane.neuropil_coefficients(), frames, baseline)
        objects = _write(folder, channels, traces.spikes)
        rois = _roi_rows(plane, cell_ids, probability, channels[0].spreads)
    return Cells(
        row={**row, "trace_objects": objects},
        rois=rois,
        merged=merged,
        # After `_write`, whose blocks fill in `num_invalid`.
        traces=[
            _trace_row(channel, objects[channel.name], number, cell_id)
            for channel in channels
            for number, cell_id in enumerate(cell_ids.tolist())
        ],
        spikes=[
            {"cell_id": cell_id, "spikes": {"object": objects["primary"]["spikes"], "row": number}}
            for number, cell_id in enumerate(cell_ids.tolist())
            if traces.spikes is not None
        ],
    )


def stored_array(
    objects: Mapping[str, Mapping[str, str]], num_cells: int, quantity: str, channel: str
) -> NDArray[np.float32]:
    """Return a quantity of all cells of one row of ``Cell``: float32 (cells, frames).

    ``objects`` are its arrays in the store: channel → quantity → name.

    Raises
    ------
    InputError
        There is no such channel or quantity.
    """
    if not num_cells:
        return np.empty((0, 0), np.float32)
    if quantity not in objects.get(channel, {}):
        stored = (
            f"{quantity} of {channel}" for channel, by_quantity in objects.items() for quantity in by_quantity
        )
        raise InputError(
            "Cells have no such array",
            found=f"{quantity} of {channel}",
            allowed=", ".join(stored),
            remedy="Ask for an array that is there.",
        )
    return trace_store.read_array(objects[channel][quantity])


def _channels(
    traces: Traces,
    cell_ids: NDArray[np.intp],
    coefficients: NDArray[np.float64],
    frames: AnalysedFrames,
    baseline: Baseline,
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
            coefficients=coefficients,
            frame_rate_hz=frames.rate_hz,
            baseline=baseline,
        )
        for name, fluo, neuropil in pairs
    ]


def _write(folder: str, channels: list[_Channel], spikes: Trace | None) -> dict[str, dict[str, str]]:
    """Write all arrays of an analysis, or none: channel and quantity → object."""
    names = [channel.array_name(quantity) for channel in channels for quantity in _QUANTITIES]
    first = channels[0]
    shape = (len(first.cell_ids), first.num_frames)
    # All in one call, so that an error leaves none of them behind.
    blocks = chain.from_iterable(channel.blocks() for channel in channels)
    if spikes is not None:
        names, blocks = [*names, "spikes"], chain(blocks, _spike_blocks(spikes, first.cell_ids))
    objects = trace_store.write_arrays(folder, tuple(names), shape, blocks)
    by_channel = {
        channel.name: {quantity: objects[channel.array_name(quantity)] for quantity in _QUANTITIES}
        for channel in channels
    }
    if spikes is not None:
        by_channel["primary"]["spikes"] = objects["spikes"]
    return by_channel


def _spike_blocks(spikes: Trace, cell_ids: NDArray[np.intp]) -> Iterator[Mapping[str, NDArray[np.float32]]]:
    for start in range(0, len(cell_ids), _BLOCK):
        yield {"spikes": spikes[cell_ids[start : start + _BLOCK]]}


def _roi_rows(
    plane: SegmentedPlane,
    cell_ids: NDArray[np.intp],
    probability: NDArray[np.float64],
    spreads: Mapping[int, tuple[float, float]],
) -> list[Row]:
    rois = plane.rois()
    red = plane.red_cells()
    _check_planes(plane, [rois[i] for i in cell_ids.tolist()])
    return [
        {
            "cell_id": i,
            "center_plane": rois[i].plane,
            "cell_prob": number_or_null(probability[i]),
            "redcell": None if red is None else bool(red[0][i]),
            "redcell_prob": None if red is None else number_or_null(red[1][i]),
            "std": number_or_null(spreads[i][0]),
            "skew": number_or_null(spreads[i][1]),
            **_shape(rois[i]),
        }
        for i in cell_ids.tolist()
    ]


def _check_planes(plane: SegmentedPlane, cells: Sequence[Roi]) -> None:
    for roi in cells:
        if roi.plane is None:
            raise OutputError(
                "A cell lies in no single one of the planes that were merged, and nothing says in which",
                path=plane.path,
                found=f"a cell of {roi.npix} pixels about row {roi.center_y:g}, column {roi.center_x:g}",
                remedy="Mark it as no cell in Suite2p's window, or draw it anew within one plane.",
            )


def _trace_row(channel: _Channel, objects: Mapping[str, str], number: int, cell_id: int) -> Row:
    return {
        "cell_id": cell_id,
        "channel": channel.name,
        "samples": channel.num_frames,
        "neuropil_coef": float(channel.coefficients[cell_id]),
        "num_invalid": channel.num_invalid[cell_id],
        **{name: {"object": objects[name], "row": number} for name in _QUANTITIES},
    }


def _shape(roi: Roi) -> Row:
    return {
        "center_x": roi.center_x,
        "center_y": roi.center_y,
        "npix": roi.npix,
        "xpix": roi.xpix.astype(np.int32),
        "ypix": roi.ypix.astype(np.int32),
        "roi_weights": roi.roi_weights,
        "isoverlap": roi.isoverlap,
        "radius": number_or_null(roi.radius),
        "aspect_ratio": number_or_null(roi.aspect_ratio),
        "compact": number_or_null(roi.compact),
        "footprint": number_or_null(roi.footprint),
        "mrs": number_or_null(roi.mrs),
        "mrs0": number_or_null(roi.mrs0),
        "run_skew": number_or_null(roi.skew),
        "run_std": number_or_null(roi.std),
        "npix_norm": number_or_null(roi.npix_norm),
        "npix_soma": roi.npix_soma,
        "soma_crop": roi.soma_crop,
        "imerge": np.array(roi.merged_from, np.int32) if roi.merged_from else None,
    }
