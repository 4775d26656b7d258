"""Pixels of the cells of an analysis, fetched without DataJoint's conversion of every value."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from datajoint import blob
from numpy.typing import NDArray

from imaging_pipeline.analysis.pixel_runs import PixelRuns, pixel_runs
from imaging_pipeline.schemas import plain_rows
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.schemas.tables import Tables

MEASURES = ("cell_prob", "snr_df_f", "skew", "npix", "radius", "compact", "footprint", "redcell_prob")
"""Columns that cells can be coloured by."""


@dataclass(frozen=True)
class Regions:
    """Pixels and measures of the cells of an analysis.

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


def regions(tables: Tables, key: Row) -> Regions:
    """Return the pixels of the cells of an analysis, and the measures that they can be coloured by."""
    measured = [name for name in MEASURES if name != "snr_df_f"]
    columns = ("cell_id", "center_plane", "xpix", "ypix", *measured)
    rows = of_cells(tables, tables.imaging.Cell.Rois, key, columns)
    cell_ids, planes, xpix, ypix, *values = zip(*rows, strict=True) if rows else ((),) * len(columns)
    noise = dict(of_cells(tables, tables.imaging.SNR.Cell, key, ("cell_id", "snr_df_f")))
    columns_of_cells: dict[str, Sequence[Any]] = dict(zip(measured, values, strict=True))
    columns_of_cells["snr_df_f"] = [noise.get(cell_id) for cell_id in cell_ids]
    measures = {name: [_rounded(value) for value in columns_of_cells[name]] for name in MEASURES}
    return Regions(
        cell_ids=list(cell_ids),
        planes=list(planes),
        measures={name: values for name, values in measures.items() if set(values) - {None}},
        runs=pixel_runs(list(map(unpacked, xpix)), list(map(unpacked, ypix))),
    )


def planes(tables: Tables, key: Row) -> dict[int, int]:
    """Return the plane of each cell of an analysis, by ``cell_id``."""
    return dict(of_cells(tables, tables.imaging.Cell.Rois, key, ("cell_id", "center_plane")))


def of_cells(tables: Tables, table: Any, key: Row, columns: Sequence[str]) -> list[tuple[Any, ...]]:
    """Return columns of the cells of an analysis in order of ``cell_id``, as the driver returns them."""
    condition = " AND ".join(f"{name} = %s" for name in key)
    query = f"SELECT {', '.join(columns)} FROM {table.full_table_name} WHERE {condition} ORDER BY cell_id"
    return plain_rows.fetch(tables.connection, query, list(key.values()))


# The header of a one-dimensional int32 array as DataJoint packs it: 4 bytes for the format, 1 for the type,
# 8 for the number of dimensions; then 8 for the length and 8 for the kind of number. Its values follow.
_ROW = blob.pack(np.zeros(1, np.int32), compress=False)[:-4]
_LENGTH = slice(13, 21)
# Before a compressed blob, followed by the number of uncompressed bytes in 8 bytes.
_COMPRESSED = b"ZL123\0"


def unpacked(stored: bytes | memoryview) -> NDArray[np.integer]:
    """Return the array of a ``<blob>``; DataJoint takes ten times as long for one that is short."""
    packed = bytes(stored)
    raw = zlib.decompress(packed[len(_COMPRESSED) + 8 :]) if packed.startswith(_COMPRESSED) else packed
    if (raw[: _LENGTH.start], raw[_LENGTH.stop : len(_ROW)]) == (_ROW[: _LENGTH.start], _ROW[_LENGTH.stop :]):
        return np.frombuffer(raw, np.int32, offset=len(_ROW))
    array: NDArray[np.integer] = blob.unpack(packed, squeeze=False)
    return array


def _rounded(value: Any) -> float | None:
    # float32 has no more digits, and a shorter number is a smaller response.
    return None if value is None else float(f"{value:.6g}")
