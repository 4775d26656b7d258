"""Reading chunks of a dataset: each is looked for, and unpacked within bounds, before it counts as data."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imaging_pipeline.readers.hdf5_filters import Filters, read_filters
from imaging_pipeline.readers.hdf5_limits import MAX_CHUNK_BYTES, MIN_INDEX_BYTES
from imaging_pipeline.readers.hdf5_selection import Axis, Part
from imaging_pipeline.readers.hdf5_source import Source
from imaging_pipeline.readers.printable import printable

_Places = tuple[Part, ...]


@dataclass(frozen=True)
class Chunks:
    """The chunks of a dataset.

    Attributes
    ----------
    dataset_id
        The open dataset.
    shape
        Of a chunk, in elements.
    filters
        How they are packed.
    """

    dataset_id: Any
    shape: tuple[int, ...]
    filters: Filters

    def read(self, axes: Sequence[Axis], dtype: np.dtype[Any]) -> NDArray[Any] | None:
        """Read part of the dataset, or return None where only HDF5 can unpack it, within known bounds.

        Raises
        ------
        TruncatedError
            A chunk is not there, is damaged or is not whole.
        FormatError
            A chunk unpacks to more than it should.
        """
        result = np.empty([len(axis.positions) for axis in axes], dtype)
        is_whole = True
        for content, inside, places in self._unpacked(axes):
            if content is None:
                is_whole = False
            else:
                result[places] = np.frombuffer(content, dtype).reshape(self.shape)[inside]
        return result if is_whole else None

    def check(self, axes: Sequence[Axis]) -> None:
        """Raise an error, as `read` does, unless HDF5 can read part of the dataset within bounds."""
        for _ in self._unpacked(axes):
            pass

    def _unpacked(self, axes: Sequence[Axis]) -> Iterator[tuple[memoryview | None, _Places, _Places]]:
        self._require_possible(axes)
        buffer = np.empty(self.filters.max_stored_bytes, np.uint8)
        by_axis = (axis.by_chunk(length) for axis, length in zip(axes, self.shape, strict=True))
        for parts in itertools.product(*by_axis):
            numbers, inside, places = zip(*parts, strict=True)
            first = tuple(number * length for number, length in zip(numbers, self.shape, strict=True))
            skipped, stored = self._stored(first, buffer)
            yield self.filters.unpacked(stored, skipped), inside, places

    def _stored(self, first: tuple[int, ...], buffer: NDArray[np.uint8]) -> tuple[int, memoryview]:
        """Read a chunk as it is in the file, which fails where it is not there or larger than it may be."""
        try:
            return self.dataset_id.read_direct_chunk(first, out=buffer)  # type: ignore[no-any-return]
        except (RuntimeError, ValueError) as error:
            found = f"{printable(self.filters.name)}, chunk at {first}"
            what = "A chunk of the HDF5 file is missing, or larger than it can be"
            raise self.filters.source.truncated(what, found) from error

    def _require_possible(self, axes: Sequence[Axis]) -> None:
        """Raise TruncatedError where the file is too small to say where the chunks are."""
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
