"""Arrays of all cells of an analysis in a store: one file a quantity, one row a cell.

They lie below ``traces/`` in the store ``main``, apart from what DataJoint itself puts there and
collects. An object is written once under a name of its own and never changed.
"""

from __future__ import annotations

import io
import tempfile
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

import datajoint as dj
import numpy as np
from datajoint.storage import StorageBackend
from numpy.typing import NDArray

from imaging_pipeline.config_stores import PIPELINE_STORE as STORE
from imaging_pipeline.errors import StoreError

FOLDER = "traces"
_SWEEP_AFTER_S = 24 * 3600

Blocks = Iterable[Mapping[str, NDArray[np.float32]]]


def write_arrays(place: str, names: Sequence[str], shape: tuple[int, int], blocks: Blocks) -> dict[str, str]:
    """Write arrays of ``shape`` block by block, so that no array is ever whole in memory.

    Parameters
    ----------
    place
        Folder below ``traces/``, for people who look; it need not be unique.
    names
        One array is written for each.
    shape
        (cells, frames), both more than 0.
    blocks
        For each run of cells, in order: name → float32 (cells in this block, frames).

    Returns
    -------
    dict
        Name → object, the path in the store.

    Raises
    ------
    StoreError
        The store is full, missing or read-only; nothing is left of what was written.
    """
    objects = {name: str(PurePosixPath(FOLDER, place, f"{uuid.uuid4().hex}_{name}.npy")) for name in names}
    try:
        with _writable(objects) as files:
            arrays = {
                name: np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
                for name, path in files.items()
            }
            _fill(arrays, blocks)
    except OSError as error:
        remove(objects.values())
        raise StoreError(
            "Traces could not be written to the store",
            path=_spec().get("location"),
            found=str(error),
            remedy="Make room in the store, or see whether this machine may write there.",
        ) from error
    return objects


def _fill(arrays: Mapping[str, NDArray[np.float32]], blocks: Blocks) -> None:
    start = 0
    for block in blocks:
        stop = start + len(next(iter(block.values())))
        for name, rows in block.items():
            arrays[name][start:stop] = rows
        start = stop
    for array in arrays.values():
        array.flush()  # type: ignore[attr-defined]  # a numpy.memmap


def read_array(name: str, config: Any = None) -> NDArray[np.float32]:
    """Give an object of the store: mapped when the store is a folder, else in memory.

    Parameters
    ----------
    name
        The object, as `write_arrays` gave it.
    config
        The DataJoint configuration of the connection that asks; that of the process when not given.

    Returns
    -------
    float32 (cells, frames)
    """
    spec = _spec(config)
    if spec["protocol"] == "file":
        array: NDArray[np.float32] = np.load(Path(spec["location"], name), mmap_mode="r")
        return array
    whole: NDArray[np.float32] = np.load(io.BytesIO(StorageBackend(spec).get_buffer(name)))
    return whole


def remove(names: Iterable[str]) -> None:
    """Remove objects from the store; one that is not there is no error."""
    backend = StorageBackend(_spec())
    for name in names:
        if backend.exists(name):
            backend.remove(name)


def sweep(in_use: Iterable[str]) -> list[str]:
    """Remove objects that no row names and that are older than a day, and give their names.

    A younger one may belong to a job that has not inserted its rows yet.
    """
    spec = _spec()
    if spec["protocol"] != "file":
        raise StoreError(
            "Only a store that is a folder can be swept",
            found=spec["protocol"],
            remedy="Set a lifecycle rule on the bucket, or sweep from a machine that mounts it.",
        )
    root = Path(spec["location"])
    kept, limit = set(in_use), time.time() - _SWEEP_AFTER_S
    unused = [
        name
        for path in sorted((root / FOLDER).rglob("*.npy"))
        if (name := path.relative_to(root).as_posix()) not in kept and path.stat().st_mtime < limit
    ]
    remove(unused)
    return unused


def _spec(config: Any = None) -> dict[str, Any]:
    spec: dict[str, Any] = (dj.config if config is None else config).get_store_spec(STORE)
    return spec


@contextmanager
def _writable(objects: Mapping[str, str]) -> Iterator[dict[str, Path]]:
    """Give a file for each object: in the store where it is a folder, else copied there at the end."""
    spec = _spec()
    if spec["protocol"] == "file":
        files = {name: Path(spec["location"], target) for name, target in objects.items()}
        for path in files.values():
            path.parent.mkdir(parents=True, exist_ok=True)
        yield files
        return
    backend = StorageBackend(spec)
    with tempfile.TemporaryDirectory() as folder:
        files = {name: Path(folder, f"{name}.npy") for name in objects}
        yield files
        for name, path in files.items():
            backend.put_file(path, objects[name])
