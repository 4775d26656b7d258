"""A finished output, from the scratch folder to its place: whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from imaging_pipeline import progress
from imaging_pipeline.errors import Move, StoreError
from imaging_pipeline.suite2p_runner.scratch import require_space

_MOVIE_SUFFIX = ".bin"

# Windows refuses to rename a folder of which somebody has a file open; a virus scanner soon lets go.
_REFUSALS = frozenset({errno.EACCES, errno.EPERM, errno.EBUSY})
_PAUSES_S = (1.0, 2.0, 4.0, 8.0)


def publish(source: Path, target: Path) -> None:
    """Copy an output beside its place, check it, and put it there with one rename.

    The registered movie (``*.bin``) stays behind. What was at the place before is kept, renamed to
    ``<name>.superseded-<time>``.

    Raises
    ------
    StoreError
        Where there is no room, the copy is not as large as the original, or somebody has what is at
        the place open.
    """
    files = list(_files(source))
    num_bytes = sum((source / file).stat().st_size for file in files)
    require_space(target.parent, num_bytes, "the output of Suite2p")
    partial = target.with_name(f".{target.name}.partial-{uuid.uuid4().hex[:12]}")
    try:
        _copy(source, partial, files, num_bytes)
        _exchange(partial, target)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def _files(source: Path) -> Iterator[Path]:
    for folder, _folders, names in os.walk(source):
        for name in names:
            if not name.endswith(_MOVIE_SUFFIX):
                yield Path(folder, name).relative_to(source)


def _copy(source: Path, partial: Path, files: list[Path], num_bytes: int) -> None:
    copied_bytes = 0
    for file in files:
        copy = partial / file
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / file, copy)
        size_bytes = (source / file).stat().st_size
        if copy.stat().st_size != size_bytes:
            raise StoreError(
                "A file was not copied whole",
                path=copy,
                found=f"{copy.stat().st_size} bytes",
                allowed=f"{size_bytes} bytes",
                remedy="Look at the file server.",
            )
        copied_bytes += size_bytes
        progress.report("copying the output", copied_bytes, num_bytes)


def _exchange(partial: Path, target: Path) -> None:
    """Set aside what is at the place, and put it back where the new cannot take it.

    Nothing of the lab's is ever deleted.
    """
    if not target.exists():
        _rename(partial, target)
        return
    aside = target.with_name(f"{target.name}.superseded-{datetime.now():%Y%m%dT%H%M%S%f}")
    _rename(target, aside)
    try:
        _rename(partial, target)
    except BaseException:
        _rename(aside, target)
        raise


def _rename(path: Path, to: Path) -> None:
    for pause_s in (*_PAUSES_S, None):
        try:
            path.rename(to)
            return
        except OSError as error:
            if error.errno not in _REFUSALS:
                raise
            if pause_s is None:
                raise StoreError(
                    "A folder of Suite2p's output cannot be renamed",
                    path=path,
                    found=str(error),
                    remedy="Close the programs that have one of its files open.",
                    move=Move.RETRY,
                ) from error
        time.sleep(pause_s)
