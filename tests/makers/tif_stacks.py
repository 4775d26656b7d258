"""Stacks as other programs than a microscope write them, and files of which directories miss pages."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import tifffile

from tests.makers.folders import aged


def write_imagej_stack(
    path: Path, movie: np.ndarray, *, truncate: bool = True, axes: str = "TYX", **calibration: object
) -> Path:
    """Write a movie as ImageJ does: with one directory for all images above 4 GB, else one for each.

    The calibration goes into lines of its text: of signed pixels ImageJ stores ``movie + 32768``, with
    ``cf=0``, ``c0=-32768`` and ``c1=1``.
    """
    tifffile.imwrite(path, movie, imagej=True, metadata={"axes": axes, **calibration}, truncate=truncate)
    return aged(path)


def write_shaped_stack(path: Path, movie: np.ndarray, *, bigtiff: bool = False) -> Path:
    """Write a movie with one directory, whose text says the shape, as tifffile does where it is told to."""
    tifffile.imwrite(path, movie, photometric="minisblack", truncate=True, bigtiff=bigtiff)
    return aged(path)


def end_chain_after(path: Path, num_pages: int) -> Path:
    """Let a page name no next one, as if the program had not come to write where that is."""
    return aged(lead_chain_to(path, num_pages, 0))


def lead_chain_to(path: Path, num_pages: int, next_offset: int) -> Path:
    """Let the last of some pages name another place as that of the next one."""
    with tifffile.TiffFile(path, is_scanimage=False) as tif:
        tif.pages.get(num_pages - 1)
        offset, byteorder, is_bigtiff = tif.pages[num_pages - 1].offset, tif.byteorder, tif.is_bigtiff
    with path.open("rb+") as file:
        file.seek(offset)
        (num_tags,) = struct.unpack(
            byteorder + ("Q" if is_bigtiff else "H"), file.read(8 if is_bigtiff else 2)
        )
        file.seek(num_tags * (20 if is_bigtiff else 12), 1)
        file.write(struct.pack(byteorder + ("Q" if is_bigtiff else "I"), next_offset))
    return path


# Large pages, so that few go beyond 4 GB; on the disk the file takes only what is written.
LARGE_HEIGHT, LARGE_WIDTH = 4096, 8192
_SHORT, _LONG = 3, 4


def write_classic_beyond_4_gb(
    path: Path, num_pages: int, *, late_page: int | None = None, missing_bytes: int = 0
) -> Path:
    """Write a classic TIFF whose offsets begin anew at 4 GB, as those of ScanImage until 5.1 do.

    The first pixel of each page is its number from 1, and so is its last one. A late page lies some bytes
    behind where even spacing would have it.
    """
    image_bytes = LARGE_HEIGHT * LARGE_WIDTH * 2
    tags = {
        256: (_LONG, LARGE_WIDTH),
        257: (_LONG, LARGE_HEIGHT),
        258: (_SHORT, 16),
        259: (_SHORT, 1),
        262: (_SHORT, 1),
        277: (_SHORT, 1),
        278: (_LONG, LARGE_HEIGHT),
        279: (_LONG, image_bytes),
        339: (_SHORT, 2),
    }
    directory_bytes = 2 + 12 * (len(tags) + 1) + 4
    starts = [
        8 + number * (directory_bytes + image_bytes) + (100 if late_page and number >= late_page else 0)
        for number in range(num_pages)
    ]
    with path.open("wb") as file:
        file.write(struct.pack("<2sHI", b"II", 42, starts[0]))
        for number, start in enumerate(starts):
            data = start + directory_bytes
            entries = sorted({**tags, 273: (_LONG, data % 2**32)}.items())
            following = starts[number + 1] % 2**32 if number + 1 < num_pages else 0
            file.seek(start)
            file.write(struct.pack("<H", len(entries)))
            for tag, (kind, value) in entries:
                file.write(struct.pack("<HHII", tag, kind, 1, value))
            file.write(struct.pack("<I", following))
            for pixel in (data, data + image_bytes - 2):
                file.seek(pixel)
                file.write(struct.pack("<h", number + 1))
        file.truncate(file.tell() - missing_bytes)
    return aged(path)
