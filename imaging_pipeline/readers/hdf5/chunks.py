"""Reading chunks of a dataset: each is located, and unpacked within bounds, before it counts as data."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imaging_pipeline.errors import TruncatedError
from imaging_pipeline.printable import printable
from imaging_pipeline.readers.hdf5.filters import Filters, read_filters
from imaging_pipeline.readers.hdf5.selection import Axis, Part
from imaging_pipeline.readers.hdf5.source import MAX_CHUNK_BYTES, MIN_INDEX_BYTES, Source

_Parts = tuple[Part, ...]
_REQUIRED = re.compile(r"([0-9]+) bytes required")


@dataclass(frozen=True)
class Chunks:
    """The chunks of a dataset.

    Attributes
    ----------
    dataset_id
        The open dataset.
    shape
        Shape of a chunk, in elements; chunks at the edge reach over the end of the array.
    filters
        How each chunk is packed.
    """

    dataset_id: Any
    shape: tuple[int, ...]
    filters: Filters

    def read(self, axes: Sequence[Axis], dtype: np.dtype[Any]) -> NDArray[Any] | None:
        """Read part of the dataset, or return None where HDF5 can read it safely itself.

        Raises
        ------
        TruncatedError
            A chunk is not there, is damaged or is not whole.
        FormatError
            A chunk unpacks to more than it should.
        """
        # HDF5 reads these itself, once none is known to be missing: it would return zeros in its place.
        if not self.filters.codes:
            self.check(axes)
            return None
        result = np.empty([len(axis.positions) for axis in axes], dtype)
        is_whole = True
        for content, inside, target in self._unpacked(axes):
            if content is None:
                is_whole = False
            else:
                result[target] = np.frombuffer(content, dtype).reshape(self.shape)[inside]
        return result if is_whole else None

    def check(self, axes: Sequence[Axis]) -> None:
        """Raise an error, as `read` does, unless HDF5 can read part of the dataset within bounds."""
        if self.filters.codes:
            for _ in self._unpacked(axes):
                pass
            return
        # HDF5 refuses this buffer, and names the size of the chunk without reading it.
        probe = np.empty(0, np.uint8)
        for first, _, _ in self._chunk_parts(axes):
            if self._stored_bytes(first, probe) != self.filters.chunk_bytes:
                raise self._missing(first)

    def _unpacked(self, axes: Sequence[Axis]) -> Iterator[tuple[memoryview | None, _Parts, _Parts]]:
        buffer = np.empty(self.filters.max_stored_bytes, np.uint8)
        for first, inside, target in self._chunk_parts(axes):
            try:
                skipped, stored = self.dataset_id.read_direct_chunk(first, out=buffer)
            # A ValueError says that the buffer has no room for what the index states.
            except (RuntimeError, ValueError) as error:
                raise self._missing(first) from error
            yield self._content(first, stored, skipped), inside, target

    def _content(self, first: tuple[int, ...], stored: memoryview, skipped: int) -> memoryview | None:
        """Return the bytes of a chunk, or None where HDF5 is to unpack it.

        A file may say that chunks which reach over the end of the array are not packed, which nothing here
        tells. One that has the size of an unpacked chunk, and inflates to nothing, may be such.
        """
        reaches_over = any(
            start + length > end
            for start, length, end in zip(first, self.shape, self.dataset_id.shape, strict=True)
        )
        if not reaches_over or stored.nbytes != self.filters.chunk_bytes:
            return self.filters.unpacked(stored, skipped)
        if not self.filters.deflates:
            return None
        try:
            return self.filters.unpacked(stored, skipped)
        except TruncatedError:
            return None

    def _stored_bytes(self, first: tuple[int, ...], probe: NDArray[np.uint8]) -> int:
        """Return the bytes that a chunk has in the file, without reading any.

        The error of a buffer without room names them; every other way goes through all chunks.
        """
        try:
            self.dataset_id.read_direct_chunk(first, out=probe)
        except ValueError as error:
            stated = _REQUIRED.search(str(error))
            return int(stated[1]) if stated else 0
        except RuntimeError as error:
            raise self._missing(first) from error
        return 0

    def _missing(self, first: tuple[int, ...]) -> TruncatedError:
        found = f"{printable(self.filters.name)}, chunk at {first}"
        what = "A chunk of the HDF5 file is missing, or larger than it can be"
        return self.filters.source.truncated(what, found)

    def _chunk_parts(self, axes: Sequence[Axis]) -> Iterator[tuple[tuple[int, ...], _Parts, _Parts]]:
        """Yield the start of each chunk, the part of it that is selected, and its position in the result."""
        self._require_possible(axes)
        by_axis = (axis.by_chunk(length) for axis, length in zip(axes, self.shape, strict=True))
        for parts in itertools.product(*by_axis):
            numbers, inside, target = zip(*parts, strict=True)
            first = tuple(number * length for number, length in zip(numbers, self.shape, strict=True))
            yield first, inside, target

    def _require_possible(self, axes: Sequence[Axis]) -> None:
        """Raise TruncatedError if the file is too small for an index of the chunks."""
        source = self.filters.source
        counts = (axis.num_chunks(length) for axis, length in zip(axes, self.shape, strict=True))
        num_chunks = math.prod(counts)
        if num_chunks * MIN_INDEX_BYTES > source.num_bytes:
            found = f"{printable(self.filters.name)}: {num_chunks} chunks"
            raise source.truncated("Chunks of the HDF5 file are missing", found)


def open_chunks(source: Source, name: str, dataset_id: Any, plist: Any, element_bytes: int) -> Chunks:
    """Return the chunks of a dataset, none of which is read.

    Raises
    ------
    FormatError
        A chunk is larger than any recording needs, or packed by a filter that is not used.
    """
    shape = tuple(int(length) for length in plist.get_chunk())
    num_elements = math.prod(shape)
    if num_elements * element_bytes > MAX_CHUNK_BYTES:
        found = f"chunks of {num_elements * element_bytes} bytes"
        raise source.too_large(name, found, f"{MAX_CHUNK_BYTES} bytes a chunk")
    return Chunks(dataset_id, shape, read_filters(source, name, plist, num_elements, element_bytes))
