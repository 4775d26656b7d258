"""Whether all pages of a tif are there, and how many are of one that is damaged."""

from __future__ import annotations

from pathlib import Path

from imaging_pipeline.readers.tiff.file import TifFile
from imaging_pipeline.readers.tiff.page_table import PageTable
from imaging_pipeline.readers.tiff.pages import check_end, find_pages, first_pages, num_whole_pages


def check_whole(path: Path, pages_taken: int | None = None) -> None:
    """Check that a tif has all its pages, or those that are taken of it.

    Raises
    ------
    NothingFoundError, TruncatedError, FormatError
        As for `recorded.read_recorded_tif`.
    """
    with TifFile(path) as file:
        find_whole_pages(file, pages_taken)


def count_whole_pages(path: Path) -> int:
    """Count the pages of a damaged tif, of all channels, that are whole, from the first one on.

    Raises
    ------
    NothingFoundError
        The file is not there.
    FormatError
        Not even the first page is there, or the file is none that can be read.
    """
    with TifFile(path) as file:
        return num_whole_pages(file)


def find_whole_pages(file: TifFile, pages_taken: int | None) -> PageTable:
    """Find the pages of a tif that must all be there, or those that are taken of a damaged one.

    Raises
    ------
    TruncatedError, FormatError
        They are not all there, or cannot be read.
    """
    if pages_taken is not None:
        return first_pages(file, pages_taken)
    pages = find_pages(file)
    check_end(file, pages)
    return pages
