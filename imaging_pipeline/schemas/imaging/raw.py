"""What the microscope wrote."""

from __future__ import annotations

import datajoint as dj

from imaging_pipeline.experiments.dataset_types import MESC, TIFS
from imaging_pipeline.readers.tiff.stack import TifStack
from imaging_pipeline.schemas import tables
from imaging_pipeline.schemas.imaging.schema import schema
from imaging_pipeline.schemas.imaging.sessions import Session
from imaging_pipeline.schemas.key_source import KeySource, data_of_types
from imaging_pipeline.schemas.make import mesc, scanimage, stacks
from imaging_pipeline.schemas.make.fetching import DatasetFile, dataset_files
from imaging_pipeline.schemas.make.stored_columns import all_or_none
from imaging_pipeline.schemas.plain_rows import Row

__all__ = ["Mesc", "Session", "Tif"]


@schema
class Tif(dj.Imported):
    """The imaging stack of a session."""

    key_source = KeySource(lambda handle: data_of_types(handle, TIFS))
    # The store is named, because DataJoint 2.3.5 does not find the default one of <npy@>.
    definition = """
    -> Session.Data
    ---
    motion_cor=0 : bool  # was motion corrected before it was registered
    num_files : int32
    num_frames : int64  # of one channel, all planes and flyback, in all files together
    frames_per_tif : json  # frames of one channel in each file, in order
    frames_per_volume : int32  # of one channel, flyback included; 1 where there is one plane
    tif_rate_hz : float64  # Hz, of volumes; of frames where there is one plane
    width : int32  # px
    height : int32  # px
    datatype : varchar(16)  # numpy's name
    bigtiff : bool
    mean_image : <npy@main>  # float32 (height, width), first channel and plane; 50 frames of the first file
    tif_entry_time=CURRENT_TIMESTAMP(6) : datetime(6)
    """

    class SI(dj.Part):
        """What ScanImage says of a stack that it wrote."""

        definition = """
        -> master
        ---
        version : varchar(32)  # of ScanImage
        imaging_system="" : varchar(128)
        epoch : datetime(6)  # start of the first file, wall time of the lab's zone
        framerate : float64  # Hz, of single images
        volume_rate : float64  # Hz, of volumes; the frame rate where there is one plane
        num_channels : int16  # saved
        channels_saved : json  # their numbers in ScanImage, in order
        num_scanning_depths : int16  # planes
        frames_per_slice : int32  # saved, of one channel, before the next slice
        frames_averaged : int32  # into each that was saved
        num_flyback_frames : int16  # saved frames a volume that are no plane
        num_fields : int16  # regions of interest of the scanner
        is_bidirectional : bool
        scanner_type="" : varchar(32)
        scanner_frequency=null : float64  # Hz
        seconds_per_line=null : float64  # s
        spatial_fill_fraction=null : float64  # part of a line's way on which pixels are taken
        temporal_fill_fraction=null : float64  # part of a line's time in which pixels are taken
        zoom=null : float64  # scan zoom factor
        power="" : varchar(255)  # of each beam in percent, as written
        pixels_per_line=null : int32
        lines_per_frame=null : int32
        width_scanimage_micro=null : float64  # µm, of a single field
        height_scanimage_micro=null : float64  # µm, of a single field
        scan_pixel_time_mean=null : float64  # s
        filenames : json  # in order
        are_times_computed : bool  # from the frame rate, as versions before 5.0 write no timestamps
        frame_numbers : <npy@main>  # int64 (num_frames,), as ScanImage counts
        frame_timestamps_s : <npy@main>  # float64 (num_frames,), s since the session's first frame
        aux_trigger_0 : <blob>  # float64 (n,), s on the clock of the frames
        aux_trigger_1 : <blob>  # float64 (n,), s on the clock of the frames
        aux_trigger_2 : <blob>  # float64 (n,), s on the clock of the frames
        aux_trigger_3 : <blob>  # float64 (n,), s on the clock of the frames
        header : <blob>  # str, the whole header of the first file
        """

    class Acquisition(dj.Part):
        """Each time that ScanImage was started for a stack; times of frames have the gaps between.

        What ScanImage's clock showed is ``frame_timestamps_s - acquisition_start_s + raw_start_s``.
        """

        definition = """
        -> master
        acquisition_number : int32  # as the names of the files say it
        ---
        acquisition_start : datetime(6)  # of its first frame, wall time of the lab's zone
        acquisition_start_s : float64  # the same, s since the session's first frame
        raw_start_s : float64  # the same on ScanImage's clock, s since it was started
        acquisition_first_frame : int64  # in the stack, from 0
        acquisition_num_frames : int64  # of one channel, all planes
        num_lost_frames : int64  # missing before its first frame and between
        """

    class Plane(dj.Part):
        """A plane of a stack that ScanImage wrote, or a field of it where a page has several."""

        definition = """
        -> master
        tif_plane : int16  # as Suite2p counts: planes, or the fields of each plane in turn
        ---
        plane_depth : int16  # which plane, from 0, as they are scanned
        plane_z_um=null : float64  # µm
        field_name="" : varchar(255)
        field_first_line : int32  # in the page, from 0
        field_height : int32  # px
        field_width : int32  # px
        field_x=0 : int32  # px, left edge in a picture of all fields as they lie in the sample
        field_y=0 : int32  # px, upper edge in that picture
        field_rotation=0 : float64  # degrees
        field_height_um=null : float64  # µm
        field_width_um=null : float64  # µm
        """

    def make_fetch(self, key: Row) -> tuple[stacks.TifDataset]:
        """Fetch where the files are, and what was recorded with them."""
        return (stacks.tif_dataset(tables.default_tables(), key),)

    def make_compute(self, key: Row, dataset: stacks.TifDataset) -> tuple[TifStack, bool]:
        """Read headers, timestamps and a mean image."""
        return stacks.read_stack(dataset), dataset.is_motion_corrected

    def make_insert(self, key: Row, stack: TifStack, motion_cor: bool) -> None:
        """Insert the stack, and what ScanImage says of it, if that wrote it."""
        row, details = stacks.stack_row(stack), scanimage.scanimage_rows(stack)
        planes, acquisitions = scanimage.plane_rows(stack), scanimage.acquisition_rows(stack)
        with all_or_none(key, (self, self.SI), (row, *details)):
            self.insert1({**key, **row, "motion_cor": motion_cor})
            self.SI.insert({**key, **detail} for detail in details)
            self.Acquisition.insert({**key, **acquisition} for acquisition in acquisitions)
            self.Plane.insert({**key, **plane} for plane in planes)


@schema
class Mesc(dj.Imported):
    """A time series of a ``.mesc`` file."""

    key_source = KeySource(lambda handle: data_of_types(handle, (MESC,)))
    definition = """
    -> Session.Data
    ---
    mesc_unit : varchar(64)  # its name in the file, MSession_0/MUnit_3
    mesc_version : varchar(32)  # of MESc
    num_frames : int64  # of each channel
    width : int32  # px
    height : int32  # px
    datatype : varchar(16)  # numpy's name
    num_channels : int16
    channels : json  # in order: name, and scale and offset of value = raw × scale + offset, or null
    um_per_pixel_x : float64  # µm
    um_per_pixel_y : float64  # µm
    frame_period_ms : float64  # ms, from frame to frame
    framerate : float64  # Hz
    curves : json  # in order: name, group in the unit, time (sampled, uniform, run lengths), values, step_ms
    comment="" : varchar(4096)  # as written in MESc
    mean_image : <npy@main>  # float32 (height, width), raw, of the first 50 frames of the first channel
    mesc_entry_time=CURRENT_TIMESTAMP(6) : datetime(6)
    """

    def make_fetch(self, key: Row) -> tuple[tuple[DatasetFile, ...]]:
        """Fetch where the file is, and which part of it."""
        return (dataset_files(tables.default_tables(), key),)

    def make_compute(self, key: Row, files: tuple[DatasetFile, ...]) -> tuple[Row]:
        """Read what the file says of the recording, and a mean image."""
        return (mesc.mesc_row(files[0]),)

    def make_insert(self, key: Row, row: Row) -> None:
        """Insert the recording."""
        with all_or_none(key, (self,), (row,)):
            self.insert1({**key, **row})
