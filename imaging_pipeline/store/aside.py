"""Objects that a sweep of the store has moved aside, and that are deleted a month later."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

FOLDER = "swept"
KEPT = timedelta(days=30)
# The name of a sweep's folder: no colons, which Windows does not allow.
_TIME = "%Y-%m-%dT%H%M%SZ"


def move_aside(root: Path, schema: str, names: Iterable[str], now: datetime) -> None:
    """Move objects into a folder of this sweep, where nobody reads them.

    Parameters
    ----------
    root
        The store.
    schema
        Whose objects they are.
    names
        Paths below the store.
    now
        The present, with a zone.
    """
    folder = root / FOLDER / schema / now.astimezone(UTC).strftime(_TIME)
    for name in names:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (root / name).rename(target)


def moved_aside(root: Path, schema: str) -> dict[str, Path]:
    """Return where objects are that were moved aside, by their path below the store before."""
    return {
        path.relative_to(folder).as_posix(): path
        for folder, _ in _sweeps(root, schema)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def put_back(root: Path, aside: Path, name: str) -> None:
    """Move an object back to where it was."""
    target = root / name
    target.parent.mkdir(parents=True, exist_ok=True)
    aside.rename(target)


def expired(root: Path, schema: str, now: datetime) -> tuple[Path, ...]:
    """Return the folders of sweeps that were long ago."""
    return tuple(folder for folder, moved in _sweeps(root, schema) if now - moved > KEPT)


def discard(folders: Iterable[Path]) -> None:
    """Delete the folders of sweeps, with all that is in them."""
    for folder in folders:
        shutil.rmtree(folder)


def _sweeps(root: Path, schema: str) -> Iterator[tuple[Path, datetime]]:
    """Yield the folder and time of each sweep, oldest first; nothing that people put beside them."""
    parent = root / FOLDER / schema
    for folder in sorted(parent.iterdir()) if parent.is_dir() else ():
        try:
            moved = datetime.strptime(folder.name, _TIME).replace(tzinfo=UTC)
        except ValueError:
            continue
        yield folder, moved
