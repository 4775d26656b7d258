"""Where a ScanImage file keeps its texts.

From 2016 on a file is a BigTIFF that begins with a block of its own: a magic number, the format
version, and the lengths of the header and of the ROI groups' JSON, which follow. The same texts are in
the tags Software and Artist. Before, the header is in each page's ImageDescription.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from imaging_pipeline.errors import FormatError
from imaging_pipeline.readers.scanimage.text import COPY_OR_TAKE_AWAY
from imaging_pipeline.readers.tiff.file import ARTIST, SOFTWARE, TifFile

BLOCK_MAGIC = 117637889
BLOCK_VERSIONS = (3, 4)
BLOCK_OFFSET = 16
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
    if not header:
        header, rois = (
            _decoded(file.read_span(first.shared_texts[tag])) if tag in first.shared_texts else ""
            for tag in (SOFTWARE, ARTIST)
        )
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
    content = file.read_at(BLOCK_OFFSET + BLOCK.size, header_bytes + roi_bytes)
    return _decoded(content[:header_bytes]), _decoded(content[header_bytes:])


def _decoded(content: bytes) -> str:
    """Decode a text up to its NUL; file names in it are in the microscope computer's code page."""
    content = content.split(b"\0", 1)[0]
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("latin-1")
