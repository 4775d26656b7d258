"""From a stack that ScanImage wrote to the rows of ``Tif.SI``, ``Tif.Acquisition`` and ``Tif.Plane``."""

from __future__ import annotations

from imaging_pipeline.readers.scanimage.fields import LocatedField
from imaging_pipeline.readers.scanimage.header import ScanImageHeader
from imaging_pipeline.readers.scanimage.stack import ScanImageStack
from imaging_pipeline.readers.scanimage.tif import ScanImageTif, fields_in_page
from imaging_pipeline.readers.tiff.stack import TifStack
from imaging_pipeline.schemas.plain_rows import Row


def scanimage_rows(stack: TifStack) -> list[Row]:
    """Return the row of ``Tif.SI``; none where the stack was not written by ScanImage."""
    return [_scanimage_row(stack)] if isinstance(stack, ScanImageStack) else []


def _scanimage_row(stack: ScanImageStack) -> Row:
    header = stack.tifs[0].header
    triggers = {f"aux_trigger_{i}": times for i, times in enumerate(stack.times.aux_triggers_s)}
    return {
        "version": header.version,
        "imaging_system": header.imaging_system,
        "epoch": header.start,
        "framerate": header.frame_rate_hz,
        "volume_rate": header.volume_rate_hz,
        "num_channels": header.num_channels,
        "channels_saved": list(header.channels_saved),
        "num_scanning_depths": header.num_planes,
        "frames_per_slice": header.frames_per_slice,
        "frames_averaged": header.frames_averaged,
        "num_flyback_frames": header.num_flyback_frames,
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
        "width_scanimage_micro": header.fov_width_um,
        "height_scanimage_micro": header.fov_height_um,
        "scan_pixel_time_mean": header.scan_pixel_time_mean_s,
        "filenames": [tif.path.name for tif in stack.tifs],
        "are_times_computed": header.frame_clock != "timestamps",
        "frame_numbers": stack.times.frame_numbers,
        "frame_timestamps_s": stack.times.timestamps_s,
        **triggers,
        "header": header.text,
    }


def acquisition_rows(stack: TifStack) -> list[Row]:
    """Return the rows of ``Tif.Acquisition``; none where the stack was not written by ScanImage."""
    if not isinstance(stack, ScanImageStack):
        return []
    return [
        {
            "acquisition_number": acquisition.number,
            "acquisition_start": acquisition.start,
            "acquisition_start_s": acquisition.start_s,
            "raw_start_s": acquisition.raw_start_s,
            "acquisition_first_frame": acquisition.first_frame,
            "acquisition_num_frames": acquisition.num_frames,
            "num_lost_frames": acquisition.num_lost,
        }
        for acquisition in stack.times.acquisitions
    ]


def plane_rows(stack: TifStack) -> list[Row]:
    """Return the rows of ``Tif.Plane``: every field of every plane, in Suite2p's order.

    Raises
    ------
    FormatError
        The fields that the header names do not fill the pages.
    """
    if not isinstance(stack, ScanImageStack):
        return []
    tif = stack.tifs[0]
    fields = fields_in_page(tif)
    # A page without several fields is one field.
    views = [_field_row(tif.header, field) for field in fields] or [_page_row(tif)]
    z_um = tif.header.plane_z_um or (None,) * tif.header.num_planes
    return [
        {"tif_plane": plane * len(views) + number, "plane_depth": plane, "plane_z_um": z_um[plane], **view}
        for plane in range(tif.header.num_planes)
        for number, view in enumerate(views)
    ]


def _field_row(header: ScanImageHeader, place: LocatedField) -> Row:
    field, um_a_degree = place.field, header.objective_resolution_um_per_deg
    return {
        "field_name": field.name,
        "field_first_line": place.first_line,
        "field_height": field.height_px,
        "field_width": field.width_px,
        "field_x": place.canvas_x_px,
        "field_y": place.canvas_y_px,
        "field_rotation": field.rotation_deg,
        "field_height_um": None if um_a_degree is None else field.height_deg * um_a_degree,
        "field_width_um": None if um_a_degree is None else field.width_deg * um_a_degree,
    }


def _page_row(tif: ScanImageTif) -> Row:
    return {
        "field_first_line": 0,
        "field_height": tif.height,
        "field_width": tif.width,
        "field_height_um": tif.header.fov_height_um,
        "field_width_um": tif.header.fov_width_um,
    }
