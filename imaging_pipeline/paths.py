r"""From a folder as a person typed it to a repository and a relative path, and back on this machine.

People type ``N:\moser\x``, ``\\server\share\x`` or ``/mnt/moser/x`` for the same folder. Rows hold only the
repository's name and the path below it, with forward slashes and composed letters. The spellings of a
repository are rows as well, so that a client can resolve a folder that it has not mounted.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from imaging_pipeline.errors import NotMountedError, PathError, Responsible

# Windows puts U+202A in front of a path that is copied from the properties of a file.
_INVISIBLE = " \t\r\n\v\f\u00a0\ufeff\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e"
_QUOTES = "\"'`\u2018\u2019\u201c\u201d"
# Microsoft, "Naming files, paths, and namespaces". A device is opened in any folder and with any suffix.
_WINDOWS_DEVICE = re.compile(r"(CON|PRN|AUX|NUL|(COM|LPT)[1-9\u00b9\u00b2\u00b3])(\..*)?", re.IGNORECASE)
_WINDOWS_REFUSES = re.compile(r'[<>"|?*\x00-\x1f]')


@dataclass(frozen=True)
class Root:
    """One spelling of a repository's folder.

    Attributes
    ----------
    repository_name
        The repository that the spelling stands for.
    root
        A drive with or without folders, a share, or an absolute POSIX folder.
    """

    repository_name: str
    root: str


@dataclass(frozen=True)
class RepositoryPath:
    """A file or folder in a repository.

    Attributes
    ----------
    repository_name
        The repository.
    path
        Path below it with forward slashes; empty for the repository itself. It is the same however the
        folder was typed: letters are composed, even where the file system's own are not.
    """

    repository_name: str
    path: str


@dataclass(frozen=True)
class _Absolute:
    """An absolute path in parts: the anchor, which ``..`` cannot leave, and the names below it."""

    anchor: tuple[str, ...]
    names: tuple[str, ...]
    is_windows: bool

    @property
    def key(self) -> tuple[str, ...]:
        """The parts for comparisons: Windows ignores case."""
        parts = (*self.anchor, *self.names)
        return tuple(part.casefold() for part in parts) if self.is_windows else parts


def clean(typed: str) -> str:
    """Remove the blanks, quotes and invisible characters that are copied together with a path."""
    return typed.strip(_INVISIBLE + _QUOTES)


def resolve(typed: str, roots: Sequence[Root]) -> RepositoryPath:
    r"""Find the repository of a folder and the path below it.

    The longest root wins. Case is ignored in paths of drives and shares, but not in POSIX paths. Both kinds
    of slashes may be mixed. A prefix ``\\?\`` is removed, and so are full stops and blanks at the end of a
    name on Windows, which opens the same folder with and without them.

    Raises
    ------
    PathError
        The path is not absolute, has a name that no folder can have, is below no root or below a root of
        two repositories, or leaves its repository by ``..``.
    """
    written = _parse(typed)
    parsed_roots = [(root, _parse_root(root)) for root in roots]
    path = _without_dots(written, typed)
    owners = _longest(path, parsed_roots)
    before = _longest(written, parsed_roots)
    # Otherwise ``..`` could lead from one repository into another.
    if before and (not owners or before[0][1].key != owners[0][1].key):
        raise _leaves(typed)
    if not owners:
        raise PathError(
            "The folder lies in no repository",
            path=clean(typed),
            allowed=_spelled(roots),
            remedy="check the spelling, or ask the administrator to add this root.",
        )
    names = sorted({root.repository_name for root, _ in owners})
    if len(names) > 1:
        raise PathError(
            "The folder's root belongs to two repositories",
            path=clean(typed),
            found=_spelled([root for root, _ in owners]),
            remedy="leave each root to one repository.",
            responsible=Responsible.ADMINISTRATOR,
        )
    below = path.names[len(owners[0][1].names) :]
    return RepositoryPath(names[0], "/".join(below))


def local_path(place: RepositoryPath, repositories: Mapping[str, Path]) -> Path:
    """Return the path of a file or folder on this machine.

    Parameters
    ----------
    place
        Where the file or folder is; it need not exist.
    repositories
        The folder of each repository on this machine.

    Raises
    ------
    NotMountedError
        The repository is not mounted here.
    PathError
        The path leaves it by ``..`` or by a link.
    """
    root = repositories.get(place.repository_name)
    if root is None or not root.is_dir():
        raise NotMountedError(
            f"The repository '{place.repository_name}' is not mounted on this machine",
            path=root,
            allowed=", ".join(sorted(repositories)) or "none is configured",
            remedy="mount it and name its folder under 'repositories' in the configuration.",
        )
    names = place.path.split("/") if place.path else []
    # Also for a path from a row: with ``..`` in it, it would lead out of the repository.
    if any(name in ("", ".", "..") or not _is_possible(name) for name in names):
        raise _leaves(place.path)
    path = root
    for name in names:
        path /= _spelled_there(path, name)
    followed = _followed(path)
    if not followed.is_relative_to(_followed(root)):
        raise _leaves(path, f"it leads to {followed}")
    return path


def relative(path: Path, repository_root: Path) -> str:
    """Return the path below a repository, with forward slashes; empty for the repository itself.

    Raises
    ------
    PathError
        With its links followed, the path is not in the repository.
    """
    followed, root = _followed(path), _followed(repository_root)
    if not followed.is_relative_to(root):
        raise _leaves(path)
    if path.is_relative_to(repository_root) and ".." not in path.parts:
        below: PurePath = path.relative_to(repository_root)
    else:
        below = followed.relative_to(root)
    return "/".join(below.parts)


def _parse(typed: str) -> _Absolute:
    # macOS writes the letters of file names decomposed.
    text = unicodedata.normalize("NFC", clean(typed)).replace("\\", "/")
    text = re.sub(r"^//\?/UNC/", "//", text, flags=re.IGNORECASE)
    text = re.sub(r"^//\?/", "", text)
    names = tuple(name for name in text.split("/") if name not in ("", "."))
    # Windows reads "... " as "..", so such names do not mean the same on every client.
    _refuse([name for name in names if name != ".." and not name.strip(" .")], typed)
    _refuse([name for name in names if not _is_possible(name)], typed)
    if re.match(r"//[^/]", text):
        # Server and share together are what a drive is: ``..`` does not leave them.
        path = _Absolute(("//", *names[:2]), names[2:], is_windows=True)
        is_absolute = len(names) >= 2 and ".." not in names[:2]
    elif re.match(r"[A-Za-z]:(/|$)", text):
        # Not "N:folder", which Windows reads from the current folder of the drive.
        path = _Absolute(names[:1], names[1:], is_windows=True)
        is_absolute = True
    else:
        path = _Absolute(("/",), names, is_windows=False)
        is_absolute = text.startswith("/")
    if not is_absolute:
        raise PathError(
            "This is not the whole path of a folder",
            path=typed,
            allowed=r"N:\folder, \\server\share\folder or /mnt/folder",
            remedy="copy the path from the address bar of the file manager.",
        )
    return _as_windows_opens(path, typed) if path.is_windows else path


def _as_windows_opens(path: _Absolute, typed: str) -> _Absolute:
    if any(":" in name for name in path.names):
        raise PathError(
            "A Windows path has one colon, after the drive", path=typed, remedy="correct the spelling."
        )
    names = tuple(name if name == ".." else name.rstrip(" .") for name in path.names)
    _refuse([name for name in names if _WINDOWS_DEVICE.fullmatch(name)], typed)
    _refuse([name for name in names if _WINDOWS_REFUSES.search(name)], typed)
    return _Absolute(path.anchor, names, is_windows=True)


def _is_possible(name: str) -> bool:
    """Return True if file systems and databases can have the name: no null character, valid Unicode."""
    return "\0" not in name and not any("\ud800" <= character <= "\udfff" for character in name)


def _refuse(names: Sequence[str], typed: str) -> None:
    if names:
        raise PathError(
            "The path has a name that no folder can have",
            path=typed,
            found=repr(names[0]),
            remedy="correct the spelling of this name.",
        )


def _parse_root(root: Root) -> _Absolute:
    try:
        return _without_dots(_parse(root.root), root.root)
    except PathError as error:
        raise PathError(
            f"A root of the repository '{root.repository_name}' is not a whole path",
            found=repr(root.root),
            allowed=error.allowed,
            remedy="Give this root as a whole path.",
            responsible=Responsible.ADMINISTRATOR,
        ) from error


def _without_dots(path: _Absolute, typed: str) -> _Absolute:
    names: list[str] = []
    for name in path.names:
        if name != "..":
            names.append(name)
        elif names:
            names.pop()
        else:
            raise _leaves(typed)
    return _Absolute(path.anchor, tuple(names), path.is_windows)


def _longest(path: _Absolute, roots: Sequence[tuple[Root, _Absolute]]) -> list[tuple[Root, _Absolute]]:
    """Return the longest roots that the path is below."""
    above = [(root, parsed) for root, parsed in roots if path.key[: len(parsed.key)] == parsed.key]
    longest = max((len(parsed.key) for _, parsed in above), default=0)
    return [(root, parsed) for root, parsed in above if len(parsed.key) == longest]


def _spelled_there(folder: Path, name: str) -> str:
    """Return a name with its letters composed or decomposed, as they are in the folder."""
    if name.isascii():
        return name
    try:
        if (folder / name).exists() or not folder.is_dir():
            return name
        names = [path.name for path in folder.iterdir()]
    except OSError as error:
        raise _not_followed(folder / name, error) from error
    composed = unicodedata.normalize("NFC", name)
    return next((other for other in names if unicodedata.normalize("NFC", other) == composed), name)


def _followed(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError) as error:
        raise _not_followed(path, error) from error


def _not_followed(path: Path, error: Exception) -> PathError:
    remedy = "Give a path without links, of folders that this account may look at."
    return PathError("The path cannot be followed to its end", path=path, found=error, remedy=remedy)


def _leaves(path: PurePath | str, found: str | None = None) -> PathError:
    return PathError(
        "The path leaves its repository",
        path=path,
        found=found,
        remedy="give the folder's own path, without '..' and without links to other places.",
    )


def _spelled(roots: Sequence[Root]) -> str:
    return ", ".join(f"{root.root} ({root.repository_name})" for root in roots) or "no root is known"
