"""What Python itself is asked to do while a file is read: opening others, importing, running programs."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.fuzz.pickle_values import DANGEROUS

# What Python tells of that no reader has a reason for.
_NEVER = (
    *("os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.kill", "os.putenv"),
    *("os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.chmod", "os.chown", "os.link", "os.symlink"),
    *("os.truncate", "os.utime", "subprocess.Popen", "shutil.", "socket.", "webbrowser.open", "urllib."),
    *("builtins.input", "pty.spawn", "tempfile.", "ctypes.dlopen", "ftplib.", "code.__new__"),
)
_IMPORTED_BY_NAME = {name.split()[0] for name in DANGEROUS if not name.startswith("numpy")}
_CODE = tuple(
    str(Path(folder).resolve())
    for folder in {sys.prefix, sys.base_prefix, sysconfig.get_paths()["stdlib"], Path(__file__).parents[2]}
)


class Guard:
    """Hears what is done while it is armed; it can be installed once a process."""

    def __init__(self) -> None:
        self._folder: str | None = None
        self._heard: list[str] = []
        sys.addaudithook(self._hear)

    @contextmanager
    def armed(self, folder: Path) -> Iterator[list[str]]:
        """Hear what is done that reading within a folder does not need; what is worst is also prevented."""
        self._heard = []
        self._folder = str(folder)
        try:
            yield self._heard
        finally:
            self._folder = None

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._folder is None:
            return
        if event.startswith(_NEVER):
            self._heard.append(event)
            raise PermissionError(f"prevented: {event}")
        if event == "import" and arguments[0] in _IMPORTED_BY_NAME - sys.modules.keys():
            self._heard.append(f"import of {arguments[0]}")
        if event == "pickle.find_class" and " ".join(map(str, arguments)) in DANGEROUS:
            self._heard.append(f"a pickle was given {'.'.join(arguments)}")
        if event == "open" and not self._is_expected(arguments[0], arguments[2]):
            self._heard.append(f"open of {arguments[0]!r}")

    def _is_expected(self, path: Any, flags: int) -> bool:
        if isinstance(path, int):
            return True
        resolved = os.path.abspath(os.fsdecode(path))  # noqa: PTH100 - a link is no way out of a folder here
        is_for_reading = not flags & (os.O_WRONLY | os.O_RDWR)
        return is_for_reading and (
            resolved.startswith(f"{self._folder}{os.sep}")
            or resolved.startswith(_CODE)
            or resolved == self._folder
        )
