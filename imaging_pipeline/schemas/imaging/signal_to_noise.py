"""How well the cells of an analysis stand out of their noise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import datajoint as dj
import numpy as np
from numpy.typing import NDArray

from imaging_pipeline import progress
from imaging_pipeline.analysis import noise
from imaging_pipeline.schemas.imaging.cells import Cell
from imaging_pipeline.schemas.imaging.schema import schema
from imaging_pipeline.schemas.make.stored_columns import number_or_null
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.store import traces as trace_store

__all__ = ["SNR", "Cell"]

# Cells at a time, as in the import of their traces.
_BLOCK = 64


@schema
class SNR(dj.Computed):
    """Signal and noise of an analysis' cells."""

    definition = """
    -> Cell
    ---
    snr_entry_time=CURRENT_TIMESTAMP(6) : datetime(6)
    """

    class Cell(dj.Part):
        """Signal and noise of a cell."""

        definition = """
        -> master
        -> Cell.Rois
        ---
        snr_df_f=null : float64  # 99th percentile of df_f above its median, over noise_df_f
        noise_df_f=null : float64  # standard deviation, from differences of successive samples
        """

    def make_fetch(self, key: Row) -> tuple[Row, list[int]]:
        """Fetch where the traces are, and the cells."""
        return (
            (Cell() & key).fetch1("trace_objects"),
            (Cell.Rois() & key).to_arrays("cell_id", order_by="cell_id").tolist(),
        )

    def make_compute(self, key: Row, objects: Row, cell_ids: list[int]) -> tuple[list[Row]]:
        """Measure each cell's trace."""
        return (_measured(objects, cell_ids),)

    def make_insert(self, key: Row, cells: list[Row]) -> None:
        """Insert a row a cell."""
        self.insert1(key)
        self.Cell.insert({**key, **row} for row in cells)


def _measured(objects: Row, cell_ids: Sequence[int]) -> list[Row]:
    if not cell_ids:
        return []
    df_f = trace_store.read_array(objects["primary"]["df_f"])
    return list(_rows(df_f, cell_ids))


def _rows(df_f: NDArray[np.float32], cell_ids: Sequence[int]) -> Iterator[dict[str, Any]]:
    for start in range(0, len(cell_ids), _BLOCK):
        progress.report("signal to noise", start, len(cell_ids))
        measured = noise.signal_to_noise(df_f[start : start + _BLOCK])
        for cell_id, snr, sigma in zip(
            cell_ids[start : start + _BLOCK], measured.snr.tolist(), measured.noise.tolist(), strict=True
        ):
            yield {"cell_id": cell_id, "snr_df_f": number_or_null(snr), "noise_df_f": number_or_null(sigma)}
