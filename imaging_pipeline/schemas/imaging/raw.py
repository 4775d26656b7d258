"""What the microscope wrote."""

from __future__ import annotations

from typing import Any

import datajoint as dj

from imaging_pipeline.experiments.dataset_types import TIF
from imaging_pipeline.readers.scanimage_stack import ScanImageStack, read_stack
from imaging_pipeline.schemas import tables

from .fetching import Row, dataset_files
from .schema import schema
from .sessions import Dataset, Session
from .stored_columns import all_or_none

__all__ = ["Session", "Tif"]


@schema
class Tif(dj.Imported):
    """The imaging stack of a session."""

    definition = """
    -> Session.Data
    ---
    motion_cor=0 : bool  # was motion corrected before it was registered
    num_files : int32
    num_frames : int64  # of one channel, all planes, in all files together
    width : int32  # px
    height : int32  # px
    datatype : varchar(16)  # numpy's name
    bigtiff : bool
    mean_image : <npy@main>  # float32 (height, width), of 50 frames of the first file and plane
    tif_entry_time=CURRENT_TIMESTAMP(6) : datetime(6)
    """

    class SI(dj.Part):
        """What ScanImage says of the stack."""

        definition = """
        -> master
        ---
        version : varchar(32)  # of ScanImage
        imaging_system="" : varchar(128)
        epoch : datetime(6)  # start of the first file, wall time of the lab's zone
        framerate : float64  # Hz, of single images
        volume_rate : float64  # Hz, of volumes; the frame rate where there is one plane
        num_channels : int16  # saved
        num_scanning_depths : int16  # planes
        num_flyback_frames : int16  # saved frames a volume that are no plane
        frames_per_volume : int32  # of one channel, flyback included; 1 where there is one plane
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
        scan_pixel_time_mean=null : float64  # s
        filenames : json  # in order
        frames_per_tif : json  # frames of one channel in each file
        frame_numbers : <npy@main>  # int64 (num_frames,), as ScanImage counts
        frame_timestamps_s : <npy@main>  # float64 (num_frames,), s since the acquisition mode started
        aux_trigger_0 : <blob>  # float64 (n,), s on the clock of the frames
        aux_trigger_1 : <blob>  # float64 (n,), s on the clock of the frames
        aux_trigger_2 : <blob>  # float64 (n,), s on the clock of the frames
        aux_trigger_3 : <blob>  # float64 (n,), s on the clock of the frames
        header : <blob>  # str, the whole header of the first file
        """

    @property
    def key_source(self) -> Any:
        """Sessions' tif datasets."""
        return Session.Data() & (Dataset() & {"datasettype": TIF})

    def make_fetch(self, key: Row) -> tuple[list[Row]]:
        """Fetch where the files are."""
        return (dataset_files(tables.in_code(), key),)

    def make_compute(self, key: Row, files: list[Row]) -> tuple[ScanImageStack]:
        """Read headers, timestamps and a mean image."""
        return (read_stack([file["path"] for file in files]),)

    def make_insert(self, key: Row, stack: ScanImageStack) -> None:
        """Insert the stack and what ScanImage says of it."""
        row, details = _stack_row(stack), _scanimage_row(stack)
        with all_or_none(key, (self, self.SI), (row, details)):
            self.insert1({**key, **row})
            self.SI.insert1({**key, **details})


def _stack_row(stack: ScanImageStack) -> Row:
    first = stack.tifs[0]
    return {
        "num_files": len(stack.tifs),
        "num_frames": stack.num_frames,
        "width": first.width,
        "height": first.height,
        "datatype": first.dtype,
        "bigtiff": first.is_bigtiff,
        "mean_image": stack.mean_image,
    }


def _scanimage_row(stack: ScanImageStack) -> Row:
    header = stack.tifs[0].header
    triggers = {f"aux_trigger_{i}": times for i, times in enumerate(stack.aux_triggers_s)}
    return {
        "version": header.version,
        "imaging_system": header.imaging_system,
        "epoch": header.start,
        "framerate": header.frame_rate_hz,
        "volume_rate": header.volume_rate_hz,
        "num_channels": header.num_channels,
        "num_scanning_depths": header.num_planes,
        "num_flyback_frames": header.num_flyback_frames,
        "frames_per_volume": header.frames_per_volume,
        "num_fields": header.num_fields,
        "is_bidirectional": header.is_bidirectional,
        "scanner_type": header.scanner_type,
        "scanner_frequency": header.scanner_frequency_hz,
        "seconds_per_line": header.seconds_per_line,
        "spatial_fill_fraction": header.spatial_fill_fraction,
        "temporal_fill_fraction": header.temporal_fill_fraction,
        "zoom": header.zoom,
        "power": header.power,
        "pixels_per_line": header.pixels_per_line,
        "lines_per_frame": header.lines_per_frame,
        "scan_pixel_time_mean": header.scan_pixel_time_mean_s,
        "filenames": [tif.path.name for tif in stack.tifs],
        "frames_per_tif": [tif.num_frames for tif in stack.tifs],
        "frame_numbers": stack.frame_numbers,
        "frame_timestamps_s": stack.timestamps_s,
        **triggers,
        "header": header.text,
    }
