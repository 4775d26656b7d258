"""Attributes of an object in an HDF5 file, and types of elements; sizes are known before anything is read."""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import h5py
import numpy as np

from imaging_pipeline.printable import printable
from imaging_pipeline.readers.hdf5.source import MAX_ATTRIBUTE_BYTES, MAX_OBJECTS, MAX_TEXT_BYTES, Source

# numpy's kinds whose elements have one size: numbers, text of one length, and bytes without a meaning.
_NUMBERS_AND_TEXT = "biufcSV"


@dataclass(frozen=True)
class ElementType:
    """The type of an element.

    Attributes
    ----------
    dtype
        The type in memory, as h5py chooses it.
    num_bytes
        Size of an element in the file.
    num_texts, num_references
        How many texts of variable length, and references to objects, an element holds.
    """

    dtype: np.dtype[Any]
    num_bytes: int
    num_texts: int
    num_references: int


def element_type(source: Source, name: str, type_id: Any) -> ElementType:
    """Return the type of a dataset's or an attribute's elements.

    Raises
    ------
    FormatError
        Elements are lists of variable length, or refer to regions of other datasets.
    """
    dtype = type_id.dtype
    texts, references = _num_objects(source, name, dtype)
    return ElementType(dtype, type_id.get_size(), texts, references)


def is_as_stored(dtype: np.dtype[Any], type_id: Any) -> bool:
    """Return True if an element is a number whose bytes in the file are those in memory."""
    is_number = dtype.kind in "iuf" and dtype.fields is None and dtype.subdtype is None
    # Where the types are equal HDF5 converts nothing, such as a byte order: a chunk's bytes are the numbers.
    return is_number and bool(type_id.equal(h5py.h5t.py_create(dtype)))


def require_few_objects(source: Source, name: str, kind: ElementType, num_elements: int) -> None:
    """Raise FormatError if elements would become more objects or text than a worker has memory for."""
    num_objects = num_elements * (kind.num_texts + kind.num_references)
    if num_objects > MAX_OBJECTS:
        raise source.too_large(name, f"{num_objects} texts or references", f"{MAX_OBJECTS}")
    num_texts = num_elements * kind.num_texts
    if num_texts * source.num_bytes > MAX_TEXT_BYTES:
        found = f"{num_texts} texts of variable length in a file of {source.num_bytes} bytes"
        raise source.too_large(name, found, f"{MAX_TEXT_BYTES} bytes in all, were each as large as the file")


def _num_objects(source: Source, name: str, dtype: np.dtype[Any]) -> tuple[int, int]:
    """Return how many texts of variable length, and how many references, an element has."""
    if dtype.kind in _NUMBERS_AND_TEXT and dtype.fields is None and dtype.subdtype is None:
        return 0, 0
    if dtype.fields is not None:
        counts = [_num_objects(source, name, field[0]) for field in dtype.fields.values()]
        return sum(texts for texts, _ in counts), sum(references for _, references in counts)
    if dtype.subdtype is not None:
        base, shape = dtype.subdtype
        texts, references = _num_objects(source, name, base)
        return texts * math.prod(shape), references * math.prod(shape)
    if h5py.check_string_dtype(dtype) is not None:
        return 1, 0
    if h5py.check_ref_dtype(dtype) is h5py.Reference:
        return 0, 1
    raise source.refused(
        "An object of the HDF5 file has elements that are not read",
        name,
        "references to regions" if h5py.check_ref_dtype(dtype) else "lists of variable length",
        "numbers, text, and references to objects",
    )


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
                # It uses nothing of its object but the identifier.
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
