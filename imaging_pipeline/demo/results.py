"""The results of the demo, read from the database as an analyst would."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from imaging_pipeline.demo.figure import SessionView
from imaging_pipeline.demo.score import FoundCells, Score, score
from imaging_pipeline.demo.truth import Truth
from imaging_pipeline.schemas import imaging, suite2p_jobs

Key = dict[str, Any]


@dataclass(frozen=True)
class SessionResult:
    """One session of the demo.

    Attributes
    ----------
    label
        ``single`` or ``combined``, and the timeseries name.
    num_tifs, num_frames
        Files and frames of the stack.
    num_rois, num_cells
        ROIs of Suite2p, and those of them that are cells.
    score
        Agreement with the truth; None for a person's own movie.
    """

    label: str
    num_tifs: int
    num_frames: int
    num_rois: int
    num_cells: int
    score: Score | None


def session_results(truths: dict[str, Truth]) -> list[SessionResult]:
    """Return the result of each session with cells, in the order of MetaSession and time."""
    query = imaging.Session * imaging.MetaSession.proj("combined") * imaging.Cell
    rows = query.to_dicts(order_by="combined, metasession_name, session_order")
    return [_session_result(row, truths) for row in rows]


def _session_result(row: Key, truths: dict[str, Truth]) -> SessionResult:
    stack = (imaging.Tif() & {name: row[name] for name in ("metasession_name", "session_name")}).fetch1()
    name = row["timeseries_name"]
    return SessionResult(
        label=f"{'combined' if row['combined'] == 'yes' else 'single'} {name}",
        num_tifs=stack["num_files"],
        num_frames=stack["num_frames"],
        num_rois=row["num_rois"],
        num_cells=row["num_cells"],
        score=score(truths[name], _found_cells(row)) if name in truths else None,
    )


def _found_cells(key: Key) -> FoundCells:
    rois = _rois(key)
    return FoundCells(
        centres_px=np.array([(roi["center_y"], roi["center_x"]) for roi in rois]).reshape(-1, 2),
        pixels=[(roi["ypix"], roi["xpix"]) for roi in rois],
        traces=imaging.Cell.array(_analysis(key), "df_f"),
    )


def session_view(key: Key) -> SessionView:
    """Return the data of a session's picture."""
    analysis = _analysis(key)
    rois = _rois(analysis)
    # The demo's recordings have one plane.
    plane = (imaging.Projection.Plane() & analysis).fetch1("mean_image")
    # Of several filters the newest, as in the viewer.
    filters = (imaging.FilteredSpikes() & analysis).to_arrays("spike_filter_id", order_by="spike_filter_id")
    newest = {"spike_filter_id": filters[-1] if len(filters) else None}
    filtered = (imaging.FilteredSpikes.Cell() & analysis & newest).to_arrays(
        "filtered_spikes", order_by="cell_id"
    )
    session = (imaging.Session() & analysis).fetch1()
    df_f = imaging.Cell.array(analysis, "df_f")
    return SessionView(
        title=f"Session {session['timeseries_name']}, {session['session_timestamp']:%d %B %Y}",
        mean_image=plane.load(),
        cell_ids=tuple(int(roi["cell_id"]) for roi in rois),
        pixels=tuple((roi["ypix"], roi["xpix"]) for roi in rois),
        df_f=df_f,
        spikes=np.stack(filtered) if len(filtered) else np.empty_like(df_f),
        times_s=imaging.Cell.times(analysis),
    )


def first_combined_session() -> Key | None:
    """Return the key of the analysis of the combined recording's first session, or None if it is not done."""
    query = imaging.Session * imaging.MetaSession.proj("combined") * imaging.Cell.proj() & {"combined": "yes"}
    rows: list[Key] = query.to_dicts(order_by="session_order", limit=1)
    return _analysis(rows[0]) if rows else None


def seconds_by_table() -> dict[str, float]:
    """Return the seconds of the finished jobs, by table in the order of the work."""
    tables = (
        *(imaging.MakeDatasetSessions, imaging.Tif, suite2p_jobs.Suite2Py, imaging.ImagingAnalysis),
        *(imaging.Projection, imaging.Cell, imaging.FilteredSpikes, imaging.SNR),
    )
    return {
        table.__name__: float(sum(table.jobs.completed.to_arrays("duration").tolist())) for table in tables
    }


def _analysis(key: Key) -> Key:
    return {name: key[name] for name in ("metasession_name", "session_name", "dataset_name")}


def _rois(key: Key) -> list[Key]:
    rows: list[Key] = (imaging.Cell.Rois() & _analysis(key)).to_dicts(order_by="cell_id")
    return rows


def row_counts() -> Counter[str]:
    """Count the rows of the tables, without requests and their reports."""
    tables = (
        *(imaging.MetaSession, imaging.Session, imaging.Session.Data, imaging.Dataset, imaging.PhysicalFile),
        *(imaging.Tif, suite2p_jobs.Suite2Py, imaging.ImagingAnalysis, imaging.Projection),
        *(imaging.Cell, imaging.Cell.Rois, imaging.Cell.Traces, imaging.FilteredSpikes, imaging.SNR),
    )
    return Counter({table.__qualname__: len(table()) for table in tables})
