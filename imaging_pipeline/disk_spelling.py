"""One folder has one place: typed in any case, or through a link, it is the folder that the disk has."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path

from imaging_pipeline.errors import PathError, Responsible
from imaging_pipeline.paths import RepositoryPath, local_path


def as_on_disk(place: RepositoryPath, repositories: Mapping[str, Path]) -> RepositoryPath:
    """Return a folder as its disk spells it, with links followed; one that is not there as it was typed.

    Raises
    ------
    NotMountedError
        The repository is not to be found on this machine.
    PathError
        The folder leaves the repository, or may not be looked at.
    """
    path = local_path(place, repositories)
    root = repositories[place.repository_name].resolve()
    spelled = root
    try:
        for name in path.resolve().relative_to(root).parts:
            spelled /= _name_there(spelled, name)
    except OSError as error:
        raise PathError(
            "The folder may not be looked at",
            path=path,
            found=error,
            remedy="Give this account the right to look at it.",
            responsible=Responsible.ADMINISTRATOR,
        ) from error
    below = "/".join(spelled.relative_to(root).parts)
    return RepositoryPath(place.repository_name, unicodedata.normalize("NFC", below))


def name_among(typed: str, there: Sequence[str]) -> str:
    """Return the one of some names that was typed in another case; the typed one where it is among them."""
    if typed in there:
        return typed
    return next((name for name in there if name.casefold() == typed.casefold()), typed)


def _name_there(folder: Path, name: str) -> str:
    """Return a name as its folder lists it, which is asked only where the disk does not tell cases apart."""
    path, other_case = folder / name, folder / name.swapcase()
    if other_case == path or not other_case.exists() or not path.exists() or not other_case.samefile(path):
        return name
    return name_among(name, [each.name for each in folder.iterdir()])
