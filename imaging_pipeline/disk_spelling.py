"""The spelling of a folder on its disk: the same however a person typed it, in any case or through a link."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path

from imaging_pipeline.errors import PathError, Responsible
from imaging_pipeline.paths import RepositoryPath, local_path


def as_on_disk(place: RepositoryPath, repositories: Mapping[str, Path]) -> RepositoryPath:
    """Return a folder as its disk spells it, with links followed; one that does not exist, as it was typed.

    Raises
    ------
    NotMountedError
        The repository is not mounted on this machine.
    PathError
        The folder leaves the repository, or may not be listed.
    """
    path = local_path(place, repositories)
    root = repositories[place.repository_name].resolve()
    spelled = root
    try:
        for name in path.resolve().relative_to(root).parts:
            spelled /= _name_on_disk(spelled, name)
    except OSError as error:
        raise PathError(
            "The folder may not be looked at",
            path=path,
            found=error,
            remedy="Give this account the right to look at it.",
            responsible=Responsible.ADMINISTRATOR,
        ) from error
    below = "/".join(spelled.relative_to(root).parts)
    # With composed letters, as in every row, even where the disk's are decomposed.
    return RepositoryPath(place.repository_name, unicodedata.normalize("NFC", below))


def name_among(typed: str, names: Sequence[str]) -> str:
    """Return the name that was typed, perhaps in another case; one that is not there, as it was typed."""
    if typed in names:
        return typed
    return next((name for name in names if name.casefold() == typed.casefold()), typed)


def _name_on_disk(folder: Path, name: str) -> str:
    """Return a name as its folder lists it; it is listed only where the disk ignores case."""
    path, other_case = folder / name, folder / name.swapcase()
    if other_case == path or not other_case.exists() or not path.exists() or not other_case.samefile(path):
        return name
    return name_among(name, [entry.name for entry in folder.iterdir()])
