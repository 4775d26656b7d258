"""Arrays in a store: whole or not there, in a folder and in a bucket."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import datajoint as dj
import fsspec
import numpy as np
import pytest
from datajoint import storage_adapter

from imaging_pipeline.errors import OutputError, StoreError
from imaging_pipeline.store import traces as trace_store

SHAPE = (5, 2000)
LIMIT_BYTES = 16_384


class Bucket(storage_adapter.StorageAdapter):
    """A bucket in this process's memory."""

    protocol = "memory"

    def create_filesystem(self, spec: dict[str, Any]) -> fsspec.AbstractFileSystem:
        return fsspec.filesystem("memory")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a store that is a folder."""
    place = tmp_path / "store"
    place.mkdir()
    use(monkeypatch, {"protocol": "file", "location": str(place)})
    return place


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Use a store of each kind."""
    if request.param == "folder":
        request.getfixturevalue("folder")
        return
    monkeypatch.setitem(storage_adapter._adapter_registry, "memory", Bucket())
    use(monkeypatch, {"protocol": "memory", "location": "lab"})


@contextmanager
def small_files() -> Iterator[None]:
    """Let no file of this process grow beyond 16 kB."""
    # No fixture: pytest's own report may go to a file that is larger.
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT_BYTES, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def use(monkeypatch: pytest.MonkeyPatch, spec: dict[str, str]) -> None:
    monkeypatch.setitem(dj.config.stores, "main", spec)


def numbers(start: int) -> np.ndarray:
    return np.arange(start, start + np.prod(SHAPE), dtype=np.float32).reshape(SHAPE)


def in_blocks(**arrays: np.ndarray) -> Iterator[dict[str, np.ndarray]]:
    for first in range(0, SHAPE[0], 2):
        yield {name: array[first : first + 2] for name, array in arrays.items()}


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.usefixtures("store")
def test_arrays_come_back_as_they_were_written_in_blocks() -> None:
    arrays = {"fluo": numbers(0), "spikes": numbers(7)}
    objects = trace_store.write_arrays("a/b", tuple(arrays), SHAPE, in_blocks(**arrays))
    for name, array in arrays.items():
        found = trace_store.read_array(objects[name])
        assert (found.dtype, objects[name].startswith("traces/a/b/")) == (np.float32, True)
        np.testing.assert_array_equal(found, array)


@pytest.mark.usefixtures("store")
def test_each_array_may_have_blocks_of_its_own() -> None:
    def blocks() -> Iterator[dict[str, np.ndarray]]:
        yield from in_blocks(fluo=numbers(0))
        yield {"spikes": numbers(7)}

    objects = trace_store.write_arrays("a", ("fluo", "spikes"), SHAPE, blocks())
    np.testing.assert_array_equal(trace_store.read_array(objects["fluo"]), numbers(0))
    np.testing.assert_array_equal(trace_store.read_array(objects["spikes"]), numbers(7))


@pytest.mark.usefixtures("store")
def test_a_removed_array_is_not_there_and_is_removed_again_without_an_error() -> None:
    (name,) = trace_store.write_arrays("a", ("fluo",), SHAPE, in_blocks(fluo=numbers(0))).values()
    for _ in range(2):
        trace_store.remove([name])
    with pytest.raises(StoreError, match=rf"cannot be read.*{name}"):
        trace_store.read_array(name)


def test_other_columns_of_an_array_are_not_read_into_memory(folder: Path) -> None:
    (name,) = trace_store.write_arrays("a", ("fluo",), SHAPE, in_blocks(fluo=numbers(0))).values()
    assert isinstance(trace_store.read_array(name), np.memmap)


def test_a_store_that_takes_no_large_file_is_told_and_nothing_is_left_in_it(folder: Path) -> None:
    with small_files(), pytest.raises(StoreError, match=r"no file of that size.*0\.08 MB needed"):
        trace_store.write_arrays(
            "a", ("fluo", "spikes"), SHAPE, in_blocks(fluo=numbers(0), spikes=numbers(7))
        )
    assert files_below(folder) == []


def test_a_store_that_is_not_there_is_told_and_not_made(folder: Path) -> None:
    folder.rmdir()
    with pytest.raises(StoreError, match=str(folder)):
        trace_store.write_arrays("a", ("fluo",), SHAPE, in_blocks(fluo=numbers(0)))
    assert not folder.exists()


def test_a_store_that_is_a_file_is_told(folder: Path) -> None:
    folder.rmdir()
    folder.write_text("no folder")
    with pytest.raises(StoreError, match=str(folder)):
        trace_store.write_arrays("a", ("fluo",), SHAPE, in_blocks(fluo=numbers(0)))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_store_is_told(folder: Path) -> None:
    folder.chmod(0o555)
    with pytest.raises(StoreError, match=str(folder)):
        trace_store.write_arrays("a", ("fluo",), SHAPE, in_blocks(fluo=numbers(0)))


def test_nothing_is_left_when_the_arrays_cannot_be_computed(folder: Path) -> None:
    def blocks() -> Iterator[dict[str, np.ndarray]]:
        yield {"fluo": numbers(0)[:2]}
        raise OutputError("A file of traces is not whole", remedy="Copy it again.")

    with pytest.raises(OutputError):
        trace_store.write_arrays("a", ("fluo",), SHAPE, blocks())
    assert files_below(folder) == []
