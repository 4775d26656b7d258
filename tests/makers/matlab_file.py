"""MATLAB files of both containers, from values of Python.

A dict is a struct, a list of dicts a struct array (1, n), a tuple a cell array (1, n), a str a text.
Arrays have MATLAB's shape; a bare number is (1, 1).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from scipy.io import savemat

USER_BLOCK_BYTES = 512
_HEADER = "MATLAB 7.3 MAT-file, Platform: PCWIN64, Created on: Fri May 17 16:02:11 2024 HDF5 schema 1.00 ."


def write_v7(path: Path, variables: Mapping[str, Any]) -> Path:
    """Write the compressed container that MATLAB's ``save`` writes without being told otherwise."""
    savemat(path, {name: _v7(value) for name, value in variables.items()}, do_compression=True)
    return path


def _v7(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _v7(item) for name, item in value.items()}
    if isinstance(value, list):
        names = list(value[0])
        structs = np.empty((1, len(value)), [(name, object) for name in names])
        for number, struct in enumerate(value):
            structs[0, number] = tuple(_v7(struct[name]) for name in names)
        return structs
    if isinstance(value, tuple):
        cells = np.empty((1, len(value)), object)
        cells[0, :] = [_v7(item) for item in value]
        return cells
    return value if isinstance(value, str) else np.atleast_2d(value)


def write_v73(path: Path, variables: Mapping[str, Any]) -> Path:
    """Write HDF5 as MATLAB's ``save -v7.3`` does: behind a block of its own, transposed, by references."""
    with h5py.File(path, "w", userblock_size=USER_BLOCK_BYTES) as file:
        writer = _V73(file)
        for name, value in variables.items():
            writer.write(file, name, value)
    version = bytes(8) + b"\x00\x02IM"
    with path.open("r+b") as file:
        file.write(_HEADER.encode().ljust(116) + version)
    return path


class _V73:
    def __init__(self, file: h5py.File) -> None:
        self._file = file
        self._count = 0

    def write(self, group: h5py.Group, name: str, value: Any) -> None:
        if isinstance(value, dict):
            struct = group.create_group(name)
            struct.attrs["MATLAB_class"] = np.bytes_("struct")
            for field, item in value.items():
                self.write(struct, field, item)
        elif isinstance(value, list):
            self._write_struct_array(group, name, value)
        elif isinstance(value, tuple):
            self._write_references(group, name, value).attrs["MATLAB_class"] = np.bytes_("cell")
        elif isinstance(value, str):
            codes = np.array([[ord(character)] for character in value], np.uint16)
            self._write_array(group, name, codes.T, "char").attrs["MATLAB_int_decode"] = np.int32(2)
        else:
            self._write_numbers(group, name, np.atleast_2d(value))

    def _write_struct_array(self, group: h5py.Group, name: str, structs: list[dict[str, Any]]) -> None:
        if len(structs) == 1:  # which MATLAB writes as a struct
            self.write(group, name, structs[0])
            return
        array = group.create_group(name)
        array.attrs["MATLAB_class"] = np.bytes_("struct")
        for field in structs[0]:
            self._write_references(array, field, tuple(struct[field] for struct in structs))

    def _write_references(self, group: h5py.Group, name: str, values: tuple[Any, ...]) -> h5py.Dataset:
        references = np.array([self._referred(value) for value in values], h5py.ref_dtype)
        return group.create_dataset(name, data=references[:, None])

    def _referred(self, value: Any) -> h5py.Reference:
        self._count += 1
        held, name = self._file.require_group("#refs#"), f"r{self._count}"
        self.write(held, name, value)
        return held[name].ref

    def _write_numbers(self, group: h5py.Group, name: str, numbers: np.ndarray) -> None:
        classes = {"float64": "double", "float32": "single", "bool": "logical"}
        matlab_class = classes.get(str(numbers.dtype), str(numbers.dtype))
        if numbers.dtype == bool:
            numbers = numbers.astype(np.uint8)
        dataset = self._write_array(group, name, numbers, matlab_class)
        if matlab_class == "logical":
            dataset.attrs["MATLAB_int_decode"] = np.int32(1)

    def _write_array(
        self, group: h5py.Group, name: str, array: np.ndarray, matlab_class: str
    ) -> h5py.Dataset:
        if array.size == 0:
            dataset = group.create_dataset(name, data=np.array(array.shape, np.uint64))
            dataset.attrs["MATLAB_empty"] = np.uint8(1)
        else:
            packed = {"compression": "gzip"} if array.size > 1000 else {}
            dataset = group.create_dataset(name, data=array.T, **packed)
        dataset.attrs["MATLAB_class"] = np.bytes_(matlab_class)
        return dataset
