"""From recognised files to sessions and their datasets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import groupby, pairwise

from imaging_pipeline import names, progress
from imaging_pipeline.errors import NamingError, NothingFoundError
from imaging_pipeline.experiments.recognised import ExperimentType, Used
from imaging_pipeline.ingest.contents import Examine, FolderContents
from imaging_pipeline.ingest.planned import (
    PlannedDataset,
    PlannedFile,
    PlannedMetaSession,
    PlannedSession,
    Request,
)
from imaging_pipeline.readers.tiff.stack import check_same_layout

# A disk, and a share even more, answers slowly but much at once.
_EXPECTED_FILES = 16


@dataclass(frozen=True)
class RecordedFile:
    """A file, by its path below the folder, that belongs to a dataset."""

    path: str
    used: Used

    @property
    def order(self) -> tuple[int, int, str]:
        """Where it stands in its dataset."""
        return self.used.acquisition, self.used.file_number, self.path


def plan_sessions(
    request: Request, experiment: ExperimentType, contents: FolderContents, files: Sequence[RecordedFile]
) -> tuple[PlannedSession, ...]:
    """Make one session of each timeseries name, ordered by their start.

    What was recorded under a name that is no session is named in ``contents.left_out``.

    Raises
    ------
    NamingError
        Two timeseries names started at one moment: one is a copy under another name.
    StillCopyingError, FormatError
        As the files' contents show.
    """
    by_name = sorted(files, key=lambda file: (file.used.timeseries_name, file.order))
    groups = [
        (name, list(group)) for name, group in groupby(by_name, key=lambda file: file.used.timeseries_name)
    ]
    sessions = [
        _session(request, experiment, contents, name, group)
        for name, group in groups
        if not _is_left_out(experiment, contents, group)
    ]
    sessions.sort(key=lambda session: session.start)
    for first, second in pairwise(sessions):
        if first.start == second.start:
            raise NamingError(
                "Two timeseries names started at the same moment",
                path=contents.folder,
                found=f"'{first.timeseries_name}' and '{second.timeseries_name}', both at {first.start}",
                remedy="one is a copy of the other: move it away, or give all its files one name.",
            )
    return tuple(sessions)


def plan_metasessions(
    request: Request, sessions: Sequence[PlannedSession], output_folders: Mapping[str, str]
) -> tuple[PlannedMetaSession, ...]:
    """Put all sessions into one meta-session where they are combined, else each into its own.

    Parameters
    ----------
    request
        Whose folder it is.
    sessions
        What was recorded.
    output_folders
        Where Suite2p output lies of sessions that have a folder of their own, by timeseries name.
    """
    if request.combined:
        name = names.combined_metasession_name(
            request.animal_id, request.datasource_id, request.repository_name, request.folder, request.label
        )
        folder = request.place_of(f"combined_{name}")
        return (PlannedMetaSession(name, tuple(sessions), (), folder),)
    return tuple(
        PlannedMetaSession(
            session.session_name,
            (session,),
            (),
            request.place_of(
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
) -> PlannedSession:
    recording = _primary(experiment, files)
    _check_alike(experiment, contents, recording)
    first = min(recording, key=lambda file: file.order)
    start = _start(experiment, contents, first)
    name = names.session_name(request.animal_id, request.datasource_id, start, request.label)
    datasets = _datasets(request, contents, name, timeseries_name, files)
    return PlannedSession(name, timeseries_name, start, tuple(datasets))


def _primary(experiment: ExperimentType, files: Sequence[RecordedFile]) -> list[RecordedFile]:
    return [file for file in files if file.used.datasettype == experiment.primary]


def _is_left_out(experiment: ExperimentType, contents: FolderContents, files: Sequence[RecordedFile]) -> bool:
    """Return True if all that was recorded under a name is new, and no session."""
    _read_new(experiment, contents, files)
    reasons = {
        contents.examine(file.path, _examine(experiment, file)).left_out if contents.is_new(file.path) else ""
        for file in _primary(experiment, files)
    }
    if not reasons or "" in reasons:
        return False
    contents.left_out |= dict.fromkeys((file.path for file in files), ", and ".join(sorted(reasons)))
    return True


def _read_new(experiment: ExperimentType, contents: FolderContents, files: Sequence[RecordedFile]) -> None:
    """Read one file after the other, while the system fetches what the next ones will be asked for."""
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
    """Hold new files of a session against each other, and against one of those that are registered."""
    here = [file for file in recording if file.path in contents.entries]
    new = [file for file in here if contents.is_new(file.path)]
    known = [file for file in here if not contents.is_new(file.path)][:1]
    if new:
        layouts = {
            contents.folder / file.path: contents.examine(file.path, _examine(experiment, file)).layout
            for file in (*known, *new)
        }
        check_same_layout(layouts, contents.folder / known[0].path if known else None)


def _start(experiment: ExperimentType, contents: FolderContents, first: RecordedFile) -> datetime:
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
    request: Request,
    contents: FolderContents,
    session_name: str,
    bundle: str,
    files: Sequence[RecordedFile],
) -> Iterator[PlannedDataset]:
    by_type = sorted(files, key=lambda file: (file.used.datasettype, file.order))
    for datasettype, group in groupby(by_type, key=lambda file: file.used.datasettype):
        members = list(group)
        yield PlannedDataset(
            names.dataset_name(session_name, datasettype, bundle),
            datasettype,
            members[0].used.filetype,
            bundle,
            tuple(planned_file(request, contents, file.path, file.used.acquisition) for file in members),
        )


def planned_file(request: Request, contents: FolderContents, path: str, acquisition: int = 0) -> PlannedFile:
    """Return a file of the folder as a dataset holds it."""
    content = contents.read(path)
    return PlannedFile(
        request.place_of(path.removesuffix(f"/{content.part}") if content.part else path),
        content.size_bytes,
        content.modified,
        content.fingerprint,
        acquisition,
        content.part,
        content.parts,
    )
