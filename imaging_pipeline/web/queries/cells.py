"""The cells of a session, as the viewer draws them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imaging_pipeline import trace_store
from imaging_pipeline.analysis.decimation import Decimated, decimated
from imaging_pipeline.analysis.pixel_runs import PixelRuns, pixel_runs
from imaging_pipeline.errors import InputError, NothingFoundError
from imaging_pipeline.schemas.imaging.fetching import Row
from imaging_pipeline.schemas.tables import Tables

QUANTITIES = ("fluo", "neuropil", "df_f", "spikes", "filtered_spikes")
IMAGES = (
    "mean_image",
    "mean_image_enhanced",
    "max_img",
    "vcorr_image",
    "mean_image_ref",
    "mean_image_second",
)
MEASURES = ("cell_prob", "snr_df_f", "skew", "npix", "radius", "compact", "footprint", "redcell_prob")
"""Columns that cells can be coloured by."""

MOST_CELLS = 24
"""Cells whose traces are asked for at once."""

_MOST_POINTS = 20_000


@dataclass(frozen=True)
class Analysis:
    """One finished analysis of a session.

    Attributes
    ----------
    key
        Primary key of its row in ``Cell``.
    plane
        Of the microscope, from 0; None where all planes are combined.
    num_cells
        How many cells it has.
    num_frames
        Samples of each trace.
    rate_hz
        Samples a second.
    objects
        Quantity → object in the store; of the primary channel.
    version
        Another one whenever something of it changed.
    """

    key: Row
    plane: int | None
    num_cells: int
    num_frames: int
    rate_hz: float
    objects: dict[str, str]
    version: str

    @property
    def quantities(self) -> tuple[str, ...]:
        """Which of `QUANTITIES` it has."""
        return tuple(name for name in QUANTITIES if name in self.objects)

    @property
    def dataset_name(self) -> str:
        """The output that it was imported from."""
        return str(self.key["dataset_name"])


@dataclass(frozen=True)
class Projection:
    """Which images an analysis has.

    Attributes
    ----------
    height, width
        px.
    images
        Columns of ``Projection.Plane`` that are there.
    """

    height: int
    width: int
    images: tuple[str, ...]


@dataclass(frozen=True)
class Regions:
    """Where the cells of an analysis are.

    Attributes
    ----------
    cell_ids, planes
        int, of each cell, in order of ``cell_id``.
    measures
        Column → value of each cell, None where it has none; columns without any value are left out.
    runs
        The cells' pixels.
    """

    cell_ids: list[int]
    planes: list[int]
    measures: dict[str, list[float | None]]
    runs: PixelRuns


def analyses(tables: Tables, session_name: str) -> list[Analysis]:
    """Give the finished analyses of a session, plane by plane."""
    imaging = tables.imaging
    here = {"session_name": session_name}
    rows = (imaging.Cell * imaging.ImagingAnalysis & here).to_dicts()
    filtered = (imaging.FilteredSpikes & here).to_dicts(order_by="spike_filter_id DESC")
    filtered_objects = {row["dataset_name"]: row["spike_objects"] for row in filtered}
    later = _later(tables, here)
    found = [
        Analysis(
            key={name: row[name] for name in imaging.Cell.primary_key},
            plane=row["plane"],
            num_cells=row["num_cells"],
            num_frames=row["num_frames"],
            rate_hz=row["analysis_rate_hz"],
            objects=row["trace_objects"].get("primary", {}) | filtered_objects.get(row["dataset_name"], {}),
            version="-".join(map(_stamp, (row["cell_entry_time"], *later[row["dataset_name"]]))),
        )
        for row in rows
    ]
    return sorted(found, key=lambda each: (each.plane is not None, each.plane or 0, each.dataset_name))


def _later(tables: Tables, here: Row) -> dict[str, list[datetime]]:
    """Give when what comes after the cells of each analysis was made: its images and measures."""
    later: dict[str, list[datetime]] = defaultdict(list)
    imaging = tables.imaging
    for table, time in ((imaging.Projection, "entry_time_projection"), (imaging.SNR, "snr_entry_time")):
        for row in (table & here).proj(time).to_dicts():
            later[row["dataset_name"]].append(row[time])
    return later


def _stamp(time: datetime) -> str:
    return f"{time:%Y%m%d%H%M%S%f}"


def analysis(tables: Tables, session_name: str, dataset_name: str) -> Analysis:
    """Give one finished analysis.

    Raises
    ------
    NothingFoundError
        The session has none of this name.
    """
    for each in analyses(tables, session_name):
        if each.dataset_name == dataset_name:
            return each
    raise NothingFoundError(
        "The session has no such analysis",
        found=f"{session_name}, {dataset_name}",
        remedy="Open the session again: its cells may have been imported anew.",
    )


def projection(tables: Tables, shown: Analysis) -> Projection | None:
    """Say which images an analysis has, without reading any; None where its projections are not imported."""
    rows = (tables.imaging.Projection.Plane & shown.key).to_dicts()
    if not rows:
        return None
    height, width = rows[0]["mean_image"].shape
    return Projection(height, width, tuple(name for name in IMAGES if rows[0][name] is not None))


def image(tables: Tables, shown: Analysis, name: str) -> NDArray[np.float32]:
    """Give an image: float32 (height, width), NaN where it says nothing.

    Raises
    ------
    NothingFoundError
        There is no such image.
    """
    rows = (tables.imaging.Projection.Plane & shown.key).proj(name).to_dicts() if name in IMAGES else []
    if not rows or rows[0][name] is None:
        raise NothingFoundError(
            "The analysis has no such image",
            found=name,
            allowed=", ".join(IMAGES),
            remedy="Take one of these.",
        )
    pixels: NDArray[np.float32] = np.asarray(rows[0][name].load(), np.float32)
    return pixels


def regions(tables: Tables, shown: Analysis) -> Regions:
    """Give where the cells are, and what they may be coloured by."""
    imaging = tables.imaging
    measured = [name for name in MEASURES if name != "snr_df_f"]
    rois = (imaging.Cell.Rois & shown.key).proj("center_plane", "xpix", "ypix", *measured)
    rows = rois.to_dicts(order_by="cell_id")
    noise = (imaging.SNR.Cell & shown.key).proj("snr_df_f").to_dicts()
    snr = {row["cell_id"]: row["snr_df_f"] for row in noise}
    for row in rows:
        row["snr_df_f"] = snr.get(row["cell_id"])
    measures = {name: [_rounded(row[name]) for row in rows] for name in MEASURES}
    return Regions(
        cell_ids=[row["cell_id"] for row in rows],
        planes=[row["center_plane"] for row in rows],
        measures={name: values for name, values in measures.items() if set(values) - {None}},
        runs=pixel_runs([row["xpix"] for row in rows], [row["ypix"] for row in rows]),
    )


def traces(
    tables: Tables, shown: Analysis, cell_ids: Sequence[int], quantity: str, frames: range, num_points: int
) -> Decimated:
    """Give a stretch of some cells' traces in a few points.

    Parameters
    ----------
    cell_ids
        At most `MOST_CELLS` of the analysis.
    quantity
        One of `QUANTITIES`.
    frames
        The stretch, samples from the first of the session; what lies outside is left out.
    num_points
        Points of each trace, at most; all samples where there are fewer.

    Returns
    -------
    Decimated
        Its samples count from the first of the session.

    Raises
    ------
    InputError
        The quantity or a cell is not there, or too much is asked for.
    """
    array = stored(shown, quantity)
    rows = array_rows(tables, shown, cell_ids)
    first, end = max(frames.start, 0), min(frames.stop, array.shape[1])
    if first >= end or not 2 <= num_points <= _MOST_POINTS:
        raise InputError(
            "There are no such samples",
            found=f"{frames.start} to {frames.stop} in {num_points} points",
            allowed=f"0 to {array.shape[1]} in 2 to {_MOST_POINTS} points",
            remedy="Open the session again.",
        )
    # Row by row: the array is mapped, and only the stretch of these cells is read.
    wanted = np.stack([array[row, first:end] for row in rows])
    found = decimated(wanted, num_points)
    return Decimated(found.samples + first, found.values)


def stored(shown: Analysis, quantity: str) -> NDArray[np.float32]:
    """Give a quantity of all cells: float32 (cells, frames), mapped where the store is a folder.

    Raises
    ------
    InputError
        The analysis has no such quantity.
    """
    if quantity not in QUANTITIES or quantity not in shown.objects:
        raise InputError(
            "The analysis has no such traces",
            found=quantity,
            allowed=", ".join(shown.quantities) or "none: it has no cells",
            remedy="Take one of these.",
        )
    return trace_store.read_array(shown.objects[quantity])


def array_rows(tables: Tables, shown: Analysis, cell_ids: Sequence[int]) -> list[int]:
    """Give where some cells stand in the analysis' arrays.

    Raises
    ------
    InputError
        A cell is not there, or too many are asked for.
    """
    known = (tables.imaging.Cell.Rois & shown.key).to_arrays("cell_id", order_by="cell_id").tolist()
    rows = {cell_id: row for row, cell_id in enumerate(known)}
    missing = [cell_id for cell_id in cell_ids if cell_id not in rows]
    if missing or not 0 < len(cell_ids) <= MOST_CELLS:
        raise InputError(
            "There are no such cells" if missing else "Too few or too many cells are asked for",
            found=", ".join(map(str, missing or cell_ids)) or "none",
            allowed=f"1 to {MOST_CELLS} of the session's cells",
            remedy="Choose cells in the picture.",
        )
    return [rows[cell_id] for cell_id in cell_ids]


def _rounded(value: Any) -> float | None:
    return None if value is None else float(f"{value:.6g}")
