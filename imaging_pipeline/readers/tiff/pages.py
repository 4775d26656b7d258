"""Where all pages of a TIFF stack lie.

A stack of a microscope has thousands of pages of equal length. Their offsets are computed instead of
walked where the file allows it: on a network share each step of a walk costs the share's latency.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from imaging_pipeline import progress
from imaging_pipeline.errors import FormatError
from imaging_pipeline.readers.tiff.file import COPY_AGAIN, TifFile
from imaging_pipeline.readers.tiff.page import Page, Span


class PagePattern:
    """The first directory of a file, and which of its values move on with the page.

    Comparing bytes takes a tenth of the time of parsing a directory.

    Parameters
    ----------
    file
        An open file.
    first, last
        Two of its pages, which tell values that move from those that stay.
    """

    def __init__(self, file: TifFile, first: Page, last: Page) -> None:
        self._file = file
        self._offset = first.directory.offset
        self._content = file.read_span(first.directory)
        last_content = file.read_span(last.directory)
        moved_by = last.directory.offset - first.directory.offset
        value = file.pointer
        self._moving = {
            offset: number
            for offset in file.value_offsets(len(self._content))
            if (number := value.unpack_from(self._content, offset)[0]) + moved_by
            == value.unpack_from(last_content, offset)[0]
        }
        # The pointer to the next page moves too, which the last page cannot show: there it is 0.
        self._moving[len(self._content) - value.size] = first.next_directory

    def is_at(self, distance: int) -> bool:
        """Return True if the first directory, its values moved on, lies ``distance`` bytes behind itself."""
        expected = bytearray(self._content)
        for offset, value in self._moving.items():
            self._file.pointer.pack_into(expected, offset, value + distance)
        return self._file.read_at(self._offset + distance, len(expected)) == expected


# Pages that are looked at between the first and the last.
_NUM_PROBES = 4
# As much of a page's end as no detector leaves at zero in one page and not in another.
_END_BYTES = 64 * 1024
# Almost every file shows in so few that it is whole.
_GLANCE_BYTES = 4 * 1024

Int64Array = npt.NDArray[np.int64]


@dataclass(frozen=True)
class PageTable:
    """The offsets of all pages, in bytes from the start of the file.

    Attributes
    ----------
    first
        The first page, whose size and type all others share.
    data_offsets, description_offsets, description_bytes, directory_ends, ends
        int64 arrays (num_pages,). A directory's last bytes are the pointer to the next one; behind
        ``ends`` lies nothing that the page needs.
    """

    first: Page
    data_offsets: Int64Array
    description_offsets: Int64Array
    description_bytes: Int64Array
    directory_ends: Int64Array
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


def find_pages(file: TifFile) -> PageTable:
    """Find all pages, by their even spacing or else one by one.

    Raises
    ------
    TruncatedError
        The file ends before its last page does, or holds zeros where a page should be.
    FormatError
        Its directories run in a circle, or its pages differ in size or type.
    """
    first = file.first_page
    return _evenly_spaced(file, first) or _walked(file, first)


def _require_whole(file: TifFile, end: int) -> None:
    if end > file.size_bytes:
        raise file.truncated(end)


def check_end(file: TifFile, pages: PageTable) -> None:
    """Refuse a file whose last image ends in zeros as its first does not.

    A copy that got its full size at once, and broke off in the last page, differs from a whole file in
    nothing else.

    Raises
    ------
    TruncatedError
        The last image does, and the first does not.
    """
    num_bytes = min(pages.first.data.num_bytes, _GLANCE_BYTES)
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


def _evenly_spaced(file: TifFile, first: Page) -> PageTable | None:
    """Return the computed offsets if the pages follow each other at one distance, else None.

    The last directory must be where it should be and end the chain, and random probes between must agree.
    """
    start = first.directory.offset
    distance = first.next_directory - start
    if distance <= 0:
        return None
    # Rounded up: where images lie before their directories, less than a whole distance follows the last one.
    count = -(-(file.size_bytes - start) // distance)
    between = range(1, count - 1)
    # The same file gets the same probes, so that an error can be reproduced.
    probes = random.Random(count).sample(between, min(_NUM_PROBES, len(between)))
    # All are announced before the first is read: on a share they then cost one round trip.
    file.read_ahead(first.directory.moved(index * distance) for index in (count - 1, *probes))
    file.read_ahead([Span(max(file.size_bytes - _GLANCE_BYTES, 0), _GLANCE_BYTES)])
    expected = first.moved((count - 1) * distance)
    last = _page_or_none(file, expected.directory.offset)
    if last == expected:
        # The last page that is there still names a next one.
        raise file.truncated(first.moved(count * distance).end)
    if last != replace(expected, next_directory=0):
        return None
    # Texts that pages share may lie anywhere in the file: either page may be the one that ends last.
    _require_whole(file, max(first.end, last.end))
    pattern = PagePattern(file, first, last)
    if not all(pattern.is_at(index * distance) for index in probes):
        return None
    steps = np.arange(count, dtype=np.int64) * distance
    return PageTable(
        first=first,
        data_offsets=first.data.offset + steps,
        description_offsets=first.description.offset + steps,
        description_bytes=np.full(count, first.description.num_bytes, np.int64),
        directory_ends=first.directory.end + steps,
        ends=first.end + steps,
    )


def _page_or_none(file: TifFile, offset: int) -> Page | None:
    """Read a directory where one is only guessed; without one, the pages are not evenly spaced."""
    try:
        return file.page_at(offset)
    except FormatError:
        return None


def _walked(file: TifFile, first: Page) -> PageTable:
    pages = [first]
    seen = {first.directory.offset}
    while (offset := pages[-1].next_directory) != 0:
        if offset in seen:
            raise FormatError(
                "The tif's directories run in a circle",
                path=file.path,
                found=f"page {len(pages)} names byte {offset} as the next",
                remedy=COPY_AGAIN,
            )
        seen.add(offset)
        page = file.page_at(offset)
        if (page.width, page.height, page.dtype) != (first.width, first.height, first.dtype):
            raise FormatError(
                f"Page {len(pages) + 1} of the tif differs from the first",
                path=file.path,
                found=f"{page.height} x {page.width} {page.dtype}",
                allowed=f"{first.height} x {first.width} {first.dtype}",
                remedy="register the tifs as the microscope wrote them, each of one size.",
            )
        pages.append(page)
        if len(pages) % 1000 == 0:
            progress.report("finding the tif's pages", len(pages))
    # Before they are columns: a damaged page may state an offset that no int64 holds.
    _require_whole(file, max(page.end for page in pages))

    def column(values: list[int]) -> Int64Array:
        return np.array(values, np.int64)

    return PageTable(
        first=first,
        data_offsets=column([page.data.offset for page in pages]),
        description_offsets=column([page.description.offset for page in pages]),
        description_bytes=column([page.description.num_bytes for page in pages]),
        directory_ends=column([page.directory.end for page in pages]),
        ends=column([page.end for page in pages]),
    )
