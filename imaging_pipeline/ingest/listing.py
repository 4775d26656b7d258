"""All files below a folder, with their sizes and times."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from imaging_pipeline import progress
from imaging_pipeline.errors import NothingFoundError, PathError, Responsible, StillCopyingError
from imaging_pipeline.paths import clean

_EPOCH = datetime(1970, 1, 1)
# Windows' IO_REPARSE_TAG_MOUNT_POINT; Python's own constant is there on Windows only.
_MOUNT_POINT = 0xA0000003
# Recordings have some five levels of folders; a tree that is much deeper was made by a program's mistake.
MAX_LEVELS = 100


@dataclass(frozen=True)
class FileEntry:
    """A file as the folder shows it.

    Attributes
    ----------
    path
        Path below the folder with forward slashes.
    size_bytes
        Its size.
    modified
        When it was last written, UTC without a zone, to the microsecond. Many programs set the time of a
        copy to that of its original, some of them before the copy is complete.
    arrived
        When the file system last changed the file or its times, which no program can set; on Windows
        when it created the file. UTC as well.
    """

    path: str
    size_bytes: int
    modified: datetime
    arrived: datetime


@dataclass(frozen=True)
class Skipped:
    """Something in the folder that is not read, and why."""

    path: str
    reason: str


@dataclass(frozen=True)
class Listing:
    """What a folder holds, in the order of the paths.

    Attributes
    ----------
    folder
        The folder on this machine.
    files
        Every file below it.
    skipped
        Links, which are never followed, and names that no database can hold.
    """

    folder: Path
    files: tuple[FileEntry, ...]
    skipped: tuple[Skipped, ...] = ()


def scan(folder: Path, typed: str | None = None) -> Listing:
    """List a folder and all below it; of each file, size and times are read, and not its content.

    Parameters
    ----------
    folder
        The folder on this machine.
    typed
        Its path as a person typed it, who may see it under another one; by default as it is here.

    Raises
    ------
    NothingFoundError
        The folder is not there, is a file, or holds nothing.
    PathError
        A folder may not be read, has a path that the system does not take, or lies more than `MAX_LEVELS`
        levels below.
    StillCopyingError
        Something was removed while the folder was read.
    """
    _require_folder(folder, str(folder) if typed is None else typed)
    files: list[FileEntry] = []
    skipped: list[Skipped] = []
    for entry in _walk(folder):
        if isinstance(entry, FileEntry):
            files.append(entry)
            if len(files) % 1000 == 0:
                progress.report("listing the folder", len(files))
        else:
            skipped.append(entry)
    if not files and not skipped:
        raise NothingFoundError("The folder is empty", path=folder, remedy="copy the recording into it.")
    return Listing(
        folder,
        tuple(sorted(files, key=lambda file: file.path)),
        tuple(sorted(skipped, key=lambda skip: skip.path)),
    )


def _require_folder(folder: Path, typed: str) -> None:
    with _errors_named(folder):
        is_file, is_folder = folder.is_file(), folder.is_dir()
    if is_file:
        raise NothingFoundError(
            "This is a file and no folder",
            path=folder,
            remedy=f"Give the folder that it is in: {_folder_above(typed)}",
        )
    if not is_folder:
        raise NothingFoundError(
            "There is no such folder", path=folder, remedy="check the spelling and upper and lower case."
        )


def _folder_above(typed: str) -> str:
    """Return the folder above, spelled as the path was typed, with either kind of slashes."""
    path = clean(typed).rstrip("/\\")
    return path[: max(path.rfind("/"), path.rfind("\\"))]


def _walk(folder: Path) -> Iterator[FileEntry | Skipped]:
    # Not by a call for each level, of which Python allows only so many.
    level = [""]
    for _ in range(MAX_LEVELS + 1):
        subfolders: list[str] = []
        for below in level:
            with _errors_named(folder / below):
                yield from _entries(folder, below, subfolders)
        level = subfolders
    if level:
        raise PathError(
            "The folder holds folders that lie too deep",
            path=folder / level[0],
            found=f"more than {MAX_LEVELS} levels",
            allowed=f"at most {MAX_LEVELS} levels of folders",
            remedy="Take away the folders that do not belong to the recording, or move the files further up.",
        )


def _entries(folder: Path, below: str, subfolders: list[str]) -> Iterator[FileEntry | Skipped]:
    """Yield the files of a folder, whose path ends with a slash, and append the paths of its subfolders."""
    with os.scandir(folder / below) as scanned:
        # Read to its end, so that no handle stays open while others work on what is yielded.
        entries = list(scanned)
    for entry in entries:
        path = below + entry.name
        if not is_text(entry.name):
            shown = os.fsencode(path).decode("utf-8", "backslashreplace")
            yield Skipped(shown, "its name is not valid Unicode; rename it")
        elif leads_elsewhere(entry):
            yield Skipped(path, "a link, which is not followed; put the file itself here")
        elif entry.is_dir(follow_symlinks=False):
            subfolders.append(path + "/")
        else:
            yield _entry(path, entry.stat(follow_symlinks=False))


@contextmanager
def _errors_named(folder: Path) -> Iterator[None]:
    """Raise errors of the system as errors that name the folder."""
    try:
        yield
    except FileNotFoundError as error:
        raise StillCopyingError(
            "The folder changed while it was read",
            path=folder,
            found=error.filename,
            remedy="Nothing; the request waits until the files have rested.",
        ) from error
    except PermissionError as error:
        raise PathError(
            "The folder may not be read",
            path=folder,
            found=error.strerror,
            remedy="give the account of the worker the right to read it.",
            responsible=Responsible.ADMINISTRATOR,
        ) from error
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        raise PathError(
            "The path of a folder or its name is too long",
            path=folder,
            found=error.strerror,
            remedy="give a path that there is, or shorten the names of these folders.",
        ) from error


def _entry(path: str, status: os.stat_result) -> FileEntry | Skipped:
    if not stat.S_ISREG(status.st_mode):
        return Skipped(path, "it is no ordinary file")
    return FileEntry(path, status.st_size, utc_moment(status.st_mtime_ns), utc_moment(status.st_ctime_ns))


def utc_moment(since_1970_ns: int) -> datetime:
    """Return a time of the file system in UTC without a zone, to the microsecond."""
    # In integers: a float of this size has no exact microseconds, and two listings would differ.
    return _EPOCH + timedelta(microseconds=since_1970_ns // 1000)


def is_text(name: str) -> bool:
    """Return True if a database can hold a file's name."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def leads_elsewhere(entry: os.DirEntry[str]) -> bool:
    """Return True if an entry is a link, which is never followed."""
    if entry.is_symlink():
        return True
    if os.name != "nt":
        return False
    # A junction of Windows is no symbolic link, and leads out of the folder all the same.
    return getattr(entry.stat(follow_symlinks=False), "st_reparse_tag", 0) == _MOUNT_POINT
