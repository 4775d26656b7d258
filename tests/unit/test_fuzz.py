"""Damaged and hostile files make values or good errors, and a reader that does anything else is found."""

from __future__ import annotations

import functools
import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import h5py
import numpy as np
import pytest

from imaging_pipeline.errors import FormatError
from tests.makers.registered_readers import REGISTERED_READERS, RegisteredReader

if sys.platform != "linux":
    pytest.skip("limits of memory and time are those of Linux", allow_module_level=True)

from tests.fuzz import hdf5, hdf5_bytes, matlab, npy, pickle_opcodes, raw_bytes
from tests.fuzz.canary import holds_canary
from tests.fuzz.child import Limits, Sample
from tests.fuzz.inputs import InputNumber, make_input
from tests.fuzz.session import Run, fuzz
from tests.fuzz.table import list_of, table

SEED = 20_240_517
NUM_INPUTS = 300
# The planted faults need no more.
LIMITS = Limits(memory_bytes=2**28, cpu_s=0.3, silence_s=1)


def test_damaged_files_of_every_reader_are_values_or_errors_that_name_the_file(tmp_path: Path) -> None:
    run = fuzz(REGISTERED_READERS, NUM_INPUTS, SEED, tmp_path)
    report = f"seed {SEED}\n{table(run.lines)}\n{list_of(run.findings)}"
    print(report)
    assert sum(line.num_inputs for line in run.lines) == NUM_INPUTS
    assert not run.findings.counts, report


@pytest.mark.parametrize("reader", REGISTERED_READERS, ids=lambda reader: reader.name)
def test_an_input_is_the_same_whenever_it_is_made(reader: RegisteredReader, tmp_path: Path) -> None:
    one, other = (Sample(reader, tmp_path / name) for name in ("one", "other"))
    for number in range(12):
        which = InputNumber(SEED, number)
        assert make_input(reader, one.files, which) == make_input(reader, other.files, which)


_WHOLE_FILES = {
    "pickle": ("pickle", (*pickle_opcodes.MUTATIONS, *raw_bytes.MUTATIONS)),
    "npy": ("npy-dictionary", (*npy.HEADER_MUTATIONS, *npy.CONTENT_MUTATIONS)),
    "hdf5": ("mesc-units", (*hdf5.MUTATIONS, *hdf5_bytes.MUTATIONS)),
    "matlab": ("matlab-v7", matlab.MUTATIONS),
}
_MUTATIONS = [
    pytest.param(name, mutation, id=f"{file_format}-{mutation.__name__}-{number}")
    for file_format, (name, mutations) in _WHOLE_FILES.items()
    for number, mutation in enumerate(mutations)
]


@pytest.fixture(scope="module")
def whole_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    files = {}
    for reader in REGISTERED_READERS:
        if reader.name in [name for name, _ in _WHOLE_FILES.values()]:
            sample = Sample(reader, tmp_path_factory.mktemp("whole") / reader.name)
            (files[reader.name],) = sample.files.values()
    return files


@pytest.mark.parametrize(("name", "mutation"), _MUTATIONS)
def test_a_mutation_changes_most_files(
    whole_files: dict[str, bytes], name: str, mutation: Callable[[Random, bytes], bytes]
) -> None:
    content = whole_files[name]
    changed = [mutation(Random(number), content) != content for number in range(6)]
    assert sum(changed) >= 3


WHOLE = pickle.dumps({"fs": 7.25, "names": ["a", "b"], "shape": (3, 4)})


def _write(path: Path) -> None:
    path.write_bytes(WHOLE)


def _read(path: Path, fault: Callable[[Path], Any]) -> Any:
    """Read a whole file well, and do what is wrong with any other."""
    return None if path.read_bytes() == WHOLE else fault(path)


def _accept(_value: Any) -> None:
    """Compare nothing."""


def _spin(_path: Path) -> None:
    while True:
        pass


def _wait(_path: Path) -> None:
    threading.Event().wait()


def _crash(_path: Path) -> None:
    signal.raise_signal(signal.SIGSEGV)


def _exit(_path: Path) -> None:
    os._exit(3)


def _take_memory(_path: Path) -> bytearray:
    return bytearray(2**30)


def _lack_a_key(_path: Path) -> Any:
    return {}["fs"]


def _open_outside(_path: Path) -> bool:
    with h5py.File("../secret/canary.h5", "r") as file:
        return "canary" in file


def _open_outside_by_python(_path: Path) -> int:
    return len(Path("../secret/canary.bin").read_bytes())


def _return_the_secret(_path: Path) -> Any:
    return {"images": [(np.full((3, 4), 51_966, np.uint16),)]}


def _write_beside(path: Path) -> None:
    path.with_name("more").write_bytes(b"")


def _run_a_program(_path: Path) -> None:
    __import__("os").system("true")


def _tell_no_file(_path: Path) -> None:
    raise FormatError("It is damaged", remedy="Copy it again.")


def _tell_too_much(path: Path) -> None:
    raise FormatError("It is damaged" * 300, path=path, remedy="Copy it again.")


class _UnescapedError(FormatError):
    """An error that writes its message by itself."""

    def __str__(self) -> str:
        return f"{self.path}: \x1b[31m"


def _tell_what_no_one_can_read(path: Path) -> None:
    raise _UnescapedError("It is damaged", path=path, remedy="Copy it again.")


def _unpickle(path: Path) -> Any:
    try:
        return pickle.loads(path.read_bytes())
    except Exception as error:
        raise FormatError("It is damaged", path=path, remedy="Copy it again.") from error


FAULTS = {
    _spin: "hang",
    _wait: "hang",
    _crash: "crash by SIGSEGV",
    _exit: "exit with 3",
    _take_memory: "MemoryError",
    _lack_a_key: "KeyError",
    _open_outside: "a file outside the folder was opened",
    _open_outside_by_python: "reading did more than read: open of '../secret/canary.bin'",
    _return_the_secret: "the content of a file outside the folder was returned",
    _write_beside: "reading did more than read: open of",
    _run_a_program: "reading did more than read: os.system",
    _tell_no_file: "an error's message does not name the file",
    _tell_too_much: "an error's message has 2500 characters or more",
    _tell_what_no_one_can_read: "an error's message has control characters",
}


def planted(fault: Callable[[Path], Any]) -> RegisteredReader:
    return RegisteredReader(
        "planted",
        "planted.pickle",
        "pickle",
        _write,
        functools.partial(_read, fault=fault),
        check=_accept,
    )


def kinds(run: Run) -> set[str]:
    return {kind for _, kind in run.findings.counts}


@pytest.mark.parametrize(
    ("fault", "outcome"), FAULTS.items(), ids=lambda value: getattr(value, "__name__", "")
)
def test_a_planted_fault_is_found_and_its_file_kept(
    fault: Callable[[Path], Any], outcome: str, tmp_path: Path
) -> None:
    run = fuzz([planted(fault)], 1, SEED, tmp_path, limits=LIMITS)
    assert run.lines[0].num_findings == 1
    assert all(kind.startswith(outcome) for kind in kinds(run)), kinds(run)
    ((path, *_),) = run.findings.files.values()
    assert path.read_bytes() != WHOLE
    assert outcome in (path.parent / "finding.txt").read_text()


def test_a_reader_that_unpickles_whatever_comes_is_found(tmp_path: Path) -> None:
    found = kinds(fuzz([planted(_unpickle)], 100, SEED, tmp_path, limits=LIMITS))
    assert any(kind.startswith("reading did more than read") for kind in found), found


def test_what_comes_after_a_crash_is_read_as_well(tmp_path: Path) -> None:
    run = fuzz([planted(_crash), *REGISTERED_READERS[3:4]], 6, SEED, tmp_path, limits=LIMITS)
    assert [line.num_inputs for line in run.lines] == [3, 3]


def test_a_crash_is_kept_with_what_its_process_had_read_before(tmp_path: Path) -> None:
    run = fuzz([*REGISTERED_READERS[3:4], planted(_crash)], 2, SEED, tmp_path, limits=LIMITS)
    ((path,),) = run.findings.files.values()
    assert "Read before by the same process: npy-array 0" in (path.parent / "finding.txt").read_text()


@pytest.mark.parametrize("value", ["canary 5f1c0a", b"of canary 5f1c0a", np.full(9, 51_966.0)])
def test_what_a_value_holds_of_the_canary_is_seen_however_deep_it_lies(value: Any) -> None:
    circle: list[Any] = [{"a": np.array([value, None], dtype=object) if isinstance(value, str) else value}]
    circle.append(circle)
    assert holds_canary((1, circle))
    assert not holds_canary((1, np.arange(100_000), "canary"))
