"""Outputs of segmentation programs, and the cells in them."""

from __future__ import annotations

from typing import Any

import datajoint as dj
import numpy as np
from numpy.typing import NDArray

from imaging_pipeline.experiments.dataset_types import SUITE2P_PYTHON
from imaging_pipeline.schemas import tables

from . import analysis_rows, cell_arrays, fetching, sessions
from .analysed import analysed_tifs
from .fetching import Row
from .raw import Tif
from .reference import BaselineParams, SpikeFilterParams
from .schema import schema
from .sessions import Dataset, Session
from .stored_columns import all_or_none

__all__ = [
    "BaselineParams",
    "Cell",
    "FilteredSpikes",
    "ImagingAnalysis",
    "Projection",
    "Session",
    "SpikeFilterParams",
]


@schema
class ImagingAnalysis(dj.Imported):
    """The part of a segmentation output that belongs to a session; one row a session and dataset."""

    definition = """
    -> Session.Data
    ---
    plane=null : int16  # of the microscope, from 0; null where all planes are combined
    first_frame : int64  # of the session in the output, from 0
    num_frames : int64  # of the session in the output
    analysis_rate_hz : float64  # Hz, samples of a cell's trace, as the tifs say
    is_tif_preproc=0 : bool  # the tifs were motion corrected before
    entry_time_imaginganalysis=CURRENT_TIMESTAMP(6) : datetime(6)
    """

    class Suite2py(dj.Part):
        """The output is one of Suite2p for Python, made with these options."""

        definition = """
        -> master
        ---
        ops_suite2p_version="" : varchar(32)
        ops_fs : float64  # Hz, of volumes, as Suite2p was told
        ops_tau=null : float64  # s, decay of the indicator
        ops_nplanes : int16
        ops_nchannels : int16
        ops_functional_chan=null : int16  # from 1
        ops_diameter=null : varchar(64)  # px, one number or y, x
        ops_neucoeff : float64  # of the neuropil that is subtracted
        ops_batch_size=null : int32  # frames
        ops_nonrigid=null : bool
        ops_do_registration=null : int8  # 0 no, 1 yes, 2 even if it was done
        ops_spatial_scale=null : int16
        ops_threshold_scaling=null : float64  # of the threshold of the detection
        ops_options : json  # the whole set as found in the output
        """

    @property
    def key_source(self) -> Any:
        """Sessions' Suite2p datasets, as soon as the session's tifs are imported to check them against."""
        outputs = Session.Data() & (Dataset() & {"datasettype": SUITE2P_PYTHON})
        return outputs & (Tif & analysed_tifs(sessions)).proj(tif_dataset="dataset_name")

    def make_fetch(self, key: Row) -> tuple[Row, list[Row]]:
        """Fetch where the output is and which tifs it should be made of."""
        handle = tables.in_code()
        return fetching.output_place(handle, key), fetching.session_tifs(handle, key)

    def make_compute(self, key: Row, place: Row, tifs: list[Row]) -> tuple[analysis_rows.Analysis]:
        """Find the session's frames in the output."""
        return (analysis_rows.analysis(place, tifs, key["session_name"]),)

    def make_insert(self, key: Row, analysis: analysis_rows.Analysis) -> None:
        """Insert the slice and the options."""
        self.insert1({**key, **analysis.row})
        self.Suite2py.insert1({**key, **analysis.options})


@schema
class Projection(dj.Imported):
    """Images of the field of view, and how it moved."""

    definition = """
    -> ImagingAnalysis
    ---
    num_projections : int16
    entry_time_projection=CURRENT_TIMESTAMP(6) : datetime(6)
    """

    class Plane(dj.Part):
        """Projections of a plane over all sessions of the MetaSession."""

        definition = """
        -> master
        center_plane : int16  # of the microscope, from 0; -1 the mosaic of all planes
        ---
        mean_image : <npy@main>  # float32 (height, width)
        mean_image_enhanced=null : <npy@main>  # float32 (height, width)
        mean_image_ref=null : <npy@main>  # float32 (height, width), reference of the registration
        max_img=null : <npy@main>  # float32 (height, width), NaN outside x_range and y_range
        vcorr_image=null : <npy@main>  # float32 (height, width), correlation; NaN outside the ranges
        mean_image_second=null : <npy@main>  # float32 (height, width), of the other channel
        x_range : json  # px, first and one past the last column that was always in view
        y_range : json  # px, first and one past the last row that was always in view
        """

    class Motion(dj.Part):
        """Offsets of the session's frames, as found by the registration."""

        definition = """
        -> master
        center_plane : int16  # of the microscope, from 0
        ---
        x_mocor : <npy@main>  # int32 (num_frames,), px
        y_mocor : <npy@main>  # int32 (num_frames,), px
        bad_frames : <npy@main>  # bool (num_frames,), left out of the detection
        block_mocor_x=null : <npy@main>  # float32 (num_frames, blocks), px, nonrigid
        block_mocor_y=null : <npy@main>  # float32 (num_frames, blocks), px, nonrigid
        """

    def make_fetch(self, key: Row) -> tuple[Row, list[Row]]:
        """Fetch where the output is and which tifs it is made of."""
        handle = tables.in_code()
        return fetching.output_place(handle, key), fetching.session_tifs(handle, key)

    def make_compute(self, key: Row, place: Row, tifs: list[Row]) -> tuple[list[Row], list[Row]]:
        """Read images and offsets."""
        return analysis_rows.projections(place), analysis_rows.motion(place, tifs, key["session_name"])

    def make_insert(self, key: Row, images: list[Row], motion: list[Row]) -> None:
        """Insert a row a plane."""
        self.insert1({**key, "num_projections": len(images)})
        with all_or_none(key, (self.Plane, self.Motion), (*images, *motion)):
            self.Plane.insert({**key, **row} for row in images)
            self.Motion.insert({**key, **row} for row in motion)


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
        center_plane : int16  # of the microscope, from 0
        center_x : float64  # px
        center_y : float64  # px
        npix : int32
        xpix : <blob>  # int32 (npix,), px
        ypix : <blob>  # int32 (npix,), px
        roi_weights : <blob>  # float32 (npix,)
        isoverlap=null : <blob>  # bool (npix,), pixel is of another region too
        cell_prob : float64  # probability of being a cell
        radius=null : float64  # px
        aspect_ratio=null : float64  # of a Gaussian that is fitted to the pixels
        compact=null : float64  # mrs over mrs0, at least 1
        footprint=null : float64  # spatial scale at which it was found
        mrs=null : float64  # diameters, mean distance of the pixels from the centre
        mrs0=null : float64  # diameters, the same of a disk of as many pixels
        skew=null : float64  # of the corrected trace
        std=null : float64  # of the corrected trace
        npix_norm=null : float64  # pixels of the soma, relative to those of the other regions
        npix_soma=null : int32
        soma_crop=null : <blob>  # bool (npix,), pixel is of the soma
        redcell=null : bool
        redcell_prob=null : float64  # probability of being in the second channel
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
        num_invalid : int64  # samples of df_f that are NaN, because the baseline is not above 0
        fluo : <trace>  # float32 (samples,), as extracted
        neuropil : <trace>  # float32 (samples,), around the cell
        fcorr : <trace>  # float32 (samples,), fluo less neuropil_coef times neuropil
        df_f : <trace>  # float32 (samples,), fcorr less its baseline over the baseline
        """

    class Spikes(dj.Part):
        """Deconvolved activity of a cell."""

        definition = """
        -> master
        -> Cell.Rois
        ---
        spikes : <trace>  # float32 (samples,), arbitrary units
        """

    def make_fetch(self, key: Row) -> tuple[str, Row, Row, Row]:
        """Fetch where arrays go and the output is, the session's frames in it and the newest parameters."""
        handle = tables.in_code()
        return (
            fetching.array_folder(handle, key),
            fetching.output_place(handle, key),
            fetching.analysis_parameters(handle, key),
            fetching.newest_baseline(handle),
        )

    def make_compute(
        self, key: Row, folder: str, place: Row, analysis: Row, params: Row
    ) -> tuple[cell_arrays.Cells]:
        """Read regions, compute traces and write them to the store."""
        return (cell_arrays.import_cells(folder, place, analysis, params),)

    def make_insert(self, key: Row, cells: cell_arrays.Cells) -> None:
        """Insert a row a cell; the arrays are in the store already."""
        self.insert1({**key, **cells.row})
        self.Rois.insert({**key, **row} for row in cells.rois)
        self.Traces.insert({**key, **row} for row in cells.traces)
        self.Spikes.insert({**key, **row} for row in cells.spikes)

    @classmethod
    def array(cls, key: Row, quantity: str, channel: str = "primary") -> NDArray[np.float32]:
        """Give a quantity of all cells of an analysis as one array.

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
            There is no such quantity or channel.
        """
        return cell_arrays.stored_array(cls() & key, quantity, channel)


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
        spike_threshold : float64  # what a sample had to exceed, units of the spikes
        filtered_spikes : <trace>  # float32 (samples,), 0 where not above the threshold
        """

    def make_fetch(self, key: Row) -> tuple[str, Row, list[int], float]:
        """Fetch where arrays go and the spikes are, the cells and the parameter."""
        return (
            fetching.array_folder(tables.in_code(), key),
            (Cell() & key).fetch1("trace_objects"),
            (Cell.Rois() & key).to_arrays("cell_id", order_by="cell_id").tolist(),
            float((SpikeFilterParams() & key).fetch1("spike_std")),
        )

    def make_compute(
        self, key: Row, folder: str, objects: Row, cell_ids: list[int], num_std: float
    ) -> tuple[cell_arrays.Filtered]:
        """Filter the spikes of all cells and write them to the store."""
        return (cell_arrays.filter_spikes(folder, objects, cell_ids, num_std),)

    def make_insert(self, key: Row, filtered: cell_arrays.Filtered) -> None:
        """Insert a row a cell; the array is in the store already."""
        self.insert1({**key, "spike_objects": filtered.objects})
        self.Cell.insert({**key, **row} for row in filtered.rows)
