"""Whatever is in a file that somebody else wrote: our own error, or a value, and nothing is run."""

from __future__ import annotations

import json
import os
import pickle
import pickletools
import struct
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from imaging_pipeline.config.config import CONFIG_NAME, Config, load_config
from imaging_pipeline.config.keys import BY_NAME
from imaging_pipeline.errors import ConfigError, FormatError, UnsafeContentError
from imaging_pipeline.readers.npy.file import load_npy
from imaging_pipeline.readers.pickles.reading import loads
from imaging_pipeline.readers.scanimage.tif import read_tif
from imaging_pipeline.readers.tiff.file import TifFile
from tests.makers import scanimage

plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
values = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
)
known_keys = st.sampled_from(
    [*BY_NAME, *(name.removeprefix("custom.") for name in BY_NAME), "custom", "database"]
)
documents = st.dictionaries(known_keys | st.text(max_size=6), values, max_size=4)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("untrusted")


def load(folder: Path, content: bytes) -> None:
    path = folder / CONFIG_NAME
    path.write_bytes(content)
    refusal = None
    try:
        assert isinstance(load_config(path), Config)
    except ConfigError as error:
        refusal = error
    assert refusal is None or (str(path) in str(refusal) and refusal.remedy)


@given(document=documents | values)
def test_any_json_is_a_configuration_or_refused_with_its_file(folder: Path, document: Any) -> None:
    load(folder, json.dumps(document).encode())


@given(
    content=st.binary(max_size=60)
    | st.text('{}[]":,.-0123456789eE\\utrfn database.port', max_size=60).map(str.encode)
)
@example(content=b"[" * 100_000)
@example(content=b'{"database.port": ' + b"9" * 5000 + b"}")
@example(content=b'{"custom.repositories": {"a": "/\\u0000"}}')
@example(content=b'{"database.host": "\\ud800"}')
def test_any_bytes_are_a_configuration_or_refused_with_their_file(folder: Path, content: bytes) -> None:
    load(folder, content)


class Attack:
    """Makes a folder when it is unpickled."""

    def __init__(self, place: Path) -> None:
        self._place = place

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self._place),)


def unpickled(content: bytes) -> None:
    with suppress(FormatError, UnsafeContentError):
        loads(content)


ops = pickle.dumps(
    {
        "fs": 7.25,
        "nplanes": np.int64(2),
        "yoff": np.arange(5),
        "names": ["a", b"b"],
        "stat": np.array([{}], object),
    }
)
NAMES = ("os system", "builtins eval", "builtins getattr", "numpy load", "subprocess Popen", "posix system")
opcodes = st.sampled_from([code.code.encode("latin1") for code in pickletools.opcodes])
programs = st.lists(
    opcodes
    | st.binary(max_size=4)
    | st.sampled_from([f"c{name.replace(' ', chr(10))}\n".encode() for name in NAMES])
).map(b"".join)


@given(content=st.binary(max_size=80) | programs)
@settings(max_examples=300)
def test_any_bytes_are_a_value_or_refused(content: bytes) -> None:
    unpickled(content)


@given(place=st.integers(0, len(ops) - 1), byte=st.integers(0, 255), kept=st.integers(1, len(ops)))
@settings(max_examples=300)
def test_a_damaged_pickle_is_a_value_or_refused(place: int, byte: int, kept: int) -> None:
    damaged = bytearray(ops)
    damaged[place] = byte
    unpickled(bytes(damaged[:kept]))


@given(before=values, protocol=st.integers(0, pickle.HIGHEST_PROTOCOL))
def test_an_attack_is_never_run_wherever_it_hides(folder: Path, before: Any, protocol: int) -> None:
    target = folder / "made by a pickle"
    path = folder / "ops.npy"
    hidden = {"a": before, "b": [Attack(target)]}
    np.save(path, np.array(hidden, dtype=object))
    with pytest.raises(UnsafeContentError, match=r"ops\.npy"):
        load_npy(path)
    with pytest.raises(UnsafeContentError, match="mkdir"):
        loads(pickle.dumps(hidden, protocol))
    assert not target.exists()


@pytest.fixture(scope="module")
def tif(folder: Path) -> Path:
    return scanimage.write_tif(folder / "whole.tif", num_pages=4)


BIGTIFF_TAG = struct.Struct("<HHQQ")
fields = st.sampled_from([(0, 2), (2, 2), (4, 8), (12, 8)])  # of a tag: its number, type, count, and value
odd_numbers = st.integers(0, 2**64 - 1) | st.sampled_from(
    [0, 1, 2, 2**31, 2**32, 2**63 - 1, 2**63, 2**64 - 1]
)


@given(page=st.integers(0, 3), tag=st.integers(0, 15), field=fields, number=odd_numbers)
@example(page=0, tag=0, field=(4, 8), number=2**61)  # a value that ends beyond what int64 counts
@example(page=2, tag=7, field=(4, 8), number=2)  # more strips than lengths of strips
@settings(max_examples=300)
def test_a_tif_with_a_damaged_directory_is_read_or_refused_with_its_name(
    folder: Path, tif: Path, page: int, tag: int, field: tuple[int, int], number: int
) -> None:
    with TifFile(tif) as whole:
        first = whole.first_page
    directory = first.directory.offset + page * (first.next_directory - first.directory.offset)
    place, num_bytes = directory + 8 + tag * BIGTIFF_TAG.size + field[0], field[1]
    path, content = folder / "damaged.tif", tif.read_bytes()
    damage = number.to_bytes(8, "little")[:num_bytes]
    path.write_bytes(content[:place] + damage + content[place + num_bytes :])
    told = str(path)
    try:
        read_tif(path)
    except FormatError as error:
        told = str(error)
    assert str(path) in told
