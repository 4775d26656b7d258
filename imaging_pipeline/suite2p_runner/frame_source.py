"""The frames that a run of Suite2p gets, of whatever tifs: which pages, in which order, as which pixels.

Suite2p would open tifs itself, with tifffile. That counts a page too few in classic tifs of ScanImage whose
directories lie before the images (of 4.x to 5.1), and goes by what a header states in others. So the process
that checked the tifs writes down where the image of each page lies that is to be read, and the process of
Suite2p reads from there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imaging_pipeline.errors import TruncatedError
from imaging_pipeline.readers.tiff.file import COPY_AGAIN, TifFile
from imaging_pipeline.readers.tiff.recorded import Header, RecordedTif, pages_of
from imaging_pipeline.suite2p_runner.pixels import to_int16


def describe_source(tif: RecordedTif[Header], num_pages: int, offsets_path: Path) -> dict[str, Any]:
    """Describe the first pages of a tif for `FrameSource`, in types that JSON knows.

    Parameters
    ----------
    tif
        The file.
    num_pages
        How many of its pages are to be read.
    offsets_path
        A new file, for the offsets of the images.

    Raises
    ------
    FormatError
        The file has changed.
    """
    with TifFile(tif.path) as file:
        pages = pages_of(file, tif)
        byte_order = file.byte_order
    # Not by numpy, whose error does not say that a disk is full.
    offsets_path.write_bytes(pages.data_offsets[:num_pages].astype(np.int64).tobytes())
    return {
        "path": str(tif.path),
        "offsets_path": str(offsets_path),
        "height": tif.height,
        "width": tif.width,
        # `str` begins with the machine's byte order, which the file's replaces.
        "stored_dtype": byte_order + np.dtype(tif.dtype).str[1:],
    }


@dataclass(frozen=True)
class FrameSource:
    """The pages of a tif that Suite2p gets.

    Attributes
    ----------
    path
        The tif.
    offsets
        int64 (pages,), where the image of each lies, in bytes from the start of the file.
    height, width
        Of a page, in pixels.
    stored_dtype
        Type of the pixels as they are stored, with the byte order.
    """

    path: Path
    offsets: NDArray[np.int64]
    height: int
    width: int
    stored_dtype: np.dtype[Any]

    @classmethod
    def of(cls, described: Mapping[str, Any]) -> FrameSource:
        """Return the source that `describe_source` described."""
        return cls(
            path=Path(described["path"]),
            offsets=np.fromfile(described["offsets_path"], np.int64),
            height=described["height"],
            width=described["width"],
            stored_dtype=np.dtype(described["stored_dtype"]),
        )

    @property
    def num_pages(self) -> int:
        """Pages that are read."""
        return len(self.offsets)

    def read(self, first: int, num_pages: int) -> NDArray[np.int16]:
        """Read pages, (pages, height, width), as Suite2p has them; fewer at the end.

        Raises
        ------
        TruncatedError
            The file ends before a page does.
        """
        offsets = self.offsets[first : first + num_pages]
        num_pixels = self.height * self.width
        pages = np.empty((len(offsets), num_pixels), self.stored_dtype)
        with self.path.open("rb") as file:
            for page, offset in zip(pages, offsets.tolist(), strict=True):
                file.seek(offset)
                if file.readinto(page.data) != page.nbytes:
                    raise TruncatedError("The tif became shorter", path=self.path, remedy=COPY_AGAIN)
        native = pages.astype(self.stored_dtype.newbyteorder("="), copy=False)
        return to_int16(native).reshape(-1, self.height, self.width)
