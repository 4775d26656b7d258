import io
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaging_pipeline.ingest.fingerprint import content_hash, fingerprint

MEGABYTE = 1024 * 1024


def test_equal_content_has_one_fingerprint_wherever_it_lies(tmp_path):
    first, second = tmp_path / "a.tif", tmp_path / "b.tif"
    first.write_bytes(b"movie")
    second.write_bytes(b"movie")

    assert fingerprint(first) == fingerprint(second)
    assert re.fullmatch("[0-9a-f]{16}", fingerprint(first))


@pytest.mark.parametrize("position", [0, 3 * MEGABYTE - 1])
def test_a_changed_end_of_a_large_file_is_seen(tmp_path, position):
    path = tmp_path / "a.tif"
    content = bytearray(3 * MEGABYTE)
    path.write_bytes(content)
    before = fingerprint(path)
    content[position] = 1
    path.write_bytes(content)

    assert fingerprint(path) != before


def test_a_longer_file_of_the_same_bytes_is_another(tmp_path):
    path = tmp_path / "a.tif"
    path.write_bytes(bytes(3 * MEGABYTE))
    before = fingerprint(path)
    path.write_bytes(bytes(3 * MEGABYTE + 1))

    assert fingerprint(path) != before


@given(st.binary(max_size=2000), st.binary(max_size=2000))
def test_small_files_are_told_apart_by_every_byte(tmp_path_factory, first, second):
    path = tmp_path_factory.getbasetemp() / "small.bin"
    prints = []
    for content in (first, second):
        path.write_bytes(content)
        prints.append(fingerprint(path))

    assert (prints[0] == prints[1]) == (first == second)


class CountedFile(io.FileIO):
    num_reads = 0

    def read(self, size=-1):
        CountedFile.num_reads += 1
        return super().read(size)


class CountedPath(type(Path())):
    def open(self, mode):
        CountedFile.num_reads = 0
        return CountedFile(self, mode)


def test_a_larger_file_costs_no_more_reads(tmp_path):
    counts = []
    for size in (2 * MEGABYTE, 256 * MEGABYTE):
        path = CountedPath(tmp_path / f"{size}.tif")
        with Path(path).open("wb") as file:
            file.truncate(size)
        fingerprint(path)
        counts.append(CountedFile.num_reads)

    assert counts == [4, 4]


def test_the_hash_of_all_content_sees_what_no_block_samples(tmp_path):
    path = tmp_path / "F.npy"
    content = bytearray(3 * MEGABYTE)
    path.write_bytes(content)
    before = fingerprint(path), content_hash(path)
    content[2 * MEGABYTE + 100_000] = 1
    path.write_bytes(content)

    assert fingerprint(path) == before[0]
    assert content_hash(path) != before[1]
    assert re.fullmatch("[0-9a-f]{32}", before[1])
