"""Lists of frames that Suite2p is to leave out, beside the tifs that they are of.

Suite2p takes ``bad_frames.npy`` for the frames of all tifs of a run, so that one file is of each session of
a meta-session. Where the tifs beside it are analysed in several runs, its numbers would mean other frames in
each of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from imaging_pipeline import names
from imaging_pipeline.errors import NamingError
from imaging_pipeline.experiments.dataset_types import BAD_FRAMES
from imaging_pipeline.experiments.recognised import Examined
from imaging_pipeline.ingest.contents import FolderContents
from imaging_pipeline.ingest.output_verdict import tifs
from imaging_pipeline.ingest.records import (
    DatasetRecord,
    MetaSessionRecord,
    Request,
    SessionRecord,
)
from imaging_pipeline.ingest.verdicts import FileReport, FileVerdict
from imaging_pipeline.readers.suite2p.bad_frames import FILE_NAME, read_bad_frames

_TIF_SUFFIXES = (".tif", ".tiff")


def find_bad_frames(contents: FolderContents) -> tuple[str, ...]:
    """Return the lists that lie beside tifs, by their paths below the folder."""
    beside_tifs = {
        PurePosixPath(path).parent for path in contents.entries if path.lower().endswith(_TIF_SUFFIXES)
    }
    return tuple(
        path
        for path in contents.entries
        if PurePosixPath(path).name == FILE_NAME and PurePosixPath(path).parent in beside_tifs
    )


def with_bad_frames(
    request: Request,
    contents: FolderContents,
    paths: Sequence[str],
    metasessions: Sequence[MetaSessionRecord],
) -> tuple[list[MetaSessionRecord], list[FileReport]]:
    """Return the meta-sessions with the lists of their frames, and what became of each list.

    Raises
    ------
    NamingError
        The tifs beside a list are not those of one meta-session.
    StillCopyingError, FormatError
        A list is not complete, or no list of frames.
    """
    contents.check_settled(paths)
    owners: dict[str, str] = {}
    reports = []
    for path in paths:
        owner = _owner(request, contents, path, metasessions)
        address = request.below_repository(path)
        if owner is None:
            reason = "no tif that Suite2p analyses lies beside it"
            reports.append(FileReport(address, FileVerdict.UNKNOWN, None, None, reason))
        else:
            owners[owner.metasession_name] = path
            reason = "frames that Suite2p leaves out when it looks for cells"
            reports.append(FileReport(address, FileVerdict.USED, BAD_FRAMES, None, reason))
    listed = []
    for each in metasessions:
        if each.metasession_name in owners:
            datasets = _of_sessions(contents, owners[each.metasession_name], each.sessions)
            each = replace(each, sessions=tuple(datasets))
        listed.append(each)
    return listed, reports


def _owner(
    request: Request, contents: FolderContents, path: str, metasessions: Sequence[MetaSessionRecord]
) -> MetaSessionRecord | None:
    """Return the meta-session whose frames a list names; None where it has none beside it."""
    folder = PurePosixPath(request.below_repository(path)).parent
    folders = {
        each.metasession_name: {PurePosixPath(tif.path).parent for tif in tifs(request, each)}
        for each in metasessions
    }
    beside = [each for each in metasessions if folder in folders[each.metasession_name]]
    if len(beside) > 1 or any(folders[each.metasession_name] != {folder} for each in beside):
        sessions = [session.timeseries_name for each in beside for session in each.sessions]
        raise NamingError(
            "A list of frames for Suite2p lies beside tifs that are not all analysed in one run",
            path=contents.folder / path,
            found=f"tifs of {', '.join(sessions)}",
            allowed="tifs of one run: its numbers count the frames of all of them together",
            remedy="Register the folder as combined if the sessions are one run, or put each recording with"
            " its own list into a folder of its own. Else take the file out of the folder.",
        )
    return beside[0] if beside else None


def _of_sessions(
    contents: FolderContents, path: str, sessions: Sequence[SessionRecord]
) -> Iterator[SessionRecord]:
    file = contents.read(path, _examine)
    for session in sessions:
        name, bundle = session.session_name, session.timeseries_name
        dataset_name = names.dataset_name(name, BAD_FRAMES, bundle)
        dataset = DatasetRecord(dataset_name, BAD_FRAMES, "npy", bundle, (file,))
        yield replace(session, datasets=(*session.datasets, dataset))


def _examine(path: Path, *, pages_taken: int | None = None) -> Examined:
    read_bad_frames(path)
    return Examined()
