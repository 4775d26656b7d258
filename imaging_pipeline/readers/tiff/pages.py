"""Where all pages of a TIFF stack lie."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import chain, islice
from typing import Any

import numpy as np
import numpy.typing as npt

from imaging_pipeline import progress
from imaging_pipeline.errors import DamagedError, FormatError
from imaging_pipeline.readers.tiff.contiguous import num_images_stated
from imaging_pipeline.readers.tiff.even_spacing import (
    GLANCE_BYTES,
    evenly_spaced,
    evenly_spaced_beyond_4_gb,
)
from imaging_pipeline.readers.tiff.file import COPY_AGAIN, TifFile
from imaging_pipeline.readers.tiff.page import Page, Span
from imaging_pipeline.readers.tiff.page_table import PageTable, table_of, table_of_contiguous

__all__ = ["PageTable", "check_end", "find_pages", "first_pages", "num_whole_pages", "read_image"]

# As much of a page's end as no detector leaves at zero in one page and not in another.
_END_BYTES = 64 * 1024
# Bytes that the offsets of a classic TIFF reach.
_CLASSIC_BYTES = 2**32


def find_pages(file: TifFile) -> PageTable:
    """Find all pages, by their even spacing or else one by one.

    Raises
    ------
    TruncatedError
        The file ends before its last page does, or holds zeros where a page should be.
    DamagedError
        Its directories run in a circle, or it has room for images that no directory names.
    FormatError
        Its pages differ in size or type.
    """
    first = file.first_page
    if (num_images := _num_contiguous(file, first)) > 1:
        images = Span(first.data.offset, num_images * first.data.num_bytes)
        # Before there is a table: a damaged text may state any number.
        file.require_bytes(max(first.end, images.end))
        pages = table_of_contiguous(first, num_images)
        _require_claimed(file, [first], [images])
        return pages
    if not file.is_bigtiff and file.size_bytes > _CLASSIC_BYTES:
        return _beyond_4_gb(file, first)
    return evenly_spaced(file, first) or _walked(file, first)


def first_pages(file: TifFile, num_pages: int) -> PageTable:
    """Find the first pages of a file, whatever comes of the others.

    Raises
    ------
    DamagedError, FormatError
        There are not so many whole pages.
    """
    first = file.first_page
    if _num_contiguous_damaged(file, first) > 1:
        file.require_bytes(max(first.end, first.data.offset + num_pages * first.data.num_bytes))
        return table_of_contiguous(first, num_pages)
    pages = list(islice(_chain(file, first), num_pages))
    file.require_bytes(max(page.end for page in pages))
    return table_of(pages)


def num_whole_pages(file: TifFile) -> int:
    """Count the pages of a damaged file that are whole, from its first page on.

    Raises
    ------
    DamagedError, FormatError
        Not even the first page is there, or the file is none that can be read.
    """
    first = file.first_page
    file.require_bytes(first.end)
    if (num_images := _num_contiguous_damaged(file, first)) > 1:
        num_here = (file.size_bytes - first.data.offset) // first.data.num_bytes
        pages = table_of_contiguous(first, min(num_images, num_here))
    else:
        pages = table_of(_whole_pages(file, first))
    # A copy that got its full size at once holds zeros behind the place where it broke off. An image that
    # ends in zeros of its own cannot be told from one that broke off, and is left out.
    end = _end_of_content(file)
    if file.size_bytes - end < min(first.data.num_bytes, GLANCE_BYTES):
        return pages.num_pages
    is_cut = pages.ends > end
    return int(np.argmax(is_cut)) if is_cut.any() else pages.num_pages


def _end_of_content(file: TifFile) -> int:
    """Return the first byte from which on a file holds zeros only."""
    for end in range(file.size_bytes, 0, -_END_BYTES):
        start = max(end - _END_BYTES, 0)
        content = file.read_at(start, end - start).rstrip(b"\0")
        if content:
            return start + len(content)
    return 0


def check_end(file: TifFile, pages: PageTable) -> None:
    """Refuse a file whose last image ends in zeros as its first does not.

    A copy that got its full size at once, and broke off in the last page, differs from a whole file in
    nothing else.

    Raises
    ------
    TruncatedError
        The last image does, and the first does not.
    """
    num_bytes = min(pages.first.data.num_bytes, GLANCE_BYTES)
    if file.read_at(pages.data(-1).end - num_bytes, num_bytes).strip(b"\0"):
        return
    num_bytes = min(pages.first.data.num_bytes, _END_BYTES)
    first, last = (pages.data(index).end - num_bytes for index in (0, -1))
    if not file.read_at(last, num_bytes).strip(b"\0") and file.read_at(first, num_bytes).strip(b"\0"):
        raise file.blank(last)


def read_image(file: TifFile, pages: PageTable, index: int) -> npt.NDArray[Any]:
    """Read one page's image, (height, width), in the machine's byte order."""
    first = pages.first
    # `str` begins with the machine's byte order, which the file's replaces.
    stored = np.frombuffer(file.read_span(pages.data(index)), file.byte_order + np.dtype(first.dtype).str[1:])
    return stored.astype(first.dtype, copy=False).reshape(first.height, first.width)


def _num_contiguous(file: TifFile, first: Page) -> int:
    """Return how many images lie in a file of one directory as its text says; else 1."""
    return num_images_stated(file, first) if first.next_directory == 0 else 1


def _num_contiguous_damaged(file: TifFile, first: Page) -> int:
    """Return the same of a damaged file, of which the directories of all images but the first may be lost.

    ImageJ and tifffile write them behind all images, so that a file that broke off has none of them.
    """
    num_images = num_images_stated(file, first)
    end = first.data.offset + num_images * first.data.num_bytes
    return num_images if first.next_directory == 0 or first.next_directory >= end else 1


def _beyond_4_gb(file: TifFile, first: Page) -> PageTable:
    """Find the pages of a classic TIFF of more than 4 GB."""
    pages = evenly_spaced_beyond_4_gb(file, first)
    if pages is not None:
        return pages
    try:
        # Only the last image may lie behind 4 GB.
        return _walked(file, first)
    except FormatError as error:
        raise DamagedError(
            "The tif is a classic TIFF of more than 4 GB, and its pages behind 4 GB cannot be found",
            path=file.path,
            found=f"{file.size_bytes} bytes, whose pages do not follow each other at one distance",
            allowed=f"{_CLASSIC_BYTES} bytes, which the offsets of a classic TIFF reach",
            remedy="write it as BigTIFF with the program that wrote it, or in smaller files.",
        ) from error


def _walked(file: TifFile, first: Page) -> PageTable:
    pages = list(_chain(file, first))
    # Before they are columns: a damaged page may state an offset that no int64 holds.
    file.require_bytes(max(page.end for page in pages))
    _require_claimed(file, pages, [page.data for page in pages])
    return table_of(pages)


def _whole_pages(file: TifFile, first: Page) -> list[Page]:
    """Return the pages up to the first one that is not whole."""
    pages: list[Page] = []
    # That the file is damaged is known: here only what lies before counts.
    with suppress(FormatError):
        for page in _chain(file, first):
            file.require_bytes(page.end)
            pages.append(page)
    return pages


def _chain(file: TifFile, first: Page) -> Iterator[Page]:
    """Yield one page after the other."""
    page, seen = first, {first.directory.offset}
    yield page
    while (offset := page.next_directory) != 0:
        if offset in seen:
            raise DamagedError(
                "The tif's directories run in a circle",
                path=file.path,
                found=f"page {len(seen)} names byte {offset} as the next",
                remedy=COPY_AGAIN,
            )
        page = file.page_at(offset)
        if (page.width, page.height, page.dtype) != (first.width, first.height, first.dtype):
            raise FormatError(
                f"Page {len(seen) + 1} of the tif differs from the first",
                path=file.path,
                found=f"{page.height} x {page.width} {page.dtype}",
                allowed=f"{first.height} x {first.width} {first.dtype}",
                remedy="register the tifs as the microscope wrote them, each of one size.",
            )
        yield page
        seen.add(offset)
        if len(seen) % 1000 == 0:
            progress.report("finding the tif's pages", len(seen))


def _require_claimed(file: TifFile, pages: Sequence[Page], images: Sequence[Span]) -> None:
    """Refuse a file that has room for an image which belongs to no page, behind where its pages begin.

    Raises
    ------
    DamagedError
        It says where.
    """
    image_bytes = pages[0].data.num_bytes
    num_pages = sum(image.num_bytes for image in images) // image_bytes
    parts = [*images, *(page.directory for page in pages)]
    # What lies before is a microscope's own: texts that it may repeat in no tag.
    end = min(part.offset for part in parts)
    values = chain.from_iterable(page.values for page in pages)
    ordered = sorted((*parts, *values), key=lambda span: span.offset)
    for span in (*ordered, Span(file.size_bytes, 0)):
        if span.offset - end >= image_bytes:
            raise DamagedError(
                "The tif holds more bytes than its pages need: there may be images that no page names",
                path=file.path,
                found=f"{num_pages} pages, and {span.offset - end} bytes from byte {end} on that are of none,"
                f" of {file.size_bytes} bytes",
                allowed=f"less than the {image_bytes} bytes of an image",
                remedy=f"{COPY_AGAIN} If it is the same there, save it with a directory for each page.",
            )
        end = max(end, span.end)
