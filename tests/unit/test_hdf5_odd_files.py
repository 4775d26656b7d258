"""HDF5 files that few programs write: chunks that are not packed, and links that multiply work."""

from __future__ import annotations

import ctypes
import re
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from imaging_pipeline.readers.hdf5 import file as hdf5_file
from imaging_pipeline.readers.mesc.file import read_units
from tests.makers.mesc import MescUnitSpec, write_mesc

_DONT_FILTER_PARTIAL_CHUNKS = 2


def write_unpacked_edges(path: Path, pixels: np.ndarray, **packed: Any) -> Path:
    """Write an array of which chunks that reach over its end are stored as they are."""
    # h5py has no call for it; the library that it comes with does.
    library = ctypes.CDLL(h5py.h5p.__file__)
    library.H5Pset_chunk_opts.argtypes = [ctypes.c_int64, ctypes.c_uint]
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_chunk((4, 4))
    if packed.get("shuffle"):
        properties.set_shuffle()
    if packed.get("deflate"):
        properties.set_deflate(4)
    if packed.get("checksum"):
        properties.set_fletcher32()
    assert library.H5Pset_chunk_opts(properties.id, _DONT_FILTER_PARTIAL_CHUNKS) >= 0
    with h5py.File(path, "w", libver="latest") as file:
        kind, space = h5py.h5t.py_create(pixels.dtype), h5py.h5s.create_simple(pixels.shape)
        h5py.Dataset(h5py.h5d.create(file.id, b"pixels", kind, space, properties))[...] = pixels
    return path


@pytest.mark.parametrize(
    "packed", [{"shuffle": True}, {"deflate": True}, {"shuffle": True, "deflate": True}, {"checksum": True}]
)
def test_chunks_at_the_edge_that_are_not_packed_are_read_as_h5py_reads_them(
    tmp_path: Path, packed: dict[str, bool]
) -> None:
    pixels = np.random.default_rng(0).integers(0, 60_000, (10, 7), np.uint16)
    path = write_unpacked_edges(tmp_path / "edges.h5", pixels, **packed)
    with hdf5_file.opened(path) as file:
        np.testing.assert_array_equal(file["pixels"][()], pixels)


def test_links_that_make_many_measurements_of_one_are_refused(tmp_path: Path) -> None:
    path = write_mesc(tmp_path / "linked.mesc", MescUnitSpec(0, channels=("UG",) * 10, frames=2, curves=()))
    with h5py.File(path, "a") as file:
        session = file["MSession_0"]
        for number in range(1, 30):
            session[f"MUnit_{number}"] = session["MUnit_0"]
        for number in range(1, 20):
            file[f"MSession_{number}"] = session
    problems = [unit.problem for unit in read_units(path)]
    assert re.search(r"too large to be read.*linked\.mesc.*objects to open", str(problems[-1]))
