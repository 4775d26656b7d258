"""A real file system of a few kilobytes, for tests of a full or read-only disk."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


class SmallDisk:
    """A disk that only a shell of its own has mounted; others see it through that process.

    Attributes
    ----------
    path
        Where this process finds it.
    """

    def __init__(self, shell: subprocess.Popen[str], mount_point: Path, size_bytes: int) -> None:
        self._shell = shell
        self._mount_point = mount_point
        self._run(f"mount -t tmpfs -o size={size_bytes} none '{mount_point}'")
        self.path = Path(f"/proc/{shell.pid}/root{mount_point}")

    def remount(self, option: str) -> None:
        """Let nobody write (``ro``), or everybody again (``rw``)."""
        self._run(f"mount -o remount,{option} '{self._mount_point}'")

    def _run(self, command: str) -> None:
        assert self._shell.stdin
        assert self._shell.stdout
        self._shell.stdin.write(f"{command} && echo done\n")
        self._shell.stdin.flush()
        said = self._shell.stdout.readline().strip()
        if said != "done":
            raise OSError(said)


@contextmanager
def small_disk(folder: Path, size_bytes: int) -> Iterator[SmallDisk]:
    """Mount a disk in a namespace of its own, which needs no rights; skip the test where that is refused."""
    if shutil.which("unshare") is None:
        pytest.skip("there is no unshare to mount a small disk with")
    folder.mkdir()
    with subprocess.Popen(
        ["unshare", "--user", "--map-root-user", "--mount", "sh"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as shell:
        try:
            disk = SmallDisk(shell, folder.resolve(), size_bytes)
        except OSError as error:
            pytest.skip(f"this system mounts no small disk: {error}")
        yield disk
