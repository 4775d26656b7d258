"""A person's own movie, as frames that a microscope could have written."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from imaging_pipeline import progress
from imaging_pipeline.errors import DamagedError, FormatError, InputError, PipelineError
from imaging_pipeline.readers.scanimage.tif import read_tif
from imaging_pipeline.readers.tiff.whole import check_whole

MIN_FRAMES = 100
MIN_SIDE_PX = 32
CHUNK_FRAMES = 50
# Below the largest int16, 32,767.
SCALED_RANGE = 30_000
"""Counts between the darkest and the brightest pixel of a movie whose values are no int16."""


@dataclass(frozen=True)
class UserMovie:
    """Pixels from a file, on disk until they are read.

    Attributes
    ----------
    path
        The file.
    pixels
        (T, height, width), memory-mapped, of any real number type.
    zero
        The value that is 0 counts.
    counts_per_unit
        Counts for each unit of a pixel's value.
    """

    path: Path
    pixels: NDArray[Any]
    zero: float
    counts_per_unit: float

    @property
    def num_frames(self) -> int:
        """Number of frames."""
        return len(self.pixels)

    @property
    def is_scaled(self) -> bool:
        """Whether values are changed to fit into int16."""
        return (self.zero, self.counts_per_unit) != (0.0, 1.0)

    def chunks(self) -> Iterator[NDArray[np.int16]]:
        """Yield int16 (n, height, width), n ≤ 50, in the order of time."""
        for first in range(0, self.num_frames, CHUNK_FRAMES):
            pixels = self.pixels[first : first + CHUNK_FRAMES]
            if self.is_scaled:
                pixels = np.rint((pixels.astype(np.float64) - self.zero) * self.counts_per_unit)
            yield pixels.astype(np.int16)


def open_movie(path: Path) -> UserMovie:
    """Open a ``.npy`` array or a ``.tif`` stack of frames × y × x: one channel, one plane.

    Whole numbers that fit into int16 stay as they are. Any others (uint16 above 32,767, floating
    point) are mapped linearly from the movie's own minimum and maximum to 0 … 30,000, so that
    transients keep their shape; dF/F of such a movie is relative to its darkest pixel.

    Raises
    ------
    InputError
        The file is no such movie: another kind of file, not three dimensions, no real numbers,
        fewer than 100 frames, smaller than 32 px, no difference between pixels, NaN or infinite.
    FormatError
        The file cannot be read.
    """
    pixels = _map_pixels(path)
    _check_pixels(path, pixels)
    lowest, highest = _range(path, pixels)
    limits = np.iinfo(np.int16)
    is_whole = np.issubdtype(pixels.dtype, np.integer)
    # Whole numbers only: rounding would take away most of a movie of small fractions, such as dF/F.
    if is_whole and limits.min <= lowest and highest <= limits.max:
        return UserMovie(path, pixels, 0.0, 1.0)
    return UserMovie(path, pixels, lowest, SCALED_RANGE / (highest - lowest))


def _map_pixels(path: Path) -> NDArray[Any]:
    maps = {".npy": _map_npy, ".tif": _map_tif, ".tiff": _map_tif}
    suffix = path.suffix.lower()
    if suffix not in maps:
        raise InputError(
            "A movie of this kind of file is not read",
            path=path,
            found=suffix or "a name without ending",
            allowed=".npy, .tif",
            remedy="Save the movie as an array of frames × y × x with numpy.save.",
        )
    if not path.is_file():
        raise InputError("The movie is not there", path=path, remedy="Check the path.")
    try:
        return maps[suffix](path)
    except PipelineError:
        raise
    except (ValueError, OSError, EOFError, tifffile.TiffFileError) as error:
        raise _damaged(path, error) from error


def _map_npy(path: Path) -> NDArray[Any]:
    pixels: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    return pixels


def _map_tif(path: Path) -> NDArray[Any]:
    _require_all_pages(path)
    with _logged_errors_raised(path), tifffile.TiffFile(path) as tif:
        if tif.is_scanimage:
            _check_scanimage(path)
        is_one_array = len(tif.series) == 1 and not tif.is_scanimage
        pixels: NDArray[Any]
        if is_one_array and tif.series[0].dataoffset is not None:
            pixels = tifffile.memmap(path, mode="r")
        else:
            # Compressed pages, and those with other things between them, are unpacked into a
            # temporary file. All pages are: ScanImage's header may declare another number.
            pixels = tif.asarray(key=None if is_one_array else slice(None), out="memmap")
        return pixels


def _require_all_pages(path: Path) -> None:
    """Raise DamagedError where not all pages are found: tifffile returns those that are."""
    try:
        check_whole(path)
    except DamagedError:
        raise
    except FormatError:
        # Compressed or in tiles, as microscopes do not write it: tifffile reads more kinds.
        return


class _LoggedErrors(logging.Handler):
    """Collects errors that tifffile only logs: after a broken chain of pages it returns fewer pages."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


@contextmanager
def _logged_errors_raised(path: Path) -> Iterator[None]:
    logged = _LoggedErrors()
    logger = logging.getLogger("tifffile")
    logger.addHandler(logged)
    try:
        yield
    finally:
        logger.removeHandler(logged)
    if logged.messages:
        raise _damaged(path, logged.messages[0])


def _damaged(path: Path, found: object) -> FormatError:
    return FormatError(
        "The movie cannot be read", path=path, found=found, remedy="Copy it again, or save it anew."
    )


def _check_scanimage(path: Path) -> None:
    header = read_tif(path).header
    if header.num_channels > 1 or header.is_volumetric:
        raise InputError(
            "The movie has several channels or planes",
            path=path,
            found=f"{header.num_channels} channels, {header.num_planes} planes",
            allowed="one of each",
            remedy="Register its folder itself, or save one channel of one plane.",
        )


def _check_pixels(path: Path, pixels: NDArray[Any]) -> None:
    shape_remedy = "Save one channel of one plane as an array of frames × y × x."
    if pixels.ndim != 3:
        raise InputError(
            "The movie has not three dimensions",
            path=path,
            found=f"shape {pixels.shape}",
            allowed="frames × y × x",
            remedy=shape_remedy,
        )
    if pixels.dtype.kind not in "iuf":
        raise InputError(
            "The movie's pixels are no real numbers",
            path=path,
            found=pixels.dtype,
            allowed="whole numbers or floating point",
            remedy="Save the pixels as int16.",
        )
    if len(pixels) < MIN_FRAMES:
        raise InputError(
            "The movie has too few frames to find cells by their activity",
            path=path,
            found=f"{len(pixels)} frames (shape {pixels.shape})",
            allowed=f"{MIN_FRAMES} or more",
            remedy=f"Take a longer movie. {shape_remedy}",
        )
    if min(pixels.shape[1:]) < MIN_SIDE_PX:
        raise InputError(
            "The movie's frames are too small",
            path=path,
            found=f"{pixels.shape[1]} × {pixels.shape[2]} px (shape {pixels.shape})",
            allowed=f"{MIN_SIDE_PX} px or more on each side",
            remedy=shape_remedy,
        )


def _range(path: Path, pixels: NDArray[Any]) -> tuple[float, float]:
    lowest, highest = np.inf, -np.inf
    for first in range(0, len(pixels), CHUNK_FRAMES):
        progress.report("reading the movie", first, len(pixels))
        chunk = pixels[first : first + CHUNK_FRAMES]
        # Unlike `min` and `max`, these pass NaN on, which is refused below.
        lowest, highest = np.minimum(lowest, chunk.min()), np.maximum(highest, chunk.max())
    if not (np.isfinite(lowest) and np.isfinite(highest)):
        raise InputError(
            "The movie has pixels that are no numbers",
            path=path,
            found=f"{lowest} to {highest}",
            allowed="finite values",
            remedy="Replace NaN and infinite pixels.",
        )
    if lowest == highest:
        raise InputError(
            "All pixels of the movie are equal",
            path=path,
            found=f"{lowest} everywhere",
            remedy="Check that the file holds the recording.",
        )
    return float(lowest), float(highest)
