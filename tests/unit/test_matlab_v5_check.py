"""MATLAB 5 files that are hostile or damaged: refused with a word on what, and the process lives on."""

from __future__ import annotations

import os
import struct
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from imaging_pipeline.errors import FormatError, TruncatedError
from imaging_pipeline.readers.matlab.file import open_matlab
from imaging_pipeline.readers.matlab.v5_memory import Plain
from tests.makers.hostile_matlab import (
    CELL,
    CHAR,
    DOUBLE,
    DOUBLES,
    MATRIX,
    REFUSED,
    UINT8,
    UINT8S,
    ByteOrder,
    element,
    matrix,
    small_file,
    write_compressed,
    write_cut_stream,
    write_file,
    write_hostile_names,
    write_nested_cells,
    write_zip_bomb,
)
from tests.makers.matlab_process import VARIABLES, damage_apart, read_apart

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the memory of a process is limited on Linux")

each_order = pytest.mark.parametrize("order", ["<", ">"])


@pytest.mark.parametrize("kind", REFUSED)
def test_a_hostile_file_is_refused_by_name_in_little_memory(tmp_path: Path, kind: str) -> None:
    path = REFUSED[kind](tmp_path / "hostile.mat")
    reading = read_apart(path)
    assert reading.kind in ("FormatError", "TruncatedError"), reading.message
    for label in (f"File: {path}.", "Found: ", "Allowed: ", "What to do: "):
        assert label in reading.message
    assert reading.message.isprintable()
    assert len(reading.message) < 1000


def test_a_file_that_ends_early_is_told_as_such(tmp_path: Path) -> None:
    with (
        pytest.raises(TruncatedError, match=r"ops ends too early.*Found: 664 bytes\. Allowed: 1064 bytes"),
        open_matlab(write_cut_stream(tmp_path / "a.mat"), VARIABLES),
    ):
        pass


def test_a_small_file_may_not_take_much_memory_whatever_it_holds(tmp_path: Path) -> None:
    path = write_zip_bomb(tmp_path / "a.mat")
    assert path.stat().st_size < 1_600_000
    with (
        pytest.raises(FormatError, match=r"The variable ops holds too much.*Allowed: 268435456 bytes"),
        open_matlab(path, VARIABLES),
    ):
        pass


def test_what_compresses_well_is_read_where_it_is_not_large_and_is_in_memory_once(tmp_path: Path) -> None:
    reading = read_apart(write_zip_bomb(tmp_path / "a.mat", num_megabytes=200))
    assert reading.kind == "value"
    assert 200 << 20 < reading.peak_bytes < 260 << 20


def test_variables_that_are_not_asked_for_are_not_inflated(tmp_path: Path) -> None:
    path = write_zip_bomb(tmp_path / "a.mat")
    with open_matlab(path, ["Fcell"]) as content:
        assert content.fields() == ()


def test_values_as_deep_as_real_ones_are_read(tmp_path: Path) -> None:
    with open_matlab(write_nested_cells(tmp_path / "a.mat", depth=40), VARIABLES) as content:
        value = content.field("ops")
        for _ in range(41):
            (value,) = value.cells()
    assert value.shape == (1, 0)


@each_order
def test_values_of_either_byte_order_are_read(tmp_path: Path, order: ByteOrder) -> None:
    with open_matlab(small_file(tmp_path / "a.mat", order), VARIABLES) as content:
        assert content.field("Fcell").vector().tolist() == [1.5, 2.5]
        assert content.field("ops").field("rate").number() == 10.0
        assert content.field("ops").field("label").text() == "abc"
        text, number, sparse, complex_numbers, empty = content.field("sp").cells()
    assert (text.text(), number.number(), empty.shape) == ("plane 1", 7, (1, 0))
    assert sparse.kind.endswith("of MATLAB")
    assert complex_numbers.kind == "an array of complex128"


@each_order
@pytest.mark.parametrize("first", range(4))
def test_every_cut_and_every_damaged_byte_gives_a_value_or_an_error_of_ours(
    tmp_path: Path, order: ByteOrder, first: int
) -> None:
    path = small_file(tmp_path / "a.mat", order)
    counts = Counter(damage_apart(path, first, step=4))
    assert set(counts) <= {"value", "FormatError", "TruncatedError"}
    assert min(counts[kind] for kind in ("value", "FormatError", "TruncatedError")) > 50


def test_names_in_the_file_are_not_repeated_as_they_are(tmp_path: Path) -> None:
    with (
        open_matlab(write_hostile_names(tmp_path / "a.mat"), VARIABLES) as content,
        pytest.raises(FormatError, match=r"The field ops\.rate is missing") as error,
    ):
        content.field("ops").field("rate")
    assert str(error.value).isprintable()
    assert "\\x1b[2J" in str(error.value)
    assert len(str(error.value)) < 600


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
def test_a_named_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "F_plane1.mat"
    os.mkfifo(path)
    with pytest.raises(FormatError, match=r"no regular file.*a named pipe"), open_matlab(path, VARIABLES):
        pass


def test_of_two_variables_of_one_name_the_first_is_read(tmp_path: Path) -> None:
    numbers = [matrix(DOUBLES, (1, 1), element(DOUBLE, struct.pack("<d", n)), b"ops") for n in (1.0, 2.0)]
    with open_matlab(write_file(tmp_path / "a.mat", b"".join(numbers)), VARIABLES) as content:
        assert content.field("ops").number() == 1.0


def test_padding_that_is_not_counted_or_not_there_is_no_damage(tmp_path: Path) -> None:
    whole = matrix(UINT8S, (1, 9), element(UINT8, bytes(range(9))), b"ops")
    shorter = struct.pack("<2I", MATRIX, len(whole) - 8 - 7)
    for write, content in ((write_file, whole[8:-7]), (write_compressed, whole[8:])):
        with open_matlab(write(tmp_path / "a.mat", shorter + content), VARIABLES) as opened:
            assert opened.field("ops").vector().tolist() == list(range(9))


def test_a_text_without_bytes_is_as_many_spaces(tmp_path: Path) -> None:
    path = write_file(tmp_path / "a.mat", matrix(CHAR, (1, 3), element(UINT8, b""), b"ops"))
    with open_matlab(path, VARIABLES) as content:
        assert content.field("ops").text() == "   "


def test_bytes_are_the_same_wherever_they_lie_in_memory() -> None:
    written = np.random.default_rng(0).bytes((20 << 20) + 5)
    plain = Plain()
    for start in range(0, len(written), 3_000_001):
        plain.append(written[start : start + 3_000_001])
    assert len(plain) == len(written)
    edge = 8 << 20
    for offset, num_bytes in ((0, 7), (edge - 3, 8), (edge, 8), (edge - 1, edge + 9), (len(written) - 2, 8)):
        assert plain.at(offset, num_bytes) == written[offset : offset + num_bytes]
    layout = struct.Struct("<2I")
    for offset in (16, edge - 8, edge - 5):
        assert plain.unpack(layout, offset) == layout.unpack(written[offset : offset + 8])
    with pytest.raises(struct.error):
        plain.unpack(layout, len(written) - 7)
    assert plain.reader().read() == written


def test_cells_beyond_those_that_its_bytes_can_hold_are_refused(tmp_path: Path) -> None:
    path = write_file(tmp_path / "a.mat", matrix(CELL, (1, 3), element(MATRIX, b"") * 2, b"ops"))
    with (
        pytest.raises(FormatError, match=r"The variable ops is damaged.*Found: 3\. Allowed: 2 in its bytes"),
        open_matlab(path, VARIABLES),
    ):
        pass
