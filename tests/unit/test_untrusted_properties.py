"""Whatever is in a file that somebody else wrote: our own error, or a value, and nothing is run."""

from __future__ import annotations

import json
import os
import pickle
import pickletools
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from imaging_pipeline.config import CONFIG_NAME, Config, load_config
from imaging_pipeline.config_keys import BY_NAME
from imaging_pipeline.errors import ConfigError, FormatError, UnsafeContentError
from imaging_pipeline.readers.restricted_unpickler import load_npy, loads

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
    told = str(path)
    try:
        assert isinstance(load_config(path), Config)
    except ConfigError as error:
        told = str(error)
    assert str(path) in told


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
