"""Which paths are opened at all."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from imaging_pipeline.errors import FormatError, NothingFoundError
from imaging_pipeline.readers.regular_file import require_regular_file

on_posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no such files in folders")


def test_a_regular_file_is_taken_and_also_one_that_a_link_leads_to(tmp_path: Path) -> None:
    path = tmp_path / "x.mesc"
    path.write_bytes(b"")
    require_regular_file(path)
    if os.name != "nt":
        link = tmp_path / "link.mesc"
        link.symlink_to(path)
        require_regular_file(link)


def test_a_folder_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"no regular file.*Found: a folder\.") as raised:
        require_regular_file(tmp_path)
    assert str(tmp_path) in str(raised.value)


@on_posix
def test_a_pipe_without_a_writer_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.mesc")
    with pytest.raises(FormatError, match=r"x\.mesc.*Found: a named pipe\."):
        require_regular_file(tmp_path / "x.mesc")


@on_posix
def test_a_device_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"Found: a character device\."):
        require_regular_file(Path(os.devnull))


@on_posix
def test_a_socket_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # the name of a socket may have 107 characters
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind("x.mesc")
        with pytest.raises(FormatError, match=r"Found: a socket\."):
            require_regular_file(tmp_path / "x.mesc")


def test_a_file_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(NothingFoundError, match=r"not there.*x\.mesc"):
        require_regular_file(tmp_path / "x.mesc")
