"""Writes the tifs of an acquisition, with a header of realistic length."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from imaging_pipeline.demo.scanimage_file import ScanImageSettings, ScanImageWriter
from imaging_pipeline.demo.scanimage_settings import header_text
from imaging_pipeline.readers.tiff.file import TifFile
from imaging_pipeline.readers.tiff.pages import find_pages

_SETTINGS = ScanImageSettings(frame_rate_hz=30.0)
# ScanImage 2021 writes 32 kB of settings; the demo's files have only those that are read.
_HEADER_BYTES = 32_000
_NUMBER = re.compile(rb"(frameNumbers = |frameNumberAcquisition = )(\d+)")
_TIME = re.compile(rb"(frameTimestamps_sec = )([\d.]+)")


@dataclass(frozen=True)
class TifSize:
    """How large each file is.

    Attributes
    ----------
    frames
        Pages of the one channel.
    side_px
        Height and width of a page.
    """

    frames: int
    side_px: int


def write_tifs(folder: Path, count: int, size: TifSize) -> list[Path]:
    """Write ``count`` files of noise."""
    noise = np.random.default_rng(0).integers(0, 1000, (size.side_px, size.side_px), np.int16)
    paths = _paths(folder, count)
    for number, path in enumerate(paths):
        _write(path, noise, size.frames, frames_before=number * size.frames)
    os.sync()
    return paths


def write_sparse_tifs(folder: Path, count: int, size: TifSize) -> list[Path]:
    """Write ``count`` files whose images are holes: as long as real ones, they take little space."""
    paths = _paths(folder, count)
    full = folder / "full.tif"
    _write(full, np.zeros((size.side_px, size.side_px), np.int16), size.frames, frames_before=0)
    texts = _texts(full)
    for number, path in enumerate(paths):
        with path.open("wb") as file:
            for offset, content in texts:
                file.seek(offset)
                file.write(_numbered_on(content, number * size.frames))
            file.truncate(full.stat().st_size)
    full.unlink()
    os.sync()
    return paths


def _texts(path: Path) -> list[tuple[int, bytes]]:
    """Return all bytes outside the images, each piece with its offset."""
    with TifFile(path) as file:
        pages = find_pages(file)
        images = [0, *(pages.data_offsets + pages.first.data.num_bytes).tolist()]
        spans = zip(images, pages.data_offsets.tolist(), strict=False)
        return [(start, file.read_at(start, end - start)) for start, end in spans]


def _numbered_on(content: bytes, frames_before: int) -> bytes:
    """Return the texts of a page with its frame's numbers and time moved on; they stay as long."""
    moved = _NUMBER.sub(lambda each: b"%s%d" % (each[1], int(each[2]) + frames_before), content)
    later_s = frames_before / _SETTINGS.frame_rate_hz
    moved = _TIME.sub(lambda each: b"%s%.9f" % (each[1], float(each[2]) + later_s), moved)
    # The lines are padded with spaces up to a NUL, which the image follows.
    return moved[: -1 - (len(moved) - len(content))] + b"\0" if len(moved) > len(content) else moved


def _paths(folder: Path, count: int) -> list[Path]:
    folder.mkdir()
    return [folder / f"90218-openfield_00001_{number:05d}.tif" for number in range(1, count + 1)]


def _write(path: Path, page: npt.NDArray[np.int16], frames: int, frames_before: int) -> None:
    header = header_text(_SETTINGS, *page.shape)
    lines = (f"SI.hOther.setting{number:03d} = [{number} 1.25 2.5 3.75 5]\n" for number in range(10_000))
    while len(header) < _HEADER_BYTES:
        header += next(lines)
    with ScanImageWriter(path, _SETTINGS.after(frames_before), header=header) as writer:
        for _ in range(frames):
            writer.write_page(page)
