"""A finished output, from the scratch folder to its place: whole or not at all."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from imaging_pipeline import progress
from imaging_pipeline.errors import StoreError
from imaging_pipeline.suite2p_runner.scratch import require_space

_MOVIE_SUFFIX = ".bin"


def publish(source: Path, target: Path) -> None:
    """Copy an output beside its place, check it, and put it there with one rename.

    The registered movie (``*.bin``) stays behind. What was at the place before is kept, renamed to
    ``<name>.superseded-<time>``.

    Raises
    ------
    StoreError
        Where there is no room, or the copy is not as large as the original.
    """
    files = list(_files(source))
    num_bytes = sum((source / file).stat().st_size for file in files)
    require_space(target.parent, num_bytes, "the output of Suite2p")
    partial = target.with_name(f".{target.name}.partial-{uuid.uuid4().hex[:12]}")
    try:
        _copy(source, partial, files, num_bytes)
        _set_aside(target)
        partial.rename(target)
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


def _set_aside(target: Path) -> None:
    """Rename what is at the place; nothing of the lab's is ever deleted."""
    if target.exists():
        target.rename(target.with_name(f"{target.name}.superseded-{datetime.now():%Y%m%dT%H%M%S%f}"))
