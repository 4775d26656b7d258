"""Reading chunks of a dataset: each is located, and unpacked within bounds, before it counts as data.

Only filters are used that HDF5 and h5py bring themselves.
"""

from __future__ import annotations

import itertools
import math
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from h5py import h5z
from numpy.typing import NDArray

from imaging_pipeline.errors import TruncatedError
from imaging_pipeline.printable import printable
from imaging_pipeline.readers.hdf5.selection import Axis, Part
from imaging_pipeline.readers.hdf5.source import MAX_CHUNK_BYTES, MIN_INDEX_BYTES, Source, max_stored_bytes

_NAMES = {
    h5z.FILTER_DEFLATE: "deflate",
    h5z.FILTER_SHUFFLE: "shuffle",
    h5z.FILTER_FLETCHER32: "fletcher32",
    h5z.FILTER_SZIP: "szip",
    h5z.FILTER_NBIT: "nbit",
    h5z.FILTER_SCALEOFFSET: "scaleoffset",
    h5z.FILTER_LZF: "lzf",
}
# These unpack as many bytes as their own parameters say. By number of the parameter: elements in a chunk,
# bytes of an element, bytes of a chunk (H5Znbit.c and H5Zscaleoffset.c of HDF5, lzf_filter.c of h5py).
_ELEMENTS = {h5z.FILTER_NBIT: 2, h5z.FILTER_SCALEOFFSET: 2}
_ELEMENT_BYTES = {h5z.FILTER_NBIT: 4, h5z.FILTER_SCALEOFFSET: 4, h5z.FILTER_SHUFFLE: 0}
_CHUNK_BYTES = {h5z.FILTER_LZF: 2}
_OTHERS = frozenset({h5z.FILTER_SZIP, h5z.FILTER_NBIT, h5z.FILTER_SCALEOFFSET, h5z.FILTER_LZF})
# Fletcher32 appends its sum, and szip begins with the number of bytes (H5Zfletcher32.c, H5Zszip.c).
_CHECKSUM_BYTES = 4
_SZIP_SIZE_BYTES = 4
_UNUSED = "A dataset of the HDF5 file is packed by a filter that is not used"


@dataclass(frozen=True)
class Filters:
    """The filters of a dataset, in the order in which they packed.

    Attributes
    ----------
    source
        The file.
    name
        Name of the dataset, for errors.
    codes
        The filters' numbers in HDF5.
    num_elements, element_bytes
        Elements of a chunk, and the size of each in the file.
    """

    source: Source
    name: str
    codes: tuple[int, ...]
    num_elements: int
    element_bytes: int

    @property
    def chunk_bytes(self) -> int:
        """Bytes of an unpacked chunk."""
        return self.num_elements * self.element_bytes

    @property
    def deflates(self) -> bool:
        """Whether chunks may inflate to more than they are in the file."""
        return h5z.FILTER_DEFLATE in self.codes

    @property
    def max_stored_bytes(self) -> int:
        """Bytes that a chunk may take in the file."""
        return max_stored_bytes(self.chunk_bytes)

    def unpacked(self, stored: memoryview, skipped: int) -> memoryview | None:
        """Return the bytes of a chunk, or None where only HDF5 can unpack it, to a size that is known.

        Parameters
        ----------
        stored
            The chunk as it is in the file.
        skipped
            A bit for each filter that was not applied to this chunk.

        Raises
        ------
        FormatError
            It unpacks to more than a chunk.
        TruncatedError
            It is damaged, or not whole.
        """
        content, is_left_to_hdf5 = stored, False
        # What packed last is unpacked first.
        for position in reversed(range(len(self.codes))):
            code = self.codes[position]
            if skipped >> position & 1:
                continue
            if code == h5z.FILTER_DEFLATE:
                content = self._inflated(content)
            elif code == h5z.FILTER_SHUFFLE and content.nbytes == self.chunk_bytes:
                content = self._unshuffled(content)
            elif code == h5z.FILTER_FLETCHER32 and content.nbytes > _CHECKSUM_BYTES:
                # Only HDF5 checks the sum; here it is made sure that it can do so within bounds.
                content, is_left_to_hdf5 = content[:-_CHECKSUM_BYTES], True
            elif code in _OTHERS:
                self._check_other(code, content, self.codes[:position])
                return None
        self._require_whole(content.nbytes)
        return None if is_left_to_hdf5 else content

    def _check_other(self, code: int, content: memoryview, before: tuple[int, ...]) -> None:
        """Raise an error unless HDF5 unpacks a whole chunk of a filter that only it can unpack."""
        if set(before) - {h5z.FILTER_SHUFFLE}:
            found = " after ".join(_NAMES[filter_code] for filter_code in (code, *reversed(before)))
            raise self.source.refused(_UNUSED, self.name, found, "nothing but shuffle before it")
        if code == h5z.FILTER_SZIP:
            self._require_whole(int.from_bytes(content[:_SZIP_SIZE_BYTES], "little"))

    def _require_whole(self, num_bytes: int) -> None:
        if num_bytes != self.chunk_bytes:
            found = f"{printable(self.name)}: {num_bytes} bytes instead of {self.chunk_bytes}"
            raise self.source.truncated("A chunk of the HDF5 file is damaged or not whole", found)

    def _inflated(self, packed: memoryview) -> memoryview:
        stream = zlib.decompressobj()
        try:
            # One byte beyond the limit shows that there are more. The limit has room for a checksum that was
            # packed too.
            content = stream.decompress(packed, self.max_stored_bytes + 1)
        except zlib.error as error:
            found = f"{printable(self.name)}: {error}"
            raise self.source.truncated("A chunk of the HDF5 file is damaged", found) from error
        if len(content) > self.max_stored_bytes:
            found = f"a chunk that unpacks to more than {self.max_stored_bytes} bytes"
            raise self.source.too_large(self.name, found, f"{self.chunk_bytes} bytes")
        if not stream.eof:
            raise self.source.truncated("A chunk of the HDF5 file is not whole", printable(self.name))
        return memoryview(content)

    def _unshuffled(self, content: memoryview) -> memoryview:
        # Shuffle stores the first byte of all elements, then the second of all, and so on.
        by_byte = np.frombuffer(content, np.uint8).reshape(self.element_bytes, -1)
        return np.ascontiguousarray(by_byte.T).reshape(-1).data


def read_filters(source: Source, name: str, plist: Any, num_elements: int, element_bytes: int) -> Filters:
    """Read how a dataset's chunks are packed; no filter is looked for.

    Raises
    ------
    FormatError
        A filter is none that HDF5 and h5py bring, stands there twice, or unpacks more than a chunk.
    """
    codes: list[int] = []
    for position in range(plist.get_nfilters()):
        code, _, parameters, filter_name = plist.get_filter(position)
        # A filter that stands there twice would multiply the ratio by which a file may unpack (MAX_RATIO).
        if code not in _NAMES or code in codes:
            raise source.refused(
                _UNUSED,
                name,
                f"filter {code} ({printable(filter_name)})" + (" twice" if code in codes else ""),
                f"each of {', '.join(_NAMES.values())} once",
            )
        # A filter that does not state a size has the key None here. It may also state fewer parameters.
        expected = {
            _ELEMENTS.get(code): num_elements,
            _ELEMENT_BYTES.get(code): element_bytes,
            _CHUNK_BYTES.get(code): num_elements * element_bytes,
        }
        for number, value in expected.items():
            if number is not None and tuple(parameters)[number : number + 1] != (value,):
                found = f"the filter {_NAMES[code]} with other sizes than the dataset's"
                raise source.refused("A dataset of the HDF5 file contradicts itself", name, found, value)
        codes.append(code)
    return Filters(source, name, tuple(codes), num_elements, element_bytes)


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
