"""Fills a database for the site: many finished sessions, and one with many cells."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.finished_sessions import assign_folders, copy_session, is_copy, make_finished_session
from imaging_pipeline.config.config import Config

_SIDE_PX = 512
_DISK_PX = 7
_FILLED_ROWS = 24
"""Of each array; the others are holes in its file, as the viewer never asks for more cells at once."""


@dataclass(frozen=True)
class CellSession:
    """The session with many cells.

    Attributes
    ----------
    address
        Address of its analysis in the viewer.
    pages
        Addresses of the viewer and of an image in it, which no link leads to.
    num_jobs
        Rows of all job tables of the laboratory.
    """

    address: str
    pages: tuple[str, ...]
    num_jobs: int


def fill(config: Config, folder: Path, sessions: int, cells: int, frames: int) -> CellSession:
    """Fill an empty database."""
    from imaging_pipeline.schemas import imaging
    from tests.makers.lab import table_names
    from tests.makers.site import ADMINISTRATOR

    connection = make_finished_session(config, folder)
    imaging.User.insert1({"username": ADMINISTRATOR, "first_name": "Bob", "is_staff": True})
    # There is a run for each session of the copies, and no cells for these but the first's.
    copy_session(connection, 1, sessions)
    assign_folders(connection)
    _mark_failed(connection, imaging)
    key = dict((imaging.Cell & f"NOT {is_copy('session_name')}").fetch1("KEY"))
    _enlarge_image(imaging, key)
    _add_cells(imaging, key, cells)
    _lengthen(connection, imaging, key, cells, frames)
    jobs = [name for name in table_names(connection) if "~~" in name]
    num_jobs = sum(connection.query(f"SELECT COUNT(*) FROM {name}").fetchone()[0] for name in jobs)
    viewer = f"/cells/{key['session_name']}/"
    address = f"{viewer}{key['dataset_name']}/"
    return CellSession(address, (viewer, f"{address}image/mean_image"), num_jobs)


def site_config(config: Config, folder: Path) -> Config:
    """Return the configuration of the laboratory that was filled in a folder."""
    share, scratch = folder / "share", folder / "scratch"
    return dataclasses.replace(config, repositories={"moser": share}, suite2p_scratch=scratch)


def _mark_failed(connection: Any, imaging: Any) -> None:
    """Mark one in fifty jobs of two tables as failed, each for one of two reasons."""
    for table in (imaging.Tif, imaging.SNR):
        connection.query(
            f"UPDATE {table.jobs.full_table_name} SET status = 'error',"
            " error_message = CONCAT('OSError: disk ', RIGHT(session_name, 1))"
            f" WHERE {is_copy('session_name')} AND RIGHT(session_name, 2) IN ('17', '18')"
        )


def _enlarge_image(imaging: Any, key: dict[str, Any]) -> None:
    """Replace the mean image of an analysis by one with room for all cells."""
    (plane,) = (imaging.Projection.Plane & key).keys()
    pixels = np.random.default_rng(0).normal(1000, 100, (_SIDE_PX, _SIDE_PX)).astype(np.float32)
    imaging.Projection.Plane.update1({**plane, "mean_image": pixels})


def _add_cells(imaging: Any, key: dict[str, Any], cells: int) -> None:
    """Add cells to an analysis: disks, from left to right and from top to bottom."""
    (first,) = (imaging.Cell.Rois & key).to_dicts(limit=1)
    y, x = np.indices((2 * _DISK_PX + 1,) * 2, np.int32)
    is_inside = (y - _DISK_PX) ** 2 + (x - _DISK_PX) ** 2 <= _DISK_PX**2
    y, x = y[is_inside], x[is_inside]
    others = [number for number in range(cells) if number != first["cell_id"]]
    rois = []
    for number in others:
        top, left = divmod(number * _DISK_PX, _SIDE_PX)
        pixels = {"xpix": x + left, "ypix": y + top * _DISK_PX, "npix": len(x), "cell_prob": number / cells}
        weights = np.ones(len(x), np.float32)
        rois.append(first | pixels | {"cell_id": number, "roi_weights": weights})
    noise = [{**key, "cell_id": number, "snr_df_f": 1 + number / cells} for number in others]
    imaging.Cell.Rois.insert(rois, allow_direct_insert=True)
    imaging.SNR.Cell.insert(noise, allow_direct_insert=True)


def _lengthen(connection: Any, imaging: Any, key: dict[str, Any], cells: int, frames: int) -> None:
    """Replace the traces of an analysis by long ones, in files with holes where nobody looks."""
    import datajoint as dj

    from imaging_pipeline.store.traces import STORE

    store = Path(dj.config.get_store_spec(STORE)["location"])
    objects = (imaging.Cell & key).fetch1("trace_objects")["primary"].values()
    filtered = (imaging.FilteredSpikes & key).fetch1("spike_objects").values()
    values = np.random.default_rng(0).normal(0, 1, (min(_FILLED_ROWS, cells), frames))
    for name in (*objects, *filtered):
        array = np.lib.format.open_memmap(store / name, mode="w+", dtype="<f4", shape=(cells, frames))
        array[: len(values)] = values
    of_session = f"WHERE NOT {is_copy('session_name')}"
    analyses, cell = imaging.ImagingAnalysis.full_table_name, imaging.Cell.full_table_name
    connection.query(f"UPDATE {analyses} SET num_frames = {frames:d} {of_session}")
    connection.query(f"UPDATE {cell} SET num_cells = {cells:d}, num_rois = {cells:d} {of_session}")
