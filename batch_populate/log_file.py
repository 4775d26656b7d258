"""A log in a file of limited size, whose earlier parts are in files beside it."""

from __future__ import annotations

import logging
import sys
import time
from contextlib import suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path

import click

# With the file that is being written, these are the 30 MB that ``--log`` promises.
_BYTES = 5_000_000
_FILES = 5
_AGAIN_S = 60.0


class LogFile(RotatingFileHandler):
    """Goes on in its file where the next cannot be begun, and tries that again a minute later.

    Windows renames no file that another program has open. The earlier parts stay as they are meanwhile.

    Raises
    ------
    OSError
        The file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, maxBytes=_BYTES, backupCount=_FILES, encoding="utf-8")
        self._rollover_due = self._warning_due = float("-inf")

    def doRollover(self) -> None:  # noqa: N802  the library's name
        """Begin the next file, if that is possible now."""
        if time.monotonic() < self._rollover_due:
            return
        if self.stream is not None:
            self.stream.close()
        try:
            # The library renames the earlier parts first, and would drop the oldest at every failed attempt.
            _try_to_rename(Path(self.baseFilename))
            super().doRollover()
        except OSError:
            self._rollover_due = time.monotonic() + _AGAIN_S
            self.stream = self._open()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  the library's name
        """Write to standard error that a line could not be written, such as on a full disk; once a minute."""
        if time.monotonic() >= self._warning_due:
            self._warning_due = time.monotonic() + _AGAIN_S
            with suppress(OSError):  # the terminal may be closed too
                click.echo(f"The log {self.baseFilename} cannot be written: {sys.exception()}", err=True)


def _try_to_rename(path: Path) -> None:
    path.rename(f"{path}.0").rename(path)
