"""Check what a path leads to before it is opened: a pipe waits for its writer, and a device may act."""

from __future__ import annotations

import stat
from pathlib import Path

from imaging_pipeline.errors import FormatError, NothingFoundError, NotMountedError, Responsible

_KINDS = (
    (stat.S_ISREG, "a regular file"),
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
    mode = _mode(path, "The file is not there", "Copy it back into the folder.")
    if not stat.S_ISREG(mode):
        raise FormatError(
            "This is no regular file, and was not opened",
            path=path,
            found=_kind(mode),
            allowed="a regular file",
            remedy="remove it from the folder, or put the file there that should have this name.",
        )


def is_present(path: Path) -> bool:
    """Return True if a file is there, and False if its folder is there without it.

    A file that a program writes only sometimes is not told from one on a share that went away, unless its
    folder is looked for, too.

    Raises
    ------
    NotMountedError
        Not even its folder is there.
    """
    if path.is_file():
        return True
    if not path.parent.is_dir():
        raise NotMountedError(
            "A folder went away while it was read",
            path=path.parent,
            remedy="See whether its share is there; a folder that was removed must be copied back.",
            responsible=Responsible.RETRY,
        )
    return False


def require_folder(path: Path) -> None:
    """Raise an error unless a path leads to a folder.

    Raises
    ------
    NothingFoundError
        Nothing is there.
    FormatError
        A file, or something else than a folder, is there.
    """
    mode = _mode(path, "The folder is not there", "Copy it back, or register the folder above it again.")
    if not stat.S_ISDIR(mode):
        raise FormatError(
            "This is no folder",
            path=path,
            found=_kind(mode),
            allowed="a folder",
            remedy="remove it, or put the folder there that should have this name.",
        )


def _mode(path: Path, what: str, remedy: str) -> int:
    try:
        # Of what a link leads to, not of the link itself.
        return path.stat().st_mode
    except FileNotFoundError as missing:
        raise NothingFoundError(what, path=path, remedy=remedy) from missing


def _kind(mode: int) -> str:
    return next((kind for is_kind, kind in _KINDS if is_kind(mode)), "another kind of file")
