"""The filters that pack the chunks of a dataset, undone within bounds.

Only those are used that HDF5 and h5py bring themselves.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from h5py import h5z

from imaging_pipeline.printable import printable
from imaging_pipeline.readers.hdf5.source import Source, max_stored_bytes

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
