"""Attributes of an object in an HDF5 file, none of which is read before its size is known."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import h5py
import numpy as np

from imaging_pipeline.printable import printable
from imaging_pipeline.readers.hdf5.limits import MAX_ATTRIBUTE_BYTES
from imaging_pipeline.readers.hdf5.source import Source
from imaging_pipeline.readers.hdf5.types import element_type, require_few_objects

# Numbers, and text of one length.
_PLAIN = "iufS"


class Attributes:
    """The attributes of a group or dataset.

    Parameters
    ----------
    source
        The file.
    object_id
        The open object.
    name
        Its name in messages.
    """

    def __init__(self, source: Source, object_id: Any, name: str) -> None:
        self._source, self._id, self._name = source, object_id, name

    def __contains__(self, name: str) -> bool:
        with self._source.reading():
            return bool(h5py.h5a.exists(self._id, name.encode()))

    def __getitem__(self, name: str) -> Any:
        """Return a value as h5py gives it.

        Raises
        ------
        KeyError
            There is no such attribute.
        FormatError
            It is too large, or of a type that is not read.
        TruncatedError
            It is damaged.
        """
        if name not in self:
            raise KeyError(name)
        return self._read(name)

    def get(self, name: str, default: Any = None) -> Any:
        """Return a value, or another one where there is no such attribute."""
        return self._read(name) if name in self else default

    def _read(self, name: str) -> Any:
        with self._source.reading():
            attribute = h5py.h5a.open(self._id, name.encode())
            dtype, shape = self._require_small(attribute, name), attribute.shape
            if dtype.kind not in _PLAIN or dtype.subdtype is not None:
                return h5py.AttributeManager(SimpleNamespace(id=self._id))[name]
            # The same, without opening it twice.
            value = np.empty(shape, dtype)
            if value.size:
                attribute.read(value)
            return value[()]

    def _require_small(self, attribute: Any, name: str) -> np.dtype[Any]:
        shown = f"attribute {printable(name)} of {printable(self._name)}"
        kind = element_type(self._source, shown, attribute.get_type())
        num_elements = math.prod(attribute.shape)
        num_bytes = num_elements * kind.num_bytes
        if num_bytes > MAX_ATTRIBUTE_BYTES:
            raise self._source.too_large(shown, f"{num_bytes} bytes", f"{MAX_ATTRIBUTE_BYTES} bytes")
        require_few_objects(self._source, shown, kind, num_elements)
        return kind.dtype
