"""Sessions and their datasets, from the recorded files of a folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from itertools import groupby, pairwise

from imaging_pipeline import names, progress
from imaging_pipeline.errors import NamingError, NothingFoundError
from imaging_pipeline.experiments.dataset_types import TIFS
from imaging_pipeline.experiments.recognised import Examined, ExperimentType
from imaging_pipeline.ingest.contents import FolderContents
from imaging_pipeline.ingest.damaged_tifs import Examine, check_left_out, check_what_follows
from imaging_pipeline.ingest.frame_order import check_no_file_twice, lost_frames
from imaging_pipeline.ingest.recorded_file import RecordedFile
from imaging_pipeline.ingest.records import (
    DatasetRecord,
    FileRecord,
    MetaSessionRecord,
    Request,
    SessionRecord,
    moment_of,
)
from imaging_pipeline.readers.tiff.stack import check_same_layout

# Disks, and shares even more, take long to answer, but answer many requests at once.
_EXPECTED_FILES = 16


def plan_sessions(
    request: Request, experiment: ExperimentType, contents: FolderContents, files: Sequence[RecordedFile]
) -> tuple[SessionRecord, ...]:
    """Make one session of each timeseries name, ordered by their start.

    A name under which everything is left out makes no session; its files go to ``contents.left_out``.

    Raises
    ------
    NamingError
        Two timeseries names started at one moment, or two tifs are the same: one is a copy under another
        name.
    StillCopyingError, FormatError
        A file is not complete, not of its format, or not in its place among the others.
    """
    by_name = sorted(files, key=lambda file: (file.used.timeseries_name, file.order))
    groups = [
        (name, _without_damaged(experiment, contents, list(group)))
        for name, group in groupby(by_name, key=lambda file: file.used.timeseries_name)
    ]
    sessions = [
        _session(request, experiment, contents, name, group)
        for name, group in groups
        if group and not _is_left_out(experiment, contents, group)
    ]
    sessions.sort(key=lambda session: moment_of(session.start))
    # The name of a session is a hash of its start: two of one start would be one and the same.
    for first, second in pairwise(sessions):
        if moment_of(first.start) == moment_of(second.start):
            raise NamingError(
                "Two timeseries names started at the same moment",
                path=contents.folder,
                found=f"'{first.timeseries_name}' and '{second.timeseries_name}', both at {first.start}",
                remedy="one is a copy of the other: move it away, or give all its files one name.",
            )
    return tuple(sessions)


def plan_metasessions(
    request: Request, sessions: Sequence[SessionRecord], output_folders: Mapping[str, str]
) -> tuple[MetaSessionRecord, ...]:
    """Return one meta-session of all sessions where they are combined, else one of each.

    Parameters
    ----------
    request
        The request for the folder.
    sessions
        What was recorded.
    output_folders
        Timeseries name → folder of the Suite2p output, for sessions that have a folder of their own.
    """
    if request.combined:
        name = names.combined_metasession_name(
            request.animal_id, request.datasource_id, request.repository_name, request.folder, request.label
        )
        folder = request.below_repository(f"combined_{name}")
        return (MetaSessionRecord(name, request, tuple(sessions), (), folder),)
    return tuple(
        MetaSessionRecord(
            session.session_name,
            request,
            (session,),
            (),
            request.below_repository(
                output_folders.get(
                    session.timeseries_name, f"split_{session.timeseries_name}_{session.session_name}"
                )
            ),
        )
        for session in sessions
    )


def _session(
    request: Request,
    experiment: ExperimentType,
    contents: FolderContents,
    timeseries_name: str,
    files: list[RecordedFile],
) -> SessionRecord:
    recording = _primary(experiment, files)
    _check_alike(experiment, contents, recording)
    lost = lost_frames(
        contents, recording, lambda file: contents.examine(file.path, _examine(experiment, file)).frames
    )
    if not experiment.may_repeat_tifs:
        for datasettype in TIFS:
            check_no_file_twice(contents, [file for file in files if file.used.datasettype == datasettype])
    # The first acquisition says when the session started.
    first = min(recording, key=lambda file: file.order)
    start = _start(experiment, contents, first)
    name = names.session_name(request.animal_id, request.datasource_id, start, request.label)
    datasets = _datasets(contents, name, timeseries_name, files)
    return SessionRecord(name, timeseries_name, start, tuple(datasets), lost)


def _primary(experiment: ExperimentType, files: Sequence[RecordedFile]) -> list[RecordedFile]:
    return [file for file in files if file.used.datasettype == experiment.primary]


def _without_damaged(
    experiment: ExperimentType, contents: FolderContents, files: list[RecordedFile]
) -> list[RecordedFile]:
    """Read what is new, and return the files without damaged ones that the request wants to be left out.

    None is returned where nothing is left of what was recorded.
    """
    _read_new(experiment, contents, files)

    def examined(file: RecordedFile) -> Examined:
        return contents.examine(file.path, _examine(experiment, file))

    def is_damaged(file: RecordedFile) -> bool:
        return file.path in damaged or contents.read(file.path).pages_taken is not None

    def may_follow(file: RecordedFile) -> bool:
        # Of a damaged one that is left out nothing has to be placed. One that is gone cannot be asked.
        return file.path in damaged or (file.path in contents.entries and examined(file).may_follow_a_gap)

    new = [file for file in files if contents.is_new(file.path)]
    damaged = {file.path: damage for file in new if (damage := examined(file).damage)}
    if new:
        # Files that are registered followed one another when they were new.
        check_what_follows(contents.folder, files, is_damaged, may_follow)
    kept = [file for file in files if file.path not in damaged]
    if damaged and not _primary(experiment, kept):
        damaged |= dict.fromkeys((file.path for file in kept), "its recording is damaged, and left out")
        kept = []
    check_left_out(experiment, contents.folder, kept, damaged)
    contents.left_out |= damaged
    return kept


def _is_left_out(experiment: ExperimentType, contents: FolderContents, files: Sequence[RecordedFile]) -> bool:
    """Return True if all that was recorded under a name is new, and no session."""
    # A registered file was a session when it was new, and stays one.
    reasons = {
        contents.examine(file.path, _examine(experiment, file)).left_out if contents.is_new(file.path) else ""
        for file in _primary(experiment, files)
    }
    if not reasons or "" in reasons:
        return False
    contents.left_out |= dict.fromkeys((file.path for file in files), ", and ".join(sorted(reasons)))
    return True


def _read_new(experiment: ExperimentType, contents: FolderContents, files: Sequence[RecordedFile]) -> None:
    """Read new files one after the other, while the system fetches what will be read of the next ones."""
    new = [file for file in files if contents.is_new(file.path)]
    for number, file in enumerate(new):
        progress.report("reading new files", number, len(new))
        if number % _EXPECTED_FILES == 0:
            for upcoming in new[number : number + _EXPECTED_FILES]:
                contents.expect(upcoming.path)
        contents.read(file.path, _examine(experiment, file))


def _examine(experiment: ExperimentType, file: RecordedFile) -> Examine:
    return partial(experiment.examine, used=file.used)


def _check_alike(
    experiment: ExperimentType, contents: FolderContents, recording: Sequence[RecordedFile]
) -> None:
    """Compare new files of a session with each other, and with one that is registered."""
    here = [file for file in recording if file.path in contents.entries]
    new = [file for file in here if contents.is_new(file.path)]
    # One is enough: registered files were compared with each other when they were new.
    registered = [file for file in here if not contents.is_new(file.path)][:1]
    if new:
        layouts = {
            contents.folder / file.path: contents.examine(file.path, _examine(experiment, file)).layout
            for file in (*registered, *new)
        }
        check_same_layout(layouts, contents.folder / registered[0].path if registered else None)


def _start(experiment: ExperimentType, contents: FolderContents, first: RecordedFile) -> datetime:
    # The stored start is kept, because the name of the session depends on it.
    start = contents.read(first.path).session_start
    if start is None and first.path in contents.entries:
        start = contents.examine(first.path, _examine(experiment, first)).start
    if start is None:
        raise NothingFoundError(
            "The file that says when a session started is gone",
            path=contents.folder / first.path,
            remedy="copy it back into the folder.",
        )
    return start


def _datasets(
    contents: FolderContents,
    session_name: str,
    bundle: str,
    files: Sequence[RecordedFile],
) -> Iterator[DatasetRecord]:
    by_type = sorted(files, key=lambda file: (file.used.datasettype, file.order))
    for datasettype, group in groupby(by_type, key=lambda file: file.used.datasettype):
        members = list(group)
        yield DatasetRecord(
            names.dataset_name(session_name, datasettype, bundle),
            datasettype,
            members[0].used.filetype,
            bundle,
            tuple(_file(contents, file) for file in members),
        )


def _file(contents: FolderContents, recorded: RecordedFile) -> FileRecord:
    file, acquisition = contents.read(recorded.path), recorded.used.acquisition
    # Copied only where it must be: a folder may have many thousands of files that have not changed.
    return file if file.acquisition == acquisition else replace(file, acquisition=acquisition)
