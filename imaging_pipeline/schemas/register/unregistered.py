"""Folders of a repository that look like recordings and are not registered."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from imaging_pipeline.errors import Responsible
from imaging_pipeline.ingest.recording_search import RecordingFolder, find_recordings
from imaging_pipeline.paths import Root
from imaging_pipeline.schemas.checked_rows import existing
from imaging_pipeline.schemas.tables import Tables


@dataclass(frozen=True)
class Unregistered:
    """A folder that looks like a recording and is not registered.

    Attributes
    ----------
    recording
        The recording that it looks like.
    spelled
        The folder as a person types it.
    is_requested
        Whether somebody has requested it; nothing was registered so far.
    """

    recording: RecordingFolder
    spelled: str
    is_requested: bool


@dataclass(frozen=True)
class UnregisteredFolders:
    """The unregistered folders of a repository, and those that could not be read."""

    unregistered: tuple[Unregistered, ...]
    unread: tuple[str, ...]


def find_unregistered(
    tables: Tables, repository_name: str, newer_than: date | None = None
) -> UnregisteredFolders:
    """Return the unregistered folders of a whole repository; changes nothing.

    Parameters
    ----------
    tables
        The database.
    repository_name
        The repository; it must be mounted on this machine.
    newer_than
        Only folders with a file that was written on this day or later.

    Raises
    ------
    InputError
        There is no such repository.
    NotMountedError
        It is not mounted here.
    """
    key = {
        "repository_name": existing(
            tables.imaging.Repository,
            "repository_name",
            repository_name,
            responsible=Responsible.EXPERIMENTER,
        )
    }
    share = tables.local_path(repository_name, "")
    search = find_recordings(share)
    imaging = tables.imaging
    requests = imaging.BaseFolder & key
    # A request of which every session was refused has registered nothing.
    successful = imaging.MakeDatasetSessions & "num_sessions_new + num_sessions_known > 0"
    done = {str(folder) for folder in (requests & successful.proj()).to_arrays("folder")}
    done |= {str(folder) for folder in (imaging.MetaSession & key).to_arrays("metasession_folder")}
    requested = {str(folder) for folder in requests.to_arrays("folder")}
    root = _root(repository_name, tables.roots()) or str(share)
    return UnregisteredFolders(
        tuple(
            Unregistered(each, _spelled(root, each.folder), each.folder in requested)
            for each in search.recordings
            if each.folder not in done and (newer_than is None or each.newest.date() >= newer_than)
        ),
        tuple(_spelled(root, path) for path in search.unread),
    )


def _root(repository_name: str, roots: Iterable[Root]) -> str | None:
    """Return a root in the spelling of this kind of machine, or in another one."""
    spelled = sorted(root.root for root in roots if root.repository_name == repository_name)
    here = [root for root in spelled if root.startswith("/") != (os.name == "nt")]
    return next(iter([*here, *spelled]), None)


def _spelled(root: str, path: str) -> str:
    separator = "/" if root.startswith("/") else "\\"
    return separator.join([root.rstrip("/\\"), *path.split("/")]) if path else root
