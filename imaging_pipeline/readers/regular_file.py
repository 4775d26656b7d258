"""Which paths may be opened: opening a pipe waits for its writer, and a device may act on it."""

from __future__ import annotations

import stat
from pathlib import Path

from imaging_pipeline.errors import FormatError, NothingFoundError

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a character device"),
    (stat.S_ISBLK, "a block device"),
)


def require_regular_file(path: Path) -> None:
    """Raise an error unless a path leads to a regular file; nothing is opened.

    Raises
    ------
    NothingFoundError
        Nothing is there.
    FormatError
        A folder, named pipe, socket or device is there.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError as missing:
        raise NothingFoundError(
            "The file is not there", path=path, remedy="Copy it back into the folder."
        ) from missing
    if not stat.S_ISREG(mode):
        raise FormatError(
            "This is no regular file, and was not opened",
            path=path,
            found=next((kind for is_kind, kind in _KINDS if is_kind(mode)), "another kind of file"),
            allowed="a regular file",
            remedy="remove it from the folder, or put the file there that should have this name.",
        )
