"""Pickles of strangers: refused by name, and never an array that shows what lies behind its memory."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from imaging_pipeline.errors import FormatError, UnsafeContentError
from imaging_pipeline.readers.npy.file import load_npy
from imaging_pipeline.readers.pickles.reading import loads
from tests.makers.hostile_pickles import HOSTILE, write_option_set

each_hostile = pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
PROJECT = Path(__file__).parents[2]

# What refusals may take over what the interpreter and numpy take: some of these files are megabytes.
_MEMORY = 400 * 1024 * 1024
_READ_ALL = f"""
import resource
from imaging_pipeline.errors import FormatError
from imaging_pipeline.readers.pickles.reading import loads
from tests.makers.hostile_pickles import HOSTILE
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + {_MEMORY}, used + {_MEMORY}))
for name, body in HOSTILE.items():
    try:
        loads(body + b".")
    except FormatError as error:
        print(f"{{name}}: {{error}}")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the memory of a process")
def test_hostile_pickles_are_refused_with_little_memory() -> None:
    read = subprocess.run(
        [sys.executable, "-c", _READ_ALL], capture_output=True, check=True, cwd=PROJECT, text=True
    )
    messages = read.stdout.splitlines()
    assert [message.partition(":")[0] for message in messages] == list(HOSTILE)
    assert all(message.isprintable() and len(message) < 700 for message in messages)


@each_hostile
def test_a_hostile_option_set_is_refused_with_its_file(tmp_path: Path, body: bytes) -> None:
    with pytest.raises(FormatError, match=r"File: .*ops\.npy"):
        load_npy(write_option_set(tmp_path / "ops.npy", body))


def test_the_maker_of_hostile_option_sets_writes_what_numpy_reads(tmp_path: Path) -> None:
    path = write_option_set(tmp_path / "ops.npy", b"G" + b"\x3f\xf8" + bytes(6))
    assert np.load(path, allow_pickle=True).item() == {"tau": 1.5}
    assert load_npy(path) == {"tau": 1.5}


def test_a_header_that_tells_of_other_objects_than_follow_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "stat.npy"
    np.save(path, np.array([{}, {}, {}], object))
    path.write_bytes(path.read_bytes().replace(b"'shape': (3,)", b"'shape': (2,)"))
    with pytest.raises(FormatError, match=r"shape \(3,\).*Allowed: an array of objects of shape \(2,\)"):
        load_npy(path)


def test_a_pickle_larger_than_any_result_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "stat.npy"
    np.save(path, np.array([{}], object))
    with path.open("r+b") as file:
        file.truncate(2**31)  # without its bytes, which take no room on the disk
    with pytest.raises(UnsafeContentError, match=r"too large.*stat\.npy.*Found: 2,147,483,648 bytes"):
        load_npy(path)


@pytest.mark.parametrize(("dtype", "shape"), [("<U0", "(1000000000000,)"), ("<f4", "(1000000000000,)")])
def test_a_header_of_more_elements_than_the_file_holds_is_refused(
    tmp_path: Path, dtype: str, shape: str
) -> None:
    path = tmp_path / "F.npy"
    header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(64))
    with pytest.raises(FormatError, match=r"F\.npy.*64 bytes after the header.*1,000,000,000,000 elements"):
        load_npy(path)


def test_objects_in_the_fields_of_an_array_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "stat.npy"
    np.save(path, np.zeros(2, [("a", object)]))
    with pytest.raises(UnsafeContentError, match=r"stat\.npy.*objects in the fields"):
        load_npy(path)


plain_dtypes = (
    st_numpy.boolean_dtypes()
    | st_numpy.integer_dtypes(endianness="?")
    | st_numpy.floating_dtypes(endianness="?")
    | st_numpy.complex_number_dtypes(endianness="?")
    | st_numpy.byte_string_dtypes()
    | st_numpy.unicode_string_dtypes(endianness="?")
    | st_numpy.datetime64_dtypes(endianness="?")
    | st_numpy.timedelta64_dtypes(endianness="?")
)
dtypes = plain_dtypes | st_numpy.array_dtypes(subtype_strategy=plain_dtypes, allow_subarrays=True)
arrays = st_numpy.arrays(dtypes, st_numpy.array_shapes(min_dims=0, max_dims=3, min_side=0))
leaves = (
    st.none() | st.booleans() | st.integers(-(2**100), 2**100) | st.floats() | st.complex_numbers()
    | st.text() | st.binary() | st.binary().map(bytearray) | st.dates() | st.datetimes() | st.times()
    | st.timedeltas() | st.frozensets(st.integers()) | st.sets(st.text())
)  # fmt: skip
values = st.recursive(
    leaves | arrays, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner)
)
protocols = st.integers(0, pickle.HIGHEST_PROTOCOL)


def same(read: Any, written: Any) -> None:
    """Assert that values are of one type and equal to the bit."""
    assert type(read) is type(written)
    if isinstance(written, np.ndarray):
        assert (read.dtype, read.shape) == (written.dtype, written.shape)
        assert read.flags.writeable
        assert read.flags.f_contiguous == written.flags.f_contiguous
        if written.dtype == object:
            same(read.tolist(), written.tolist())
        assert written.dtype == object or read.tobytes() == written.tobytes()
    elif isinstance(written, dict):
        assert list(read) == list(written)
        same(list(read.values()), list(written.values()))
    elif isinstance(written, list | tuple):
        assert len(read) == len(written)
        for one, other in zip(read, written, strict=True):
            same(one, other)
    else:
        # Also of numbers that are not equal to themselves.
        assert repr(read) == repr(written)


@given(value=values, protocol=protocols)
def test_what_python_writes_is_read_as_python_reads_it(value: Any, protocol: int) -> None:
    content = pickle.dumps(value, protocol)
    same(loads(content), pickle.loads(content))


@given(array=arrays, protocol=protocols, order=st.sampled_from("CF"))
def test_an_array_of_any_kind_is_read_as_numpy_reads_it(array: Any, protocol: int, order: str) -> None:
    content = pickle.dumps(np.asarray(array, order=order), protocol)
    same(loads(content), pickle.loads(content))


@given(array=st_numpy.arrays(plain_dtypes, 3), protocol=protocols)
def test_a_scalar_of_numpy_is_read_as_numpy_reads_it(array: Any, protocol: int) -> None:
    content = pickle.dumps(list(array), protocol)
    same(loads(content), pickle.loads(content))


@given(
    rows=st.lists(
        st.dictionaries(st.text(), st_numpy.arrays(plain_dtypes, st.integers(0, 30)), max_size=4), max_size=4
    ),
    protocol=protocols,
)
def test_a_list_of_regions_is_read_as_numpy_reads_it(rows: list[Any], protocol: int) -> None:
    array = np.empty(len(rows), object)
    array[:] = [{**row, "again": list(row.values()), "npix": np.int64(len(row))} for row in rows]
    content = pickle.dumps(array, protocol)
    same(loads(content), pickle.loads(content))
