"""Folders of a share that look like recordings, registered or not."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath

from imaging_pipeline import progress
from imaging_pipeline.errors import NamingError, PipelineError
from imaging_pipeline.experiments.ignored import ignoring_rule
from imaging_pipeline.experiments.recognised import ExperimentType, Recognised, Unknown, Used
from imaging_pipeline.experiments.registry import EXPERIMENT_TYPES
from imaging_pipeline.ingest.listing import MAX_LEVELS, is_text, leads_elsewhere

# Most of the time goes to waiting for the share.
_LISTERS = 8


@dataclass(frozen=True)
class RecordingFolder:
    """A folder that looks like a recording.

    Attributes
    ----------
    folder
        Path below the share with forward slashes; empty for the share itself.
    experiment_type
        The type that uses most of its files.
    num_timeseries, num_files
        Number of timeseries names, and of files of the primary dataset type.
    newest
        When a file of the folder was last written, in the time zone of this machine.
    problem
        Why it could not be registered as it is; empty where nothing is wrong as far as the names show.
    """

    folder: str
    experiment_type: str
    num_timeseries: int
    num_files: int
    newest: datetime
    problem: str = ""


@dataclass(frozen=True)
class RecordingSearch:
    """The folders of a share that look like recordings, and those that could not be read."""

    recordings: tuple[RecordingFolder, ...]
    unread: tuple[str, ...]


@dataclass(frozen=True)
class _Folder:
    """A folder of the share.

    Attributes
    ----------
    written
        File name → when it was last written, in seconds since 1970.
    subfolders
        Paths below the share.
    """

    written: Mapping[str, float]
    subfolders: tuple[str, ...]


def find_recordings(share: Path) -> RecordingSearch:
    """Return the folders of a whole share that look like recordings.

    Names are read, and of files only those that hold several recordings. Links are not followed. A
    subfolder whose files belong to the recording above it is not listed itself.
    """
    folders, unread = _listed(share)
    recordings, claimed = [], set[str]()
    # Sorted, so that a folder comes before its subfolders.
    for path in sorted(folders):
        if path in claimed:
            continue
        recording = _recognised(share, path, folders[path])
        if recording is not None:
            recordings.append(recording)
            claimed |= _claimed(share, path, recording.experiment_type, folders)
    return RecordingSearch(tuple(recordings), tuple(sorted(unread)))


def _listed(share: Path) -> tuple[dict[str, _Folder], list[str]]:
    """Return all folders by path, and those that could not be read; several are listed at a time.

    Folders more than `MAX_LEVELS` levels below the share count as those that could not be read.
    """
    folders: dict[str, _Folder] = {}
    unread: list[str] = []
    level = [""]
    with ThreadPoolExecutor(_LISTERS, thread_name_prefix="lister") as pool:
        for _ in range(MAX_LEVELS + 1):
            listed = pool.map(lambda path: _list(share, path), level)
            below: list[str] = []
            for path, folder in zip(level, listed, strict=True):
                if folder is None:
                    unread.append(path)
                    continue
                folders[path] = folder
                below += folder.subfolders
                progress.report("listing folders", len(folders))
            level = below
    return folders, unread + level


def _list(share: Path, path: str) -> _Folder | None:
    written: dict[str, float] = {}
    subfolders = []
    try:
        with os.scandir(share / path) as entries:
            for entry in entries:
                below = _join(path, entry.name)
                if not is_text(entry.name) or leads_elsewhere(entry) or ignoring_rule(below) is not None:
                    continue
                if entry.is_dir(follow_symlinks=False):
                    subfolders.append(below)
                else:
                    written[entry.name] = entry.stat(follow_symlinks=False).st_mtime
    # One folder that may not be read does not end the search of the share.
    except OSError:
        return None
    return _Folder(written, tuple(subfolders))


def _recognised(share: Path, path: str, folder: _Folder) -> RecordingFolder | None:
    """Return what the files that lie in the folder itself look like, or None."""
    counted = [
        _used_files(experiment, share, path, folder) for experiment in EXPERIMENT_TYPES if folder.written
    ]
    _, recording = max(counted, key=lambda each: each[0], default=(0, None))
    return recording


def _used_files(
    experiment: ExperimentType, share: Path, path: str, folder: _Folder
) -> tuple[int, RecordingFolder | None]:
    """Return how many files an experiment type would use, and the recording that they make."""
    newest = datetime.fromtimestamp(max(folder.written.values()))
    names = list(folder.written)
    parts, unreadable = _parts(experiment, share / path, names)
    if unreadable:
        # It counts as one file, so that any type that can use more of them is preferred.
        return 1, RecordingFolder(path, experiment.name, 0, 0, newest, unreadable)
    try:
        recognised = experiment.recognise(share / path, [*names, *parts])
    except NamingError as error:
        return 1, RecordingFolder(path, experiment.name, 0, 0, newest, _problem(error, error.found))
    used = [each.verdict for each in recognised if isinstance(each.verdict, Used)]
    primary = [each for each in used if each.datasettype == experiment.primary]
    if not primary:
        return 0, None
    timeseries = {each.timeseries_name for each in primary}
    return len(used), RecordingFolder(path, experiment.name, len(timeseries), len(primary), newest)


def _parts(experiment: ExperimentType, folder: Path, names: Sequence[str]) -> tuple[list[str], str]:
    """Return the recordings in files that hold several, and why one of these files cannot be read, if any."""
    recordings, unreadable = [], ""
    for name in names:
        if not experiment.container or not name.lower().endswith(experiment.container):
            continue
        try:
            parts = experiment.parts(folder / name)
        except PipelineError as error:
            unreadable = unreadable or _problem(error, name)
        except OSError as error:
            unreadable = unreadable or f"{error.strerror or error} ({name})"
        else:
            found = [part for part, examined in parts.items() if not examined.reason]
            problems = [examined.reason for examined in parts.values() if examined.problem is not None]
            # Where another measurement can be registered, the folder can.
            unreadable = unreadable or ("" if found or not problems else f"{problems[0]} ({name})")
            recordings += [f"{name}/{part}" for part in found]
    return recordings, unreadable


def _problem(error: PipelineError, detail: object) -> str:
    return error.what if detail is None else f"{error.what} ({detail})"


def _claimed(share: Path, path: str, type_name: str, folders: Mapping[str, _Folder]) -> set[str]:
    """Return the subfolders with files that belong or may belong to the recording above them."""
    below = list(_below(path, folders))
    if not below:
        return set()
    (experiment,) = (each for each in EXPERIMENT_TYPES if each.name == type_name)
    start = len(path) + 1 if path else 0
    names = [_join(folder, name)[start:] for folder in (path, *below) for name in folders[folder].written]
    parts, _ = _parts(experiment, share / path, [name for name in names if "/" not in name])
    try:
        recognised = experiment.recognise(share / path, [*names, *parts])
    except NamingError:
        return set()
    parents = {
        str(PurePosixPath(_join(path, each.path)).parent) for each in recognised if _is_of_recording(each)
    }
    return parents & set(below)


def _is_of_recording(file: Recognised) -> bool:
    """Return True if a file belongs to a recording, even where its name does not say to which."""
    verdict = file.verdict
    if isinstance(verdict, Unknown):
        return verdict.is_ambiguous or verdict.lacks_recording
    return isinstance(verdict, Used)


def _below(path: str, folders: Mapping[str, _Folder]) -> Iterator[str]:
    for subfolder in folders[path].subfolders:
        if subfolder in folders:
            yield subfolder
            yield from _below(subfolder, folders)


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
