"""The clock of a session: when the samples of its traces were taken.

All that needs times asks `sample_times`. They are those that the microscope wrote; what measures them better,
such as the edges that Wavesurfer records of the same frames, belongs into `_frame_times`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from imaging_pipeline.analysis import sample_times as analysis
from imaging_pipeline.analysis.sample_times import Seconds
from imaging_pipeline.errors import InputError, NothingFoundError, Responsible
from imaging_pipeline.experiments.dataset_types import TIFS
from imaging_pipeline.schemas.key_source import data_of_types
from imaging_pipeline.schemas.make.analysed_tifs import analysed_tifs
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.schemas.tables import Tables


def sample_times(tables: Tables, key: Row, plane: int | None = None) -> Seconds:
    """Return when the samples of an analysis' traces were taken.

    Parameters
    ----------
    tables
        The database.
    key
        The key of a row of ``ImagingAnalysis``.
    plane
        As ``center_plane`` counts; only needed where planes are combined, which were taken one after the
        other.

    Returns
    -------
    numpy.ndarray
        float64 (samples,), seconds since the session's first frame. They rise, with the gaps between
        acquisitions and at lost frames.

    Raises
    ------
    InputError
        Planes are combined and none is named, or there is no such plane.
    NothingFoundError
        The session's tifs are not imported, or by an earlier version, without their times.
    OutputError
        The samples are not as many as the volumes of the tifs.
    """
    imaging = tables.imaging
    columns = ("plane", "num_frames", "metasession_name", "session_name")
    row = dict(zip(columns, (imaging.ImagingAnalysis & key).fetch1(*columns), strict=True))
    session = {name: row[name] for name in ("metasession_name", "session_name")}
    _check_imported(tables, session)
    clocks = (imaging.Tif * imaging.Tif.SI & session).proj(
        *("frames_per_volume", "frames_per_slice", "num_fields", "num_scanning_depths", "frame_timestamps_s")
    )
    rows = clocks.to_dicts()
    if not rows:
        return _even_times(tables, session, row, plane)
    (clock,) = rows
    acquisitions = (imaging.Tif.Acquisition & session).to_arrays(
        "acquisition_num_frames", order_by="acquisition_first_frame"
    )
    if not len(acquisitions):
        raise _unknown("The session's tifs were imported by an earlier version, without their times", session)
    depth = _plane(row, plane, clock["num_scanning_depths"] * clock["num_fields"]) // clock["num_fields"]
    return analysis.sample_times(
        clock["frame_timestamps_s"].load(),
        acquisitions.tolist(),
        frames_per_volume=clock["frames_per_volume"],
        frame_in_volume=depth * clock["frames_per_slice"],
        num_samples=row["num_frames"],
    )


def _even_times(tables: Tables, session: Row, row: Row, plane: int | None) -> Seconds:
    """Return times of tifs that say nothing of them: what describes them has a rate, and no gap."""
    imaging = tables.imaging
    stack = imaging.Tif & (analysed_tifs(imaging) & session)
    frames_per_volume, rate_hz = stack.fetch1("frames_per_volume", "tif_rate_hz")
    # A plane's place in the volume is its number.
    first = _plane(row, plane, frames_per_volume)
    times_s: Seconds = (np.arange(row["num_frames"]) + first / frames_per_volume) / rate_hz
    return times_s


def _plane(row: Row, plane: int | None, num_planes: int) -> int:
    stated = row["plane"] if plane is None else plane
    if stated is None and num_planes == 1:
        return 0
    if stated is None or not 0 <= stated < num_planes or row["plane"] not in (None, stated):
        raise InputError(
            "The planes of a volume were taken one after the other, so that their times differ",
            found=f"plane {stated}",
            allowed=f"0 to {num_planes - 1}" if row["plane"] is None else row["plane"],
            remedy="Name the plane of the cell, its center_plane.",
        )
    return int(stated)


def _check_imported(tables: Tables, session: Row) -> None:
    """Refuse a session of which some tifs are not imported: it may be those that know the times."""
    missing = (data_of_types(tables, TIFS) & session) - tables.imaging.Tif.proj()
    if len(missing):
        raise _unknown("The session's tifs are not imported", session)


def _unknown(what: str, session: Row) -> NothingFoundError:
    name: Any = session["session_name"]
    return NothingFoundError(
        f"{what}, and they say when its samples were taken",
        found=f"session {name}",
        remedy="Let a worker of the lane 'imported' import them; if an earlier version did, delete their rows"
        " of Tif first.",
        responsible=Responsible.ADMINISTRATOR,
    )
