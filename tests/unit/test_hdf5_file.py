"""HDF5 files of strangers: what is not followed, not unpacked and not made up, and what is read as ever."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from imaging_pipeline.errors import FormatError, PipelineError, TruncatedError, UnsafeContentError
from imaging_pipeline.readers.hdf5 import file as hdf5_file
from imaging_pipeline.readers.hdf5.file import opened, text
from imaging_pipeline.readers.mesc.file import read_mean_image, read_units
from imaging_pipeline.readers.suite2p_matlab.output import open_result, read_measured_hash, read_result
from tests.makers import hostile_hdf5
from tests.makers.hostile_hdf5 import (
    CHANNEL,
    LEADING_OUT,
    MATLAB_LEADING_OUT,
    SECRET,
    UNIT,
    write_chunk_of_other_size,
    write_chunk_that_unpacks_to_more,
    write_external_storage,
    write_missing_chunk,
    write_pipe,
    write_target,
    write_virtual_dataset,
)
from tests.makers.mesc import FRAMES, MescUnitSpec, movie, write_mesc
from tests.makers.pipes import answer_without_writer

on_posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no pipes in folders")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "day1" / "90218.mesc"


def unlocked(path: Path) -> h5py.File:
    """Open a file with h5py while the package has it open."""
    return h5py.File(path, "r", locking=False)


def read_sound_units(path: Path) -> None:
    """Raise the worst problem of a measurement: the others of its file are read."""
    problems = [unit.problem for unit in read_units(path) if unit.problem is not None]
    for problem in sorted(problems, key=lambda problem: not isinstance(problem, UnsafeContentError)):
        raise problem


def read_matlab(path: Path) -> None:
    with open_result(path) as result:
        read_result(result)
        read_measured_hash(result)


def assert_told(error: PipelineError, path: Path) -> None:
    assert error.path == str(path)
    assert str(error).isprintable()
    assert SECRET not in str(error)


@pytest.mark.parametrize("write", LEADING_OUT.values(), ids=LEADING_OUT)
def test_what_leads_out_of_a_recording_is_refused_by_name_and_not_read(
    path: Path, tmp_path: Path, write: Callable[[Path, Path], Path]
) -> None:
    write(path, write_target(tmp_path / "secret.h5"))
    with pytest.raises(UnsafeContentError, match="leads to another file, which was not opened") as raised:
        read_sound_units(path)
    assert_told(raised.value, path)
    assert str(raised.value.found).startswith("/")


@pytest.mark.parametrize("write", MATLAB_LEADING_OUT.values(), ids=MATLAB_LEADING_OUT)
def test_what_leads_out_of_a_matlab_file_is_refused_by_name_and_not_read(
    path: Path, tmp_path: Path, write: Callable[[Path, Path], Path]
) -> None:
    write(path, write_target(tmp_path / "secret.h5"))
    with pytest.raises(UnsafeContentError, match="/Fcell.*external") as raised:
        read_matlab(path)
    assert_told(raised.value, path)


@pytest.mark.parametrize(
    ("name", "error", "told"),
    [
        ("soft_link_loop", FormatError, "lead to each other.*/MSession_0/MUnit_0"),
        ("huge_chunk", FormatError, "too large.*Channel_0: chunks of 288000000 bytes"),
        ("chunk_that_unpacks_to_more", FormatError, "too large.*Channel_0: a chunk that unpacks to more"),
        ("late_allocated", TruncatedError, "not in the HDF5 file.*Channel_0"),
        ("missing_chunks", TruncatedError, "missing.*Channel_0"),
        ("missing_chunk", TruncatedError, r"missing.*Channel_0, chunk at \(10, 0, 0\)"),
        ("unknown_filter", FormatError, "Channel_0: filter 32001.*Allowed: each of deflate"),
        ("many_texts", FormatError, "too large.*attribute Comment of /MSession_0/MUnit_0: 50000 texts"),
        ("list_attribute", FormatError, "attribute Comment .*lists of variable length"),
        ("large_attribute", FormatError, "too large.*attribute Comment .*: 4194304 bytes"),
        ("many_units", FormatError, "too many measurements.*more than 2000"),
        ("many_curves", FormatError, "MSession_0/MUnit_0: There are too many curves.*Found: 201"),
        ("hostile_name", FormatError, r"no list CurveDataYRawData.*x1b\[31mred.*characters more"),
    ],
)
def test_a_recording_with_content_that_is_not_there_or_out_of_proportion_is_refused(
    path: Path, name: str, error: type[FormatError], told: str
) -> None:
    getattr(hostile_hdf5, f"write_{name}")(path)
    with pytest.raises(error, match=told) as raised:
        read_sound_units(path)
    assert_told(raised.value, path)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("many_references", "too large.*/Fcell: 1000000000 texts or references"),
        ("region_references", "/Fcell: references to regions"),
        ("group_in_itself", "contain each other.*/dat/dat"),
        ("long_text", r"ops\.mouse_name is not.*10000000 × uint16"),
    ],
)
def test_a_matlab_file_that_is_out_of_proportion_is_refused(path: Path, name: str, told: str) -> None:
    getattr(hostile_hdf5, f"write_matlab_{name}")(path)
    with pytest.raises(FormatError, match=told) as raised:
        read_matlab(path)
    assert_told(raised.value, path)


def test_a_frame_that_no_sample_meets_is_missed_when_it_is_read(path: Path) -> None:
    (unit,) = read_units(write_missing_chunk(path, frame=1))
    with pytest.raises(TruncatedError, match=r"Channel_0, chunk at \(1, 0, 0\)") as raised:
        read_mean_image(path, unit.name)
    assert_told(raised.value, path)


@on_posix
def test_a_chunk_that_unpacks_to_more_takes_no_memory(path: Path) -> None:
    write_chunk_that_unpacks_to_more(path)
    measured = (
        "import resource\n"
        "import h5py\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        f"before = peak()\n{_reading(path)}print(peak() - before)"
    )
    run = subprocess.run([sys.executable, "-c", measured], capture_output=True, text=True, check=True)
    *_, told, grown_kib = run.stdout.splitlines()
    assert "unpacks to more" in told
    assert int(grown_kib) < 32 * 2**10


@on_posix
def test_a_pipe_is_refused_while_nobody_writes_to_it(path: Path) -> None:
    write_pipe(path)
    assert "no regular file" in answer_without_writer(path, _reading(path))


@on_posix
@pytest.mark.parametrize("write", [write_external_storage, write_virtual_dataset])
def test_a_pipe_that_a_dataset_names_is_not_opened(
    path: Path, tmp_path: Path, write: Callable[[Path, Path], Path]
) -> None:
    pipe = write_pipe(tmp_path / "pipe")
    write(path, pipe)
    assert "which was not opened" in answer_without_writer(pipe, _reading(path))


def _reading(path: Path) -> str:
    return (
        "from pathlib import Path\n"
        "from imaging_pipeline.errors import FormatError\n"
        "from imaging_pipeline.readers.mesc.file import read_units\n"
        "try:\n"
        f"    print(read_units(Path({str(path)!r})))\n"
        "except FormatError as error:\n"
        "    print(error)\n"
    )


def test_a_chunk_that_the_index_says_is_larger_is_read_as_far_as_it_is_one(path: Path) -> None:
    write_chunk_of_other_size(path)
    expected = movie(MescUnitSpec(0, seed=1))
    statement = (
        "from pathlib import Path\n"
        "from imaging_pipeline.readers.mesc.file import read_mean_image\n"
        f"for _ in range(20): mean = read_mean_image(Path({str(path)!r}), 'MSession_0/MUnit_0', 1)\n"
        "print(mean.sum())"
    )
    # Where memory beside an array is written to, this allocator ends the process.
    checking = {**os.environ, "PYTHONMALLOC": "debug"}
    run = subprocess.run([sys.executable, "-c", statement], env=checking, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert float(run.stdout) == expected[0].sum()


def test_no_folder_is_left_in_which_a_filter_could_be_found(path: Path) -> None:
    h5py.h5pl.append(str(path.parent).encode())
    with opened(write_mesc(path, MescUnitSpec(0))):
        assert h5py.h5pl.size() == 0


SELECTIONS = ((), 0, (2, 1), [0, 3, 6], (slice(1, 5), 2), slice(5, 5))
# Packed and laid out in each way that HDF5 brings itself; the last chunks are not full.
PACKED: dict[str, dict[str, Any]] = {
    "in one piece": {},
    "chunks": {"chunks": (2, 3, 4)},
    "deflate": {"chunks": (2, 3, 4), "compression": "gzip"},
    "shuffle and deflate": {"chunks": (2, 3, 4), "compression": "gzip", "shuffle": True},
    "fletcher32": {"chunks": (2, 3, 4), "compression": "gzip", "fletcher32": True},
    "lzf": {"chunks": (2, 3, 4), "compression": "lzf", "shuffle": True},
    "scaleoffset": {"chunks": (2, 3, 4), "scaleoffset": 0},
}


@pytest.mark.parametrize("options", PACKED.values(), ids=PACKED)
@pytest.mark.parametrize("dtype", ["<u2", ">i4"])
def test_arrays_are_read_as_h5py_reads_them(tmp_path: Path, options: dict[str, Any], dtype: str) -> None:
    values = np.random.default_rng(0).integers(0, 1000, (7, 5, 9)).astype(dtype)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("array", data=values, **options)
    with opened(tmp_path / "a.h5") as file, unlocked(tmp_path / "a.h5") as expected:
        for selection in SELECTIONS:
            read, by_h5py = file["array"][selection], expected["array"][selection]
            assert (read.dtype, read.shape) == (by_h5py.dtype, by_h5py.shape)
            np.testing.assert_array_equal(read, by_h5py)


@pytest.mark.parametrize(
    "value",
    [
        np.float64(2.5),
        np.array([True, False]),
        np.array([1 + 2j]),
        np.bytes_("words"),
        "text of any length",
        np.array([(1, 2.0)], [("number", np.int64), ("value", np.float32)]),
    ],
    ids=str,
)
def test_values_of_every_type_are_read_as_h5py_reads_them(tmp_path: Path, value: Any) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["value"] = value
        file.attrs["value"] = value
    with opened(tmp_path / "a.h5") as file, unlocked(tmp_path / "a.h5") as expected:
        np.testing.assert_array_equal(file["value"][()], expected["value"][()])
        read, by_h5py = file.attrs["value"], expected.attrs["value"]
        assert type(read) is type(by_h5py)
        np.testing.assert_array_equal(read, by_h5py)


def test_links_within_the_file_are_followed(path: Path) -> None:
    write_mesc(path, MescUnitSpec(0))
    with h5py.File(path, "a") as file:
        file["kept"] = file[CHANNEL]
        del file[CHANNEL]
        file[CHANNEL] = h5py.SoftLink("/kept")
        file["MSession_0/MUnit_1"] = h5py.SoftLink("MUnit_0")
    first, second = read_units(path)
    assert first.recording is not None
    assert second.recording is not None
    assert (first.recording.num_frames, second.recording.num_frames) == (FRAMES, FRAMES)
    assert first.recording.fingerprint == second.recording.fingerprint
    np.testing.assert_array_equal(
        read_mean_image(path, "MSession_0/MUnit_1", 1), movie(MescUnitSpec(0))[0].astype(np.float32)
    )


def test_a_link_that_leads_nowhere_is_no_member(path: Path) -> None:
    write_mesc(path, MescUnitSpec(0))
    with h5py.File(path, "a") as file:
        file["nowhere"] = h5py.SoftLink("/gone")
    with opened(path) as file:
        assert "nowhere" not in file
        assert f"{UNIT}/Channel_0" in file
        with pytest.raises(TruncatedError, match="nowhere"):
            file["nowhere"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.array([72, 105, 0, 33], np.uint16), "Hi"),
        (np.array([72, -1, 2**40, 0xD800]), "H\ufffd\ufffd\ufffd"),
        (np.array([72.0, np.nan]), "H\ufffd"),
        (h5py.Empty("S1"), ""),
        (np.array([None], object), ""),
        (np.array([b"Hi\0there"]), "Hi"),
    ],
    ids=repr,
)
def test_text_is_given_whatever_stands_in_its_place(value: object, expected: str) -> None:
    assert text(value) == expected


def test_no_other_module_of_the_package_uses_h5py() -> None:
    package = Path(hdf5_file.__file__).parents[2]
    users = {
        path.parent.name
        for path in package.rglob("*.py")
        if re.search(r"^\s*(import|from) h5py\b", path.read_text("utf-8"), re.MULTILINE)
    }
    assert users == {"hdf5"}
