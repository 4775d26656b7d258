"""Arrays of all cells of an analysis in a store: a file for each quantity, a row for each cell.

They are below ``traces/`` in the store ``main``, where DataJoint puts and collects nothing. An object is
written once, under a name of its own, and never changed.
"""

from __future__ import annotations

import io
import os
import tempfile
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

import datajoint as dj
import numpy as np
from datajoint.errors import MissingExternalFile
from datajoint.storage import StorageBackend
from numpy.typing import NDArray

from imaging_pipeline.config.stores import PIPELINE_STORE as STORE
from imaging_pipeline.errors import OutputError, Responsible, StoreError
from imaging_pipeline.store.errors import is_away, store_errors

FOLDER = "traces"
# The same bytes on every machine, since the store is shared.
_DTYPE = np.dtype("<f4")

Blocks = Iterable[Mapping[str, NDArray[np.float32]]]


def write_arrays(folder: str, names: Sequence[str], shape: tuple[int, int], blocks: Blocks) -> dict[str, str]:
    """Write arrays of ``shape`` block by block, so that no array has to fit into memory.

    Parameters
    ----------
    folder
        Below ``traces/``; several writes may share it.
    names
        Names of the arrays.
    shape
        (cells, frames), both more than 0.
    blocks
        Blocks of cells, in order: name → float32 (cells in this block, frames).

    Returns
    -------
    dict
        Name → object, the path in the store.

    Raises
    ------
    StoreError
        The store is full, missing or read-only. After this or any other error, what was written is removed.
    """
    objects = {name: str(PurePosixPath(FOLDER, folder, f"{uuid.uuid4().hex}_{name}.npy")) for name in names}
    needed_bytes = len(names) * shape[0] * shape[1] * _DTYPE.itemsize
    try:
        with store_errors(needed_bytes), _writable(objects) as files:
            _fill(files, shape, blocks)
    except BaseException:
        # Also when the worker is stopped.
        _discard(objects.values())
        raise
    return objects


def _fill(files: Mapping[str, BinaryIO], shape: tuple[int, int], blocks: Blocks) -> None:
    header = {"descr": _DTYPE.str, "fortran_order": False, "shape": shape}
    # The header of the whole array, after which its rows follow as they come.
    for file in files.values():
        np.lib.format.write_array_header_1_0(file, header)
    missing = dict.fromkeys(files, shape[0])
    for block in blocks:
        for name, rows in block.items():
            if rows.shape[1:] != shape[1:] or len(rows) > missing[name]:
                raise _not_of_shape(name, f"rows of {rows.shape[1:]}", shape)
            missing[name] -= len(rows)
            # Not by a memory map: on a full disk that ends the process without an error.
            files[name].write(np.ascontiguousarray(rows, _DTYPE).data)
    for name, number in missing.items():
        if number:
            raise _not_of_shape(name, f"{number} rows too few", shape)
    for file in files.values():
        file.flush()
        # Some shares report a full disk only here.
        os.fsync(file.fileno())


def _not_of_shape(name: str, found: str, shape: tuple[int, int]) -> OutputError:
    return OutputError(
        f"The {name} of an analysis are not as many as announced",
        found=found,
        allowed=f"{shape[0]} cells of {shape[1]} frames",
        remedy="Register the folder again: its files changed while they were read.",
    )


def read_array(name: str, config: Any = None) -> NDArray[np.float32]:
    """Return an object of the store: memory-mapped if the store is a folder, else read.

    Parameters
    ----------
    name
        The object, from `write_arrays`.
    config
        DataJoint's configuration of the connection; by default that of the process.

    Returns
    -------
    float32 (cells, frames)

    Raises
    ------
    StoreError
        The object cannot be read from the store as this machine sees it.
    """
    spec = _spec(config)
    try:
        if spec["protocol"] == "file":
            # Mapped, so that only the rows that are asked for are read.
            array: NDArray[np.float32] = np.load(Path(spec["location"], name), mmap_mode="r")
            return array
        whole: NDArray[np.float32] = np.load(io.BytesIO(StorageBackend(spec).get_buffer(name)))
    except (OSError, MissingExternalFile) as error:
        raise StoreError(
            "An array cannot be read from the store",
            path=PurePosixPath(str(spec["location"]), name),
            found=str(error),
            remedy=f"See whether this machine finds the store {STORE!r} that the database was filled with.",
            responsible=Responsible.RETRY if is_away(spec) else Responsible.ADMINISTRATOR,
        ) from error
    return whole


def remove(names: Iterable[str]) -> None:
    """Remove objects from the store, if they are there."""
    backend = StorageBackend(_spec())
    for name in names:
        if backend.exists(name):
            backend.remove(name)


def _spec(config: Any = None) -> dict[str, Any]:
    spec: dict[str, Any] = (dj.config if config is None else config).get_store_spec(STORE)
    return spec


def _discard(names: Iterable[str]) -> None:
    """Remove unfinished objects as far as possible; the sweep takes the rest."""
    with suppress(OSError):
        remove(names)


@contextmanager
def _writable(objects: Mapping[str, str]) -> Iterator[dict[str, BinaryIO]]:
    """Yield a file for each object: in the store if that is a folder, else one that is copied there."""
    spec = _spec()
    # Raises if the folder is missing, which may be a share that is not mounted: it must not be made here.
    backend = StorageBackend(spec)
    if spec["protocol"] == "file":
        with _opened({name: Path(spec["location"], target) for name, target in objects.items()}) as files:
            yield files
        return
    with tempfile.TemporaryDirectory() as folder:
        paths = {name: Path(folder, f"{name}.npy") for name in objects}
        with _opened(paths) as files:
            yield files
        for name, path in paths.items():
            backend.put_file(path, objects[name])


@contextmanager
def _opened(paths: Mapping[str, Path]) -> Iterator[dict[str, BinaryIO]]:
    with ExitStack() as stack:
        for path in paths.values():
            path.parent.mkdir(parents=True, exist_ok=True)
        # An object is never written a second time: mode x refuses a name that exists.
        yield {name: stack.enter_context(path.open("xb")) for name, path in paths.items()}
