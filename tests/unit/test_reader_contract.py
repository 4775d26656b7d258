"""What holds of every reader of files that others wrote; a new one is a line in ``registered_readers``."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from imaging_pipeline.errors import PipelineError
from tests.makers.registered_readers import REGISTERED_READERS, RegisteredReader

on_posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no such files in folders")

# One reader is given bytes, and opens nothing.
OPENING = [reader for reader in REGISTERED_READERS if reader.names_file]
OF_FILES = [reader for reader in OPENING if not reader.is_folder]


def each(readers: list[RegisteredReader] | tuple[RegisteredReader, ...]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("reader", readers, ids=lambda reader: reader.name)


def path_of(reader: RegisteredReader, folder: Path) -> Path:
    (folder / "day1").mkdir()
    return folder / "day1" / reader.path


def written(reader: RegisteredReader, folder: Path) -> Path:
    path = path_of(reader, folder)
    reader.write(path)
    return path


def checked(reader: RegisteredReader, path: Path, error: PipelineError) -> PipelineError:
    """Return an error that says what to do, and of which file it is."""
    assert error.remedy
    if reader.names_file:
        assert path.name in str(error)
    return error


def error_of(reader: RegisteredReader, path: Path) -> PipelineError:
    with pytest.raises(PipelineError) as raised:
        reader.read(path)
    return checked(reader, path, raised.value)


def _half(content: bytes) -> bytes:
    return content[: len(content) // 2]


def _garbage(content: bytes) -> bytes:
    return Random(len(content)).randbytes(len(content))


def _nothing(_content: bytes) -> bytes:
    return b""


def _zeros(content: bytes) -> bytes:
    return bytes(len(content))


def _text(_content: bytes) -> bytes:
    return b"Dear colleague, here are the data that you asked for.\n"


damages = pytest.mark.parametrize("damage", [_nothing, _half, _garbage, _zeros, _text])


class TestReader:
    """A reader returns what was written, or raises an error that names the file and a remedy."""

    @each(REGISTERED_READERS)
    def test_what_was_written_is_what_is_read(self, reader: RegisteredReader, tmp_path: Path) -> None:
        reader.check(reader.read(written(reader, tmp_path)))

    @each(OPENING)
    def test_what_is_missing_is_named(self, reader: RegisteredReader, tmp_path: Path) -> None:
        path = path_of(reader, tmp_path)
        assert error_of(reader, path).path == str(path)

    @damages
    @each([reader for reader in REGISTERED_READERS if not reader.is_folder])
    def test_a_damaged_file_is_refused(
        self, reader: RegisteredReader, tmp_path: Path, damage: Callable[[bytes], bytes]
    ) -> None:
        path = written(reader, tmp_path)
        path.write_bytes(damage(path.read_bytes()))
        error_of(reader, path)

    @damages
    @each([reader for reader in REGISTERED_READERS if reader.is_folder])
    def test_a_damaged_file_of_a_folder_is_left_out_or_refused(
        self, reader: RegisteredReader, tmp_path: Path, damage: Callable[[bytes], bytes]
    ) -> None:
        root = written(reader, tmp_path)
        num_refused = 0
        for path in sorted(path for path in root.rglob("*") if path.is_file()):
            whole = path.read_bytes()
            path.write_bytes(damage(whole))
            try:
                reader.read(root)
            except PipelineError as error:
                checked(reader, root, error)
                num_refused += 1
            path.write_bytes(whole)
        assert num_refused > 0

    @each(OF_FILES)
    def test_a_file_of_another_suffix_is_read_or_refused(
        self, reader: RegisteredReader, tmp_path: Path
    ) -> None:
        path = written(reader, tmp_path)
        path = path.rename(path.with_suffix(".bak"))
        try:
            value = reader.read(path)
        except PipelineError as error:
            checked(reader, path, error)
        else:
            reader.check(value)

    @each(OF_FILES)
    def test_a_folder_in_its_place_is_refused(self, reader: RegisteredReader, tmp_path: Path) -> None:
        path = path_of(reader, tmp_path)
        path.mkdir()
        error_of(reader, path)

    @each([reader for reader in OPENING if reader.is_folder])
    def test_a_file_in_place_of_a_folder_is_refused(self, reader: RegisteredReader, tmp_path: Path) -> None:
        path = path_of(reader, tmp_path)
        path.write_bytes(b"")
        error_of(reader, path)

    @on_posix
    @each(OPENING)
    def test_a_pipe_in_its_place_is_refused_and_not_waited_for(
        self, reader: RegisteredReader, tmp_path: Path
    ) -> None:
        path = path_of(reader, tmp_path)
        os.mkfifo(path)
        error_of(reader, path)

    @on_posix
    @each(OPENING)
    def test_what_the_system_does_not_open_is_told_by_its_own_error_that_names_it(
        self, reader: RegisteredReader, tmp_path: Path
    ) -> None:
        """Whoever asked decides whether it is waited for or asked of a person, by the error's number."""
        path = path_of(reader, tmp_path)
        path.symlink_to(path)
        with pytest.raises((OSError, PipelineError), match=path.name) as raised:
            reader.read(path)
        assert isinstance(raised.value, PipelineError) or raised.value.errno == errno.ELOOP
