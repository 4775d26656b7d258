"""The cells in the outputs of segmentation programs."""

from __future__ import annotations

from typing import Any

import datajoint as dj
import numpy as np
from numpy.typing import NDArray

from imaging_pipeline.errors import InputError
from imaging_pipeline.schemas import tables
from imaging_pipeline.schemas.counting import cells as cell_numbers
from imaging_pipeline.schemas.imaging.analyses import ImagingAnalysis
from imaging_pipeline.schemas.imaging.parameters import BaselineParams, SpikeFilterParams
from imaging_pipeline.schemas.imaging.schema import schema
from imaging_pipeline.schemas.make import cells as cell_arrays
from imaging_pipeline.schemas.make import fetching, filtered_spikes, output_arrays, session_clock
from imaging_pipeline.schemas.make.fetching import AnalysedFrames, Baseline, OutputLocation
from imaging_pipeline.schemas.make.output_arrays import OutputArray
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.wording import counted

__all__ = ["BaselineParams", "Cell", "FilteredSpikes", "ImagingAnalysis", "SpikeFilterParams"]


@schema
class Cell(dj.Imported):
    """The cells of an analysis; one without cells is finished too."""

    definition = """
    -> ImagingAnalysis
    ---
    num_rois : int32  # found
    num_cells : int32  # of them marked as cells
    -> BaselineParams
    trace_objects : json  # channel and quantity: object in the store, a row a cell in order of cell_id
    cell_entry_time=CURRENT_TIMESTAMP(6) : datetime(6)
    """

    class Rois(dj.Part):
        """Where a cell is; only regions that are marked as cells."""

        definition = """
        -> master
        cell_id : int32  # number of the region in the output
        ---
        center_plane : int16  # from 0, or plane × fields + field where a plane has several
        center_x : float64  # px, in the mosaic where planes are combined
        center_y : float64  # px, in the mosaic where planes are combined
        npix : int32
        xpix : <blob>  # int32 (npix,), px
        ypix : <blob>  # int32 (npix,), px
        roi_weights : <blob>  # float32 (npix,), lam as the output has it, of no fixed sum
        isoverlap=null : <blob>  # bool (npix,), pixel is of another region too
        cell_prob=null : float64  # probability of being a cell; null where no classifier was asked
        radius=null : float64  # px
        aspect_ratio=null : float64  # of a Gaussian that is fitted to the pixels
        compact=null : float64  # mrs over mrs0, at least 1
        footprint=null : float64  # spatial scale at which it was found
        mrs=null : float64  # diameters, mean distance of the pixels from the centre
        mrs0=null : float64  # diameters, the same of a disk of as many pixels
        skew=null : float64  # of fcorr in this session, third moment over std cubed
        std=null : float64  # of fcorr in this session, units of the traces
        run_skew=null : float64  # the same of all sessions of the run, as the program wrote it
        run_std=null : float64  # the same of all sessions of the run, as the program wrote it
        npix_norm=null : float64  # pixels of the soma, relative to those of the other regions
        npix_soma=null : int32
        soma_crop=null : <blob>  # bool (npix,), pixel is of the soma
        redcell=null : bool
        redcell_prob=null : float64  # probability of being in the second channel
        imerge=null : <blob>  # int32 (n,), regions that a person merged into it
        """

    class Merged(dj.Part):
        """A region that a person merged into another, and that is no cell for that reason."""

        definition = """
        -> master
        merged_id : int32  # number of the region in the output
        ---
        inmerge : int32  # number of the region that it was merged into
        """

    class Traces(dj.Part):
        """Fluorescence of a cell."""

        definition = """
        -> master
        -> Cell.Rois
        channel : varchar(16)  # primary or secondary
        ---
        samples : int64
        neuropil_coef : float64  # part of the neuropil that is subtracted
        num_invalid : int64  # samples of df_f that are NaN: the baseline is not above 0, or beside NaN
        fluo : <trace>  # float32 (samples,), as extracted
        neuropil : <trace>  # float32 (samples,), around the cell
        fcorr : <trace>  # float32 (samples,), fluo less neuropil_coef times neuropil
        df_f : <trace>  # float32 (samples,), fcorr less its baseline over the baseline
        """

    class Spikes(dj.Part):
        """Deconvolved activity of a cell, where the output has it."""

        definition = """
        -> master
        -> Cell.Rois
        ---
        spikes : <trace>  # float32 (samples,), arbitrary units
        """

    def make_fetch(
        self, key: Row
    ) -> tuple[str, OutputLocation, AnalysedFrames, Baseline, tuple[OutputArray, ...]]:
        """Fetch where arrays go and the output is, the session's frames in it and the newest parameters."""
        handle = tables.default_tables()
        return (
            fetching.array_folder(handle, key),
            fetching.output_location(handle, key),
            fetching.analysed_frames(handle, key),
            fetching.newest_baseline(handle),
            output_arrays.output_arrays(handle, key),
        )

    def make_compute(
        self,
        key: Row,
        folder: str,
        output: OutputLocation,
        frames: AnalysedFrames,
        baseline: Baseline,
        arrays: tuple[OutputArray, ...],
    ) -> tuple[cell_arrays.Cells, tuple[tuple[OutputArray, str], ...]]:
        """Read regions, compute traces and write them to the store."""
        hashes = output_arrays.content_hashes(arrays)
        return cell_arrays.import_cells(folder, output, frames, baseline), hashes

    def make_insert(
        self, key: Row, cells: cell_arrays.Cells, hashes: tuple[tuple[OutputArray, str], ...]
    ) -> None:
        """Insert a row a cell; the arrays are in the store already."""
        self.insert1({**key, **cells.row})
        self.Rois.insert({**key, **row} for row in cells.rois)
        self.Merged.insert({**key, **row} for row in cells.merged)
        self.Traces.insert({**key, **row} for row in cells.traces)
        self.Spikes.insert({**key, **row} for row in cells.spikes)
        # Last, as a registration locks the rows of files after those of what is derived from them.
        output_arrays.note_hashes(tables.default_tables(), key["dataset_name"], hashes)

    @classmethod
    def array(cls, key: Row, quantity: str, channel: str = "primary") -> NDArray[np.float32]:
        """Return a quantity of all cells of an analysis as one array.

        Parameters
        ----------
        key
            Restricts to one row of ``Cell``.
        quantity
            ``fluo``, ``neuropil``, ``fcorr``, ``df_f`` or ``spikes``.
        channel
            ``primary`` or ``secondary``.

        Returns
        -------
        float32 (cells, frames)
            In order of ``cell_id``; mapped, not read, where the store is a folder.

        Raises
        ------
        InputError
            There is no such quantity or channel, or not one row.
        """
        row = cls._row(key, "trace_objects", "num_cells")
        return cell_arrays.stored_array(row["trace_objects"], row["num_cells"], quantity, channel)

    @classmethod
    def times(cls, key: Row, plane: int | None = None) -> NDArray[np.float64]:
        """Return when the samples of an analysis' traces were taken.

        Parameters
        ----------
        key
            Restricts to one row of ``Cell``. With a ``cell_id``, the times are those of the cell's plane.
        plane
            As ``center_plane`` counts; only needed where planes are combined, which were taken one after the
            other, and ``key`` names no cell.

        Returns
        -------
        float64 (samples,)
            Seconds since the session's first frame. They rise, with the gaps between acquisitions and at
            lost frames.

        Raises
        ------
        InputError
            Planes are combined and neither a plane nor a cell is named, there is no such plane or cell, or
            not one row.
        NothingFoundError
            The session's tifs are not imported, or by an earlier version, without their times.
        """
        analysis = cls._row(key)
        if plane is None and "cell_id" in key:
            plane = cls._plane(analysis, key["cell_id"])
        return session_clock.sample_times(tables.default_tables(), analysis, plane)

    @classmethod
    def _row(cls, key: Row, *columns: str) -> Row:
        rows: list[Row] = (cls() & key).proj(*columns).to_dicts()
        if len(rows) != 1:
            raise InputError(
                "The key is not that of one row of Cell",
                found=counted(len(rows), "row"),
                allowed="1 row",
                remedy="Take one of (imaging.Cell & ...).keys(), which name session and dataset.",
            )
        return rows[0]

    @classmethod
    def _plane(cls, analysis: Row, cell_id: object) -> int:
        planes = (cls.Rois() & analysis & {"cell_id": cell_id}).to_arrays("center_plane")
        if len(planes) != 1:
            raise InputError(
                f"The analysis has no cell {cell_id}",
                found=cell_id,
                allowed="a cell_id of its rows of Cell.Rois",
                remedy="Correct the number.",
                field="cell_id",
            )
        return int(planes[0])


@schema
class FilteredSpikes(dj.Computed):
    """Deconvolved activity that stands out of a cell's own noise."""

    definition = """
    -> Cell
    -> SpikeFilterParams
    ---
    spike_objects : json  # filtered_spikes: object in the store, a row a cell in order of cell_id
    filteredspikes_entry_time=CURRENT_TIMESTAMP(6) : datetime(6)
    """

    class Cell(dj.Part):
        """Filtered activity of a cell."""

        definition = """
        -> master
        -> Cell.Rois
        ---
        spike_threshold=null : float64  # what a sample had to exceed; null where no sample is a number
        num_invalid_spikes=0 : int64  # samples that are NaN, because the spikes are no finite number
        filtered_spikes : <trace>  # float32 (samples,), 0 where not above the threshold
        """

    def make_fetch(self, key: Row) -> tuple[str, Row, list[int], float]:
        """Fetch where arrays go and the spikes are, the cells and the parameter."""
        # The tables of the module here, not the part `FilteredSpikes.Cell`.
        return (
            fetching.array_folder(tables.default_tables(), key),
            (Cell() & key).fetch1("trace_objects"),
            (Cell.Rois() & key).to_arrays("cell_id", order_by="cell_id").tolist(),
            float((SpikeFilterParams() & key).fetch1("spike_std")),
        )

    def make_compute(
        self, key: Row, folder: str, objects: Row, cell_ids: list[int], num_std: float
    ) -> tuple[filtered_spikes.Filtered]:
        """Filter the spikes of all cells and write them to the store."""
        return (filtered_spikes.filter_spikes(folder, objects, cell_ids, num_std),)

    def make_insert(self, key: Row, filtered: filtered_spikes.Filtered) -> None:
        """Insert a row a cell; the array is in the store already."""
        self.insert1({**key, "spike_objects": filtered.objects})
        self.Cell.insert({**key, **row} for row in filtered.rows)


def count_cells(restriction: Any = True, *, per: str) -> list[Row]:
    """Return how many cells sessions, MetaSessions or animals have, each cell once.

    Parameters
    ----------
    restriction
        Which sessions are counted: names and values such as ``{"animal_name": "90218"}``, an SQL condition
        as ``--restrict`` takes it, a query such as ``imaging.Session.SessionType & {...}``, a list of these
        of which any is to be true, or a ``dj.AndList`` of which all are. Names are those of ``Session``,
        ``MetaSession``, ``Animal`` and, to choose an output, ``Dataset``.
    per
        ``session``, ``metasession`` or ``animal``.

    Returns
    -------
    list of dict
        The names of each group, and ``num_cells``: 0 where an output has no cells, None where nothing is
        imported yet. A cell that the sessions of a MetaSession share is counted once for a MetaSession or an
        animal; cells of different MetaSessions are different cells. ``num_sessions_imported`` of
        ``num_sessions`` are in the number: those of which all planes are imported.

    Raises
    ------
    InputError
        The restriction names what is not there or chooses cells; or a cell would be counted twice, since a
        session has several outputs, or since an animal's recording is registered combined and not combined.
    """
    return cell_numbers.count_cells(tables.default_tables(), restriction, per)
