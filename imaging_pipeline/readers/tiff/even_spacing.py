"""Pages that follow each other at one distance, as microscopes write them.

Their offsets are computed instead of walked: on a network share each step of a walk costs the share's
latency.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from imaging_pipeline.errors import FormatError
from imaging_pipeline.readers.tiff.file import TifFile
from imaging_pipeline.readers.tiff.page import Page, Span
from imaging_pipeline.readers.tiff.page_table import PageTable, table_of_equal

# Pages that are looked at between the first and the last.
_NUM_PROBES = 4
# Almost every file shows in so few bytes of its end that it is whole.
GLANCE_BYTES = 4 * 1024


class PagePattern:
    """The first directory of a file, and which of its values move on with the page.

    Comparing bytes takes a tenth of the time of parsing a directory.

    Parameters
    ----------
    file
        An open file.
    first, other
        Two of its pages, which tell values that move from those that stay.
    """

    def __init__(self, file: TifFile, first: Page, other: Page) -> None:
        self._file = file
        self._offset = first.directory.offset
        self._content = file.read_span(first.directory)
        other_content = file.read_span(other.directory)
        moved_by = other.directory.offset - first.directory.offset
        value = file.pointer
        self._moving = {
            offset: number
            for offset in file.value_offsets(len(self._content))
            if (number := value.unpack_from(self._content, offset)[0]) + moved_by
            == value.unpack_from(other_content, offset)[0]
        }
        # The pointer to the next page moves too, which the last page cannot show: there it is 0.
        self._next = len(self._content) - value.size
        self._moving[self._next] = first.next_directory

    def is_at(self, distance: int, *, is_last: bool = False) -> bool:
        """Return True if the first directory, its values moved on, lies ``distance`` bytes behind itself.

        Offsets behind 4 GB are expected as a classic TIFF holds them, which has four bytes for each.
        """
        expected = bytearray(self._content)
        for offset, value in self._moving.items():
            moved = 0 if is_last and offset == self._next else value + distance
            self._file.pointer.pack_into(expected, offset, moved % 256**self._file.pointer.size)
        return self._file.read_at(self._offset + distance, len(expected)) == expected


def evenly_spaced(file: TifFile, first: Page) -> PageTable | None:
    """Return the computed offsets if the pages follow each other at one distance, else None.

    The last directory must be where it should be and end the chain, and random probes between must agree.

    Raises
    ------
    TruncatedError
        The last page that is there names a next one, or is not whole.
    """
    start, distance, count = _steps(file, first)
    if distance <= 0 or _unclaimed_bytes(first, distance) >= first.data.num_bytes:
        return None
    probes = _probes(count)
    # All are announced before the first is read: on a share they then cost one round trip.
    file.read_ahead(first.directory.moved(index * distance) for index in (count - 1, *probes))
    file.read_ahead([Span(max(file.size_bytes - GLANCE_BYTES, 0), GLANCE_BYTES)])
    expected = first.moved((count - 1) * distance)
    last = _page_or_none(file, start + (count - 1) * distance)
    if last == expected:
        # The last page that is there still names a next one.
        raise file.truncated(first.moved(count * distance).end)
    if last != replace(expected, next_directory=0):
        return None
    # Texts that pages share may lie anywhere in the file: either page may be the one that ends last.
    file.require_bytes(max(first.end, last.end))
    pattern = PagePattern(file, first, last)
    if not all(pattern.is_at(index * distance) for index in probes):
        return None
    return table_of_equal(first, count, distance)


def evenly_spaced_beyond_4_gb(file: TifFile, first: Page) -> PageTable | None:
    """Return the same of a classic TIFF of more than 4 GB, whose offsets began anew at 4 GB.

    Raises
    ------
    TruncatedError
        As for `evenly_spaced`.
    """
    _, distance, count = _steps(file, first)
    if distance <= 0 or _unclaimed_bytes(first, distance) >= first.data.num_bytes:
        return None
    # Not the last page, whose offsets cannot be told from other ones.
    second = _page_or_none(file, first.next_directory)
    expected = replace(first.moved(distance), next_directory=0)
    if second is None or replace(second, next_directory=0) != expected:
        return None
    pattern = PagePattern(file, first, second)
    if not all(pattern.is_at(index * distance) for index in _probes(count)):
        return None
    last = (count - 1) * distance
    if file.size_bytes < first.directory.moved(last).end:
        return None
    if pattern.is_at(last):
        raise file.truncated(first.moved(last + distance).end)
    if not pattern.is_at(last, is_last=True):
        return None
    file.require_bytes(first.moved(last).end)
    return table_of_equal(first, count, distance)


def _steps(file: TifFile, first: Page) -> tuple[int, int, int]:
    """Return where the first directory lies, the distance to the second, and how many there may be."""
    start = first.directory.offset
    distance = first.next_directory - start
    # Rounded up: where images lie before their directories, less than a whole distance follows the last one.
    return start, distance, -(-(file.size_bytes - start) // distance) if distance > 0 else 0


def _probes(count: int) -> Sequence[int]:
    between = range(1, count - 1)
    # The same file gets the same probes, so that an error can be reproduced.
    return random.Random(count).sample(between, min(_NUM_PROBES, len(between)))


def _unclaimed_bytes(first: Page, distance: int) -> int:
    """Return how many bytes at least lie between two pages that belong to neither."""
    shared = first.shared_texts.values()
    claimed = (first.directory, first.data, *(span for span in first.values if span not in shared))
    return distance - sum(span.num_bytes for span in claimed)


def _page_or_none(file: TifFile, offset: int) -> Page | None:
    """Read a directory where one is only guessed; without one, the pages are not evenly spaced."""
    try:
        return file.page_at(offset)
    except FormatError:
        return None
