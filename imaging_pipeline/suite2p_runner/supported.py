"""Which recordings Suite2p can take."""

from __future__ import annotations

from imaging_pipeline.errors import FormatError, InputError
from imaging_pipeline.readers.scanimage.header import ScanImageHeader
from imaging_pipeline.readers.scanimage.tif import fields_in_page
from imaging_pipeline.readers.tiff.recorded import Header, RecordedTif, iter_pages
from imaging_pipeline.readers.tiff.stack import is_same_rate
from imaging_pipeline.suite2p_runner.pixels import TAKEN

_PAGES_LOOKED_AT = 4


def check_same_recording(tif: RecordedTif[Header], first: RecordedTif[Header]) -> None:
    """Raise FormatError if a tif of a run was recorded with other settings than the first one."""
    recording, expected = _kind(tif), _kind(first)
    rates = (tif.header.volume_rate_hz, first.header.volume_rate_hz)
    if recording != expected or not is_same_rate(tif, first):
        raise FormatError(
            "The tifs of a run were not recorded alike",
            path=tif.path,
            found=f"{recording}, {rates[0]:g} Hz",
            allowed=f"{expected}, {rates[1]:g} Hz, as in {first.path.name}",
            remedy="Register recordings of different settings as separate sessions.",
        )


def _kind(tif: RecordedTif[Header]) -> str:
    header = tif.header
    return (
        f"{tif.width} x {tif.height} {tif.dtype}, {header.num_channels} channels, "
        f"{header.num_planes} planes, {header.frames_per_slice} frames a slice, "
        f"{header.num_flyback_frames} flyback frames"
    ) + "".join(
        f", a field at line {field.first_line}, {field.field.height_px} lines,"
        f" {field.canvas_x_px} px right and {field.canvas_y_px} px down"
        for field in fields_in_page(tif)
    )


def check_supported(tif: RecordedTif[Header]) -> None:
    """Raise InputError, with what to do instead, for a recording that Suite2p cannot take."""
    header = tif.header
    if isinstance(header, ScanImageHeader) and header.is_z_stack:
        raise InputError(
            "The recording is a z-stack, whose slices were taken one after the other, and no time series",
            path=tif.path,
            found=f"{header.num_planes} slices, hStackManager.stackMode = 'slow'",
            allowed="one plane, or volumes of a fast z-scanner",
            remedy="Nothing for the stack; recordings in one run with it need a folder without it.",
        )
    if tif.dtype not in TAKEN:
        raise InputError(
            "Suite2p calculates with int16, into which the pixels of this recording may not fit",
            path=tif.path,
            found=tif.dtype,
            allowed=" or ".join(TAKEN),
            remedy="Save its frames as tifs of int16 with another program, multiplied or divided so that"
            " whole numbers from -32768 to 32767 hold them, and register these in its place. By hand Suite2p"
            " takes the tifs, but halves int32, and drops fractions and what is out of range without a word.",
        )
    if header.frames_per_slice != 1:
        raise InputError(
            "Suite2p takes one frame of each slice of a volume",
            path=tif.path,
            found=f"{header.frames_per_slice} frames a slice",
            allowed="1",
            remedy="Average the frames of each slice with another program, and analyse these tifs by hand."
            " Next time let ScanImage average them as it saves them (hScan2D.logAverageFactor).",
        )


def check_not_blank(tif: RecordedTif[Header]) -> None:
    """Check a few pages: a blank movie fails after minutes with Suite2p's "Maximum allowed size exceeded"."""
    pages = range(0, tif.num_pages, max(1, tif.num_pages // _PAGES_LOOKED_AT))
    if all(page.min() == page.max() for page in iter_pages(tif, pages)):
        raise FormatError(
            "The movie is blank: all pixels of a page are equal",
            path=tif.path,
            remedy="Look whether the laser and the detector were on.",
        )
