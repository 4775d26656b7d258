"""ScanImage TIFF, versions 3.5 to 2023: the texts of a file, and the header that is in them.

From 2016 on a file is a BigTIFF that begins with a block of its own: a magic number, the format
version, and the lengths of the header and of the ROI groups' JSON, which follow. The same texts are in
the tags Software and Artist. Before, the header is in each page's ImageDescription.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

from imaging_pipeline.errors import FormatError
from imaging_pipeline.readers.scanimage.fields import LocatedField, locate_fields
from imaging_pipeline.readers.scanimage.header import ScanImageHeader, parse_header
from imaging_pipeline.readers.scanimage.text import COPY_OR_TAKE_AWAY
from imaging_pipeline.readers.tiff.file import ARTIST, SOFTWARE, TifFile
from imaging_pipeline.readers.tiff.recorded import Header, RecordedTif, read_recorded_tif

BLOCK_MAGIC = 117637889
BLOCK_VERSIONS = (3, 4)
BLOCK_OFFSET = 16
# Magic number, format version, bytes of the header, bytes of the JSON.
BLOCK = struct.Struct("<IIII")


@dataclass(frozen=True)
class ScanImageTexts:
    """The texts of a file.

    Attributes
    ----------
    header
        All settings, one a line.
    rois
        JSON of the ROI groups, empty before version 2016.
    first_description
        ImageDescription of the first page.
    """

    header: str
    rois: str
    first_description: str


def read_texts(file: TifFile) -> ScanImageTexts:
    """Read the texts from a file's start and its first page.

    Raises
    ------
    FormatError
        The block is of an unknown version, or the file ends before its texts do.
    """
    first = file.first_page
    description = _decoded(file.read_span(first.description))
    header, rois = _block(file)
    tagged, tagged_rois = (
        _decoded(file.read_span(first.shared_texts[tag])) if tag in first.shared_texts else ""
        for tag in (SOFTWARE, ARTIST)
    )
    if not header:
        header, rois = tagged, tagged_rois
    elif len(tagged) > len(header) and tagged.startswith(header):
        raise FormatError(
            "The length of the header at the start of the ScanImage tif is wrong",
            path=file.path,
            found=f"{len(header)} characters",
            allowed=f"{len(tagged)} characters, as in the tag Software",
            remedy=COPY_OR_TAKE_AWAY,
        )
    # Any program may write the tag Software; before 2016 ScanImage's header is not there.
    if not header.startswith("SI."):
        header = description
    return ScanImageTexts(header, rois, description)


def _block(file: TifFile) -> tuple[str, str]:
    """Return the header and the ROI groups from the file's first bytes, empty before version 2016."""
    if not file.is_bigtiff or file.size_bytes < BLOCK_OFFSET + BLOCK.size:
        return "", ""
    magic, version, header_bytes, roi_bytes = BLOCK.unpack(file.read_at(BLOCK_OFFSET, BLOCK.size))
    if magic != BLOCK_MAGIC:
        return "", ""
    if version not in BLOCK_VERSIONS:
        raise FormatError(
            "The ScanImage tif is of an unknown format version",
            path=file.path,
            found=version,
            allowed=" or ".join(map(str, BLOCK_VERSIONS)),
            remedy=COPY_OR_TAKE_AWAY,
        )
    end = BLOCK_OFFSET + BLOCK.size + header_bytes + roi_bytes
    # The pages follow; without this, a length that is wrong would look as if the file were not all there.
    if end > file.first_directory:
        raise FormatError(
            "The lengths at the start of the ScanImage tif are wrong",
            path=file.path,
            found=f"a header of {header_bytes} bytes and ROI groups of {roi_bytes} bytes",
            allowed=f"at most {file.first_directory - BLOCK_OFFSET - BLOCK.size} bytes together",
            remedy=COPY_OR_TAKE_AWAY,
        )
    content = file.read_at(BLOCK_OFFSET + BLOCK.size, header_bytes + roi_bytes)
    return _decoded(content[:header_bytes]), _decoded(content[header_bytes:])


def _decoded(content: bytes) -> str:
    """Decode a text up to its NUL; file names in it are in the microscope computer's code page."""
    content = content.split(b"\0", 1)[0]
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")


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


def read_tif(path: Path, pages_taken: int | None = None) -> ScanImageTif:
    """Read the settings and count the pages that are really there, or those that are taken of a damaged tif.

    Raises
    ------
    NothingFoundError
        The file is not there.
    TruncatedError
        The last page is not whole; it tells the bytes expected and found.
    FormatError
        As for `read_header`; also where the pages differ in size or type.
    """
    return read_recorded_tif(path, _header, pages_taken)


def fields_in_page(tif: RecordedTif[Header]) -> tuple[LocatedField, ...]:
    """Return the fields of view of a tif's pages, from top to bottom; none where a page is one.

    Raises
    ------
    FormatError
        The fields that the header names do not fill the pages.
    """
    header = tif.header
    if not isinstance(header, ScanImageHeader):
        return ()
    return locate_fields(header.fields, tif.height, tif.width, header.lines_between_fields, tif.path)


def _header(file: TifFile) -> ScanImageHeader:
    texts = read_texts(file)
    return parse_header(texts.header, texts.rois, texts.first_description, file.path)
