"""Outputs of segmentation programs: what they were made with, and what they show of the field of view."""

from __future__ import annotations

from typing import Any

import datajoint as dj

from imaging_pipeline.explaining.missing import SUITE2P, TIF
from imaging_pipeline.schemas import tables
from imaging_pipeline.schemas.imaging.schema import schema
from imaging_pipeline.schemas.imaging.sessions import Session
from imaging_pipeline.schemas.key_source import KeySource, data_of_types
from imaging_pipeline.schemas.make import analyses, fetching
from imaging_pipeline.schemas.make.analysed_tifs import analysed_tifs
from imaging_pipeline.schemas.make.fetching import OutputLocation, SessionTifs
from imaging_pipeline.schemas.make.stored_columns import all_or_none
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.schemas.tables import Tables
from imaging_pipeline.segmentation.registry import OUTPUT_TYPES

__all__ = ["ImagingAnalysis", "Projection", "Session"]


def _outputs(handle: Tables) -> Any:
    """Return sessions' outputs of segmentation programs."""
    return data_of_types(handle, OUTPUT_TYPES)


def _imported_tifs(handle: Tables) -> Any:
    """Return the sessions whose tifs that Suite2p takes are imported."""
    tifs = handle.imaging.Tif & analysed_tifs(handle.imaging)
    # Renamed, so that it is matched by the session alone: the output is a dataset of its own.
    return tifs.proj(tif_dataset="dataset_name")


@schema
class ImagingAnalysis(dj.Imported):
    """The part of a segmentation output that belongs to a session; one row a session and dataset."""

    # An output is checked against the session's tifs, so that these come first; a row outlives them.
    key_source = KeySource(
        lambda handle: _outputs(handle) & _imported_tifs(handle), outer=_outputs, also_needs=(TIF, SUITE2P)
    )
    definition = """
    -> Session.Data
    ---
    plane=null : int16  # from 0, or plane × fields + field; null where all planes are combined
    first_frame : int64  # of the session in the output, from 0
    num_frames : int64  # of the session in the output
    analysis_rate_hz : float64  # Hz, samples of a cell's trace, as the tifs say
    is_tif_preproc=0 : bool  # the tifs were motion corrected before
    measured_hash="" : varchar(16)  # of what the file of the labels holds besides these
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
        ops_nplanes : int16  # planes of the recording, with those that were left out
        num_planes_analysed=null : int16  # planes with regions, or fields where a plane has several
        ops_nchannels : int16
        ops_functional_chan=null : int16  # from 1
        ops_diameter=null : varchar(64)  # px, one number or y, x
        ops_neucoeff : float64  # of the neuropil that is subtracted
        ops_batch_size=null : int32  # frames
        ops_nonrigid=null : bool
        ops_do_registration=null : int8  # 0 no, 1 yes, 2 even if it was done
        ops_spatial_scale=null : int16
        ops_threshold_scaling=null : float64  # of the threshold of the detection
        ops_pixel_conversion=null : varchar(64)  # to int16; empty: pixels as in the tifs, null: not known
        ops_options : json  # the whole set as found in the output
        """

    class Suite2p(dj.Part):
        """The output is one of Suite2p for MATLAB, made with these options."""

        definition = """
        -> master
        ---
        ops_fs=null : float64  # Hz, of volumes, as Suite2p was told
        ops_tau=null : float64  # s, decay of the indicator
        ops_nplanes : int16  # planes of the recording
        ops_nchannels=null : int16
        ops_diameter=null : varchar(64)  # px
        ops_nonrigid=null : bool
        ops_do_registration=null : int8  # 0 no, 1 yes
        ops_threshold_scaling=null : float64  # of the threshold of the detection
        ops_options : json  # the texts and the few numbers among those found in the output
        """

    def make_fetch(self, key: Row) -> tuple[OutputLocation, tuple[SessionTifs, ...]]:
        """Fetch where the output is and which tifs it should be made of."""
        handle = tables.default_tables()
        return fetching.output_location(handle, key), fetching.session_tifs(handle, key)

    def make_compute(
        self, key: Row, output: OutputLocation, tifs: tuple[SessionTifs, ...]
    ) -> tuple[analyses.AnalysisRows]:
        """Find the session's frames in the output."""
        return (analyses.analysis_rows(output, tifs, key["session_name"]),)

    def make_insert(self, key: Row, rows: analyses.AnalysisRows) -> None:
        """Insert the session's frames, and the options in the part for the program."""
        self.insert1({**key, **rows.row})
        getattr(self, rows.part).insert1({**key, **rows.options})


@schema
class Projection(dj.Imported):
    """Images of the field of view, and how it moved.

    A mosaic of merged planes is 0 where no plane, or no valid area of one, is.
    """

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
        center_plane : int16  # from 0, or plane × fields + field; -1 the mosaic of all planes
        ---
        mean_image : <npy@main>  # float32 (height, width)
        mean_image_enhanced=null : <npy@main>  # float32 (height, width)
        mean_image_ref=null : <npy@main>  # float32 (height, width), reference of the registration
        max_img=null : <npy@main>  # float32 (height, width), NaN outside the ranges; 0 in a mosaic
        vcorr_image=null : <npy@main>  # float32 (height, width), correlation; outside as max_img
        mean_image_second=null : <npy@main>  # float32 (height, width), of the other channel
        x_range : json  # px, first and one past the last column that was always in view
        y_range : json  # px, first and one past the last row that was always in view
        """

    class Motion(dj.Part):
        """Offsets of the session's frames, as found by the registration."""

        definition = """
        -> master
        center_plane : int16  # from 0, or plane × fields + field
        ---
        x_mocor : <npy@main>  # int32 (num_frames,), px to the right; the frame was moved by minus this
        y_mocor : <npy@main>  # int32 (num_frames,), px downwards; the frame was moved by minus this
        bad_frames : <npy@main>  # bool (num_frames,), left out of the detection
        block_mocor_x=null : <npy@main>  # float32 (num_frames, blocks), px beyond x_mocor, nonrigid
        block_mocor_y=null : <npy@main>  # float32 (num_frames, blocks), px beyond y_mocor, nonrigid
        """

    def make_fetch(self, key: Row) -> tuple[OutputLocation, tuple[SessionTifs, ...]]:
        """Fetch where the output is and which tifs it is made of."""
        handle = tables.default_tables()
        return fetching.output_location(handle, key), fetching.session_tifs(handle, key)

    def make_compute(
        self, key: Row, output: OutputLocation, tifs: tuple[SessionTifs, ...]
    ) -> tuple[list[Row], list[Row]]:
        """Read images and offsets."""
        return analyses.projection_rows(output), analyses.motion_rows(output, tifs, key["session_name"])

    def make_insert(self, key: Row, images: list[Row], motion: list[Row]) -> None:
        """Insert a row a plane."""
        self.insert1({**key, "num_projections": len(images)})
        with all_or_none(key, (self.Plane, self.Motion), (*images, *motion)):
            self.Plane.insert({**key, **row} for row in images)
            self.Motion.insert({**key, **row} for row in motion)
