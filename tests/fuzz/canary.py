"""Files beside the folder that is read, which no reader may open, whatever an input names."""

from __future__ import annotations

import ctypes
import dataclasses
import os
import struct
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from tests.fuzz.hdf5_oddities import SECRET_DATASET

_TEXT = "canary 5f1c0a"
_NUMBER = 51_966
_FEWEST_NUMBERS = 8

_IN_OPEN, _IN_NONBLOCK = 0x20, 0o4000


def write_canary(folder: Path) -> None:
    """Write the files: numbers and a text that occur nowhere else."""
    folder.mkdir(parents=True)
    with h5py.File(folder / "canary.h5", "w") as file:
        file[SECRET_DATASET] = np.full((20, 8, 12), _NUMBER, np.uint16)
        group = file.create_group("attributes")
        for held in (file, file[SECRET_DATASET], group):
            held.attrs["Comment"] = _TEXT
    (folder / "canary.bin").write_bytes(struct.pack("<H", _NUMBER) * 40_000)


class Watch:
    """Notices that a file of a folder is opened, also by a library; on Linux only."""

    def __init__(self, folder: Path) -> None:
        self._queue = -1
        if sys.platform != "linux":
            return
        system = ctypes.CDLL(None, use_errno=True)
        self._queue = system.inotify_init1(_IN_NONBLOCK)
        if system.inotify_add_watch(self._queue, os.fsencode(folder), _IN_OPEN) < 0:
            raise OSError(ctypes.get_errno(), "The folder cannot be watched", str(folder))

    def has_seen(self) -> bool:
        """Return True if a file was opened since this was asked last."""
        if self._queue < 0:
            return False
        try:
            return bool(os.read(self._queue, 65_536))
        except BlockingIOError:
            return False


def holds_canary(value: Any) -> bool:
    """Return True if what a reader returned has the content of the files."""
    return any(_is_canary(item) for item in _walk(value))


def _is_canary(value: Any) -> bool:
    if isinstance(value, str):
        return _TEXT in value
    if isinstance(value, (bytes, bytearray)):
        return _TEXT.encode() in value
    if isinstance(value, np.ndarray) and value.dtype.kind in "uif":
        return int(np.count_nonzero(value == _NUMBER)) >= _FEWEST_NUMBERS
    return isinstance(value, np.ndarray) and value.dtype.kind in "SU" and _TEXT in str(value.ravel()[:100])


def _walk(value: Any) -> Iterator[Any]:
    """Yield a value and all that it holds, each once: it may hold itself, or be nested deep."""
    waiting, seen = [value], {id(value)}
    while waiting:
        current = waiting.pop()
        yield current
        for item in _items(current):
            if id(item) not in seen:
                seen.add(id(item))
                waiting.append(item)


def _items(value: Any) -> list[Any]:
    if isinstance(value, Mapping):
        return [*value.keys(), *value.values()]
    if isinstance(value, (list, tuple, set, frozenset)):
        return [*value]
    if isinstance(value, np.ndarray) and value.dtype.hasobject:
        return [*value.flat]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [getattr(value, field.name) for field in dataclasses.fields(value)]
    return []
