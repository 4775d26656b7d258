"""The offsets of all pages of a TIFF stack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from imaging_pipeline.readers.tiff.page import Page, Span

Int64Array = npt.NDArray[np.int64]


@dataclass(frozen=True)
class PageTable:
    """The offsets of all pages, in bytes from the start of the file.

    Attributes
    ----------
    first
        The first page, whose size and type all others share.
    data_offsets, description_offsets, description_bytes, ends
        int64 arrays (num_pages,); behind ``ends`` lies nothing that the page needs.
    """

    first: Page
    data_offsets: Int64Array
    description_offsets: Int64Array
    description_bytes: Int64Array
    ends: Int64Array

    @property
    def num_pages(self) -> int:
        """Pages in the file."""
        return len(self.data_offsets)

    def data(self, index: int) -> Span:
        """Return the span of a page's image."""
        return Span(int(self.data_offsets[index]), self.first.data.num_bytes)

    def description(self, index: int) -> Span:
        """Return the span of a page's text."""
        return Span(int(self.description_offsets[index]), int(self.description_bytes[index]))


def table_of(pages: Sequence[Page]) -> PageTable:
    """Return the offsets of pages that were read one by one."""

    def column(values: list[int]) -> Int64Array:
        return np.array(values, np.int64)

    return PageTable(
        first=pages[0],
        data_offsets=column([page.data.offset for page in pages]),
        description_offsets=column([page.description.offset for page in pages]),
        description_bytes=column([page.description.num_bytes for page in pages]),
        ends=column([page.end for page in pages]),
    )


def table_of_equal(first: Page, num_pages: int, distance: int) -> PageTable:
    """Return the offsets of pages that follow each other at one distance in bytes."""
    steps = np.arange(num_pages, dtype=np.int64) * distance
    return PageTable(
        first=first,
        data_offsets=first.data.offset + steps,
        description_offsets=first.description.offset + steps,
        description_bytes=np.full(num_pages, first.description.num_bytes, np.int64),
        ends=first.end + steps,
    )


def table_of_contiguous(first: Page, num_images: int) -> PageTable:
    """Return the offsets of images that follow the first one without a directory and a text of their own."""
    data_offsets = first.data.offset + np.arange(num_images, dtype=np.int64) * first.data.num_bytes
    description_bytes = np.zeros(num_images, np.int64)
    description_bytes[0] = first.description.num_bytes
    return PageTable(
        first=first,
        data_offsets=data_offsets,
        description_offsets=np.full(num_images, first.description.offset, np.int64),
        description_bytes=description_bytes,
        ends=np.maximum(data_offsets + first.data.num_bytes, first.end),
    )
