"""The cells of a session, as the viewer draws them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from imaging_pipeline.analysis.decimation import Decimated, decimated_stretches
from imaging_pipeline.errors import InputError, NothingFoundError
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.schemas.tables import Tables
from imaging_pipeline.store import traces as trace_store
from imaging_pipeline.web.queries.regions import of_cells

_SECOND = "second_"
QUANTITIES = (
    *("fluo", "neuropil", "df_f", "spikes", "filtered_spikes"),
    *(f"{_SECOND}{name}" for name in ("fluo", "neuropil", "df_f")),
)
"""Those of the second channel have names of their own, so that both channels can be plotted together."""
IMAGES = (
    "mean_image",
    "mean_image_enhanced",
    "max_img",
    "vcorr_image",
    "mean_image_ref",
    "mean_image_second",
)
MOST_CELLS = 24
"""How many cells' traces may be requested at once; `viewer.js` has the same number."""

# Points of a trace, two for each pixel of the plot: more than any screen is wide.
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
    objects
        Quantity → object in the store.
    parameter_sets
        Quantity → the set of parameters that it was computed with, for those that need one.
    version
        Changes whenever the analysis does.
    """

    key: Row
    plane: int | None
    num_cells: int
    num_frames: int
    objects: dict[str, str]
    parameter_sets: dict[str, str]
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
        Columns of ``Projection.Plane`` that are not null.
    """

    height: int
    width: int
    images: tuple[str, ...]


def session(tables: Tables, session_name: str) -> Row:
    """Return ``timeseries_name`` and ``session_timestamp`` of a session that exists."""
    columns = (tables.imaging.Session & {"session_name": session_name}).proj(
        "timeseries_name", "session_timestamp"
    )
    row: Row = columns.to_dicts(limit=1)[0]
    return row


def analyses(tables: Tables, session_name: str) -> list[Analysis]:
    """Return the finished analyses of a session, plane by plane."""
    imaging = tables.imaging
    # By the whole key: for the name alone, servers would scan whole tables.
    keys = (imaging.Session & {"session_name": session_name}).keys()
    if not keys:
        return []
    rows = (imaging.Cell * imaging.ImagingAnalysis * imaging.BaselineParams & keys).to_dicts()
    # Of several filters the newest one, which comes last, is shown: so is the import's choice of a baseline.
    in_order = (imaging.FilteredSpikes * imaging.SpikeFilterParams & keys).to_dicts(
        order_by="spike_filter_id"
    )
    filtered = {row["dataset_name"]: row for row in in_order}
    later_times = _later_times(tables, keys)
    # Tifs may be imported again, with other times of the samples.
    tif_times = (imaging.Tif & keys).to_arrays("tif_entry_time", order_by="dataset_name").tolist()
    analyses = [
        Analysis(
            key={name: row[name] for name in imaging.Cell.primary_key},
            plane=row["plane"],
            num_cells=row["num_cells"],
            num_frames=row["num_frames"],
            objects=_objects(row["trace_objects"])
            | filtered.get(row["dataset_name"], {}).get("spike_objects", {}),
            parameter_sets=_parameter_sets(row, filtered.get(row["dataset_name"])),
            version="-".join(
                map(_stamp, (row["cell_entry_time"], *tif_times, *later_times[row["dataset_name"]]))
            ),
        )
        for row in rows
    ]
    # One in which all planes are combined comes first.
    return sorted(analyses, key=lambda one: (one.plane is not None, one.plane or 0, one.dataset_name))


def _objects(of_channels: dict[str, dict[str, str]]) -> dict[str, str]:
    second = of_channels.get("secondary", {})
    return of_channels.get("primary", {}) | {f"{_SECOND}{name}": path for name, path in second.items()}


def _parameter_sets(baseline: Row, filtered: Row | None) -> dict[str, str]:
    percentile, window_s = baseline["baseline_percentile"], baseline["baseline_window_s"]
    of_change = f"baseline {baseline['baseline_params_id']}: percentile {percentile:g} in {window_s:g} s"
    sets = {"df_f": of_change, f"{_SECOND}df_f": of_change}
    if filtered is not None:
        sets["filtered_spikes"] = (
            f"filter {filtered['spike_filter_id']}: above mean + {filtered['spike_std']:g} std"
        )
    return sets


def _later_times(tables: Tables, keys: Sequence[Row]) -> dict[str, list[datetime]]:
    """Return, for each analysis, when its images and measures were made, which follow the cells."""
    times: dict[str, list[datetime]] = defaultdict(list)
    imaging = tables.imaging
    for table, time in ((imaging.Projection, "entry_time_projection"), (imaging.SNR, "snr_entry_time")):
        for row in (table & keys).proj(time).to_dicts():
            times[row["dataset_name"]].append(row[time])
    return times


def _stamp(time: datetime) -> str:
    return f"{time:%Y%m%d%H%M%S%f}"


def analysis(tables: Tables, session_name: str, dataset_name: str) -> Analysis:
    """Return one finished analysis.

    Raises
    ------
    NothingFoundError
        The session has none of this name.
    """
    for candidate in analyses(tables, session_name):
        if candidate.dataset_name == dataset_name:
            return candidate
    raise NothingFoundError(
        "The session has no such analysis",
        found=f"{session_name}, {dataset_name}",
        remedy="Open the session again: its cells may have been imported anew.",
    )


def projection(tables: Tables, analysis: Analysis) -> Projection | None:
    """Return which images an analysis has, or None where its projections are not imported."""
    rows = (tables.imaging.Projection.Plane & analysis.key).to_dicts()
    if not rows:
        return None
    # The row has the shape; the image itself stays in the store.
    height, width = rows[0]["mean_image"].shape
    return Projection(height, width, tuple(name for name in IMAGES if rows[0][name] is not None))


def image(tables: Tables, analysis: Analysis, name: str) -> NDArray[np.float32]:
    """Return an image: float32 (height, width), NaN where it has no value.

    Raises
    ------
    NothingFoundError
        There is no such image.
    """
    rows = (tables.imaging.Projection.Plane & analysis.key).proj(name).to_dicts() if name in IMAGES else []
    if not rows or rows[0][name] is None:
        raise NothingFoundError(
            "The analysis has no such image",
            found=name,
            allowed=", ".join(IMAGES),
            remedy="Take one of these.",
        )
    pixels: NDArray[np.float32] = np.asarray(rows[0][name].load(), np.float32)
    return pixels


def traces(
    analysis: Analysis,
    rows: Sequence[int],
    quantity: str,
    frames: range,
    num_points: int,
    starts: Sequence[int] = (0,),
) -> Decimated:
    """Return a stretch of some cells' traces in a few points.

    Parameters
    ----------
    analysis
        The analysis.
    rows
        Rows of the cells in its arrays, from `array_rows`.
    quantity
        One of `QUANTITIES`.
    frames
        The stretch, samples from the first of the session; samples outside the recording are left out.
    num_points
        Points of each trace, at most; all samples where there are fewer.
    starts
        Where stretches without a gap begin: no point is of two of them.

    Returns
    -------
    Decimated
        Its samples count from the first of the session.

    Raises
    ------
    InputError
        The quantity does not exist, or too many points are requested.
    """
    array = stored(analysis, quantity)
    first, end = max(frames.start, 0), min(frames.stop, array.shape[1])
    if first >= end or not 2 <= num_points <= _MOST_POINTS:
        raise InputError(
            "There are no such samples",
            found=f"{frames.start} to {frames.stop} in {num_points} points",
            allowed=f"0 to {array.shape[1]} in 2 to {_MOST_POINTS} points",
            remedy="Open the session again.",
        )
    # Row by row: the array is memory-mapped, and only this stretch of these cells is read.
    stretch = np.stack([array[row, first:end] for row in rows])
    points = decimated_stretches(stretch, [start - first for start in starts], num_points)
    return Decimated(points.samples + first, points.values)


def stored(analysis: Analysis, quantity: str) -> NDArray[np.float32]:
    """Return a quantity of all cells: float32 (cells, frames), mapped where the store is a folder.

    Raises
    ------
    InputError
        The analysis has no such quantity.
    """
    if quantity not in QUANTITIES or quantity not in analysis.objects:
        raise InputError(
            "The analysis has no such traces",
            found=quantity,
            allowed=", ".join(analysis.quantities) or "none: it has no cells",
            remedy="Take one of these.",
        )
    return trace_store.read_array(analysis.objects[quantity])


def array_rows(tables: Tables, analysis: Analysis, cell_ids: Sequence[int]) -> list[int]:
    """Return the rows of some cells in the arrays of an analysis.

    Raises
    ------
    InputError
        A cell does not exist, or too many are requested.
    """
    existing = of_cells(tables, tables.imaging.Cell.Rois, analysis.key, ("cell_id",))
    # The arrays have their cells in the order of `cell_id`, as the query has.
    rows = {cell_id: row for row, (cell_id,) in enumerate(existing)}
    missing = [cell_id for cell_id in cell_ids if cell_id not in rows]
    if missing or not 0 < len(cell_ids) <= MOST_CELLS:
        raise InputError(
            "There are no such cells" if missing else "Too few or too many cells are asked for",
            found=", ".join(map(str, missing or cell_ids)) or "none",
            allowed=f"1 to {MOST_CELLS} of the session's cells",
            remedy="Choose cells in the picture.",
        )
    return [rows[cell_id] for cell_id in cell_ids]
