"""Datasets of an HDF5 file, which are opened only where all of their content lies in the file."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import h5py
import numpy as np
from h5py import h5d, h5s

from imaging_pipeline.printable import printable
from imaging_pipeline.readers.hdf5.attributes import (
    Attributes,
    element_type,
    is_as_stored,
    require_few_objects,
)
from imaging_pipeline.readers.hdf5.chunks import open_chunks
from imaging_pipeline.readers.hdf5.selection import Axis, axes_of
from imaging_pipeline.readers.hdf5.source import MAX_RATIO, MAX_READ_BYTES, Source


class Dataset:
    """A dataset that holds its content itself.

    Parameters
    ----------
    source
        The file.
    dataset_id
        The open dataset.
    name
        How it was reached, in the file.
    follow
        Opens what a reference leads to.

    Attributes
    ----------
    shape, dtype
        As h5py has them.
    name
        How it was reached, in the file.
    """

    is_group = False

    def __init__(self, source: Source, dataset_id: Any, name: str, follow: Callable[[Any], Any]) -> None:
        self._source, self._id, self._follow = source, dataset_id, follow
        self.name = name
        plist = dataset_id.get_create_plist()
        # Even asking a virtual dataset for its shape opens other files.
        _require_own_content(source, name, plist)
        self._kind = element_type(source, name, dataset_id.get_type())
        self.dtype = self._kind.dtype
        self.shape: tuple[int, ...] = dataset_id.shape
        if not self.shape and dataset_id.get_space().get_simple_extent_type() == h5s.NULL:
            raise source.refused("A dataset of the HDF5 file has no content", name, "none", "an array")
        self._layout = plist.get_layout()
        self._chunks = None
        if self._layout == h5d.CHUNKED:
            self._chunks = open_chunks(source, name, dataset_id, plist, self._kind.num_bytes)

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def attrs(self) -> Attributes:
        """Its attributes."""
        return Attributes(self._source, self._id, self.name)

    def follow(self, reference: Any) -> Any:
        """Open the group or dataset that a reference leads to, as `Group` opens its members."""
        return self._follow(reference)

    def __getitem__(self, selection: Any) -> Any:
        """Read part of the dataset.

        Parameters
        ----------
        selection
            As for `selection.axes_of`; ``()`` for all of it.

        Raises
        ------
        TruncatedError
            Part of it is not in the file, or damaged.
        FormatError
            It is larger than any recording needs.
        """
        axes = axes_of(selection, self.shape)
        shape = tuple(len(axis.positions) for axis in axes if axis.stays)
        with self._source.reading():
            self._require_small(math.prod(len(axis.positions) for axis in axes))
            if 0 in shape:
                return np.empty(shape, self.dtype)
            content = self._from_chunks(axes)
            if content is not None:
                # As h5py returns it: without axes that a number selects, and one element as a scalar.
                return content.reshape(shape)[()]
            if self._chunks is None:
                self._require_stored()
            return self._converted(selection)

    def _from_chunks(self, axes: Sequence[Axis]) -> Any:
        """Read what is in chunks; None where it is not, or where HDF5 has to convert or to unpack it."""
        if self._chunks is None:
            return None
        if is_as_stored(self.dtype, self._id.get_type()):
            return self._chunks.read(axes, self.dtype)
        return self._chunks.check(axes)

    def _converted(self, selection: Any) -> Any:
        """Read what HDF5 reads within bounds."""
        is_plain = self.dtype.kind in "iuf" and self.dtype.subdtype is None
        if not is_plain or selection != ():
            return h5py.Dataset(self._id)[selection]
        # The same, in half the time: most arrays of a MATLAB file are single numbers.
        content = np.empty(self.shape, self.dtype)
        self._id.read(h5s.ALL, h5s.ALL, content)
        return content[()]

    def _require_small(self, num_elements: int) -> None:
        require_few_objects(self._source, self.name, self._kind, num_elements)
        # HDF5 may widen an element while it reads it.
        num_bytes = num_elements * max(self._kind.num_bytes, self.dtype.itemsize)
        if num_bytes > MAX_READ_BYTES:
            raise self._source.too_large(self.name, f"{num_bytes} bytes at once", f"{MAX_READ_BYTES} bytes")
        # More than deflate can pack: what the file states cannot be in it.
        if num_bytes > self._source.num_bytes * MAX_RATIO:
            found = f"{printable(self.name)}: {num_bytes} bytes"
            raise self._source.truncated("The HDF5 file is too small for what it says that it holds", found)

    def _require_stored(self) -> None:
        """Raise TruncatedError if part of a contiguous dataset is not stored: HDF5 would fill it in."""
        num_bytes = self.size * self._kind.num_bytes
        # A compact dataset lies in its own header, and has no offset.
        offset = self._id.get_offset() if self._layout == h5d.CONTIGUOUS else 0
        is_stored = offset is not None and offset + num_bytes <= self._source.num_bytes
        if not is_stored or self._id.get_storage_size() < num_bytes:
            found = f"{printable(self.name)}: {num_bytes} bytes at {'no place' if offset is None else offset}"
            raise self._source.truncated("A dataset is not in the HDF5 file, or not whole", found)


def _require_own_content(source: Source, name: str, plist: Any) -> None:
    """Raise UnsafeContentError where a dataset's content lies in other files, none of which is opened."""
    layout = plist.get_layout()
    if layout == h5d.VIRTUAL:
        sources = printable(plist.get_virtual_filename(0)) if plist.get_virtual_count() else "nothing"
        raise source.unsafe(name, f"virtual dataset of {sources}")
    if plist.get_external_count():
        raise source.unsafe(name, f"external storage in {printable(plist.get_external(0)[0])}")
    if layout not in (h5d.COMPACT, h5d.CONTIGUOUS, h5d.CHUNKED):
        raise source.refused("A dataset of the HDF5 file has an unknown layout", name, layout, "HDF5's own")
