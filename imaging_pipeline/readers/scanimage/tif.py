"""ScanImage TIFF: the header and the frames' times. Versions 3.5 to 2023."""

from __future__ import annotations

from pathlib import Path

from imaging_pipeline.readers.scanimage.block import read_texts
from imaging_pipeline.readers.scanimage.fields import PlacedField, place_fields
from imaging_pipeline.readers.scanimage.header import ScanImageHeader, parse_header
from imaging_pipeline.readers.scanimage.times import FrameTimes, frames_before, read_frame_times
from imaging_pipeline.readers.tiff.file import TifFile
from imaging_pipeline.readers.tiff.recorded import Header, RecordedTif, read_recorded_tif

__all__ = [
    "FrameTimes",
    "PlacedField",
    "ScanImageHeader",
    "ScanImageTif",
    "fields_in_page",
    "frames_before",
    "read_frame_times",
    "read_header",
    "read_tif",
]

# One tif with the header that ScanImage wrote into it.
ScanImageTif = RecordedTif[ScanImageHeader]


def read_header(path: Path) -> ScanImageHeader:
    """Read the settings of an acquisition from the start of one of its files.

    Raises
    ------
    NothingFoundError
        The file is not there.
    TruncatedError
        The file ends before its header or its first page does.
    FormatError
        The file is no TIFF, has no ScanImage header, or the header makes no sense.
    """
    with TifFile(path) as file:
        return _header(file)


def read_tif(path: Path) -> ScanImageTif:
    """Read the settings and count the pages that are really there.

    Raises
    ------
    NothingFoundError
        The file is not there.
    TruncatedError
        The last page is not whole; it tells the bytes expected and found.
    FormatError
        As for `read_header`; also where the pages differ in size or type.
    """
    return read_recorded_tif(path, _header)


def fields_in_page(tif: RecordedTif[Header]) -> tuple[PlacedField, ...]:
    """Return the fields of view of a tif's pages, from top to bottom; none where a page is one.

    Raises
    ------
    FormatError
        The fields that the header names do not fill the pages.
    """
    header = tif.header
    if not isinstance(header, ScanImageHeader):
        return ()
    return place_fields(header.fields, tif.height, tif.width, header.lines_between_fields, tif.path)


def _header(file: TifFile) -> ScanImageHeader:
    texts = read_texts(file)
    return parse_header(texts.header, texts.rois, texts.first_description, file.path)
