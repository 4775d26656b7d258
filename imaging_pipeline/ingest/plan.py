"""From a folder's listing to the plan: which sessions, which datasets, and what became of every file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from typing import Any

from imaging_pipeline.choices import among
from imaging_pipeline.errors import (
    FormatError,
    InputError,
    NamingError,
    NothingFoundError,
    PathError,
    UnsafeContentError,
)
from imaging_pipeline.experiments.ignored import ignoring_rule
from imaging_pipeline.experiments.recognised import (
    UNREADABLE,
    ExperimentType,
    Ignored,
    Recognised,
    Unknown,
    Used,
)
from imaging_pipeline.experiments.registry import experiment_type
from imaging_pipeline.ingest.bad_frames import find_bad_frames, with_bad_frames
from imaging_pipeline.ingest.contents import FolderContents
from imaging_pipeline.ingest.followed import check_followed
from imaging_pipeline.ingest.listing import Listing
from imaging_pipeline.ingest.output_options import OptionSets
from imaging_pipeline.ingest.outputs import find_output_files, judge_outputs
from imaging_pipeline.ingest.recorded_file import RecordedFile
from imaging_pipeline.ingest.records import Plan, Request, SessionRecord, StoredFiles
from imaging_pipeline.ingest.session_planning import plan_metasessions, plan_sessions
from imaging_pipeline.ingest.verdicts import FileReport, FileVerdict
from imaging_pipeline.suite2p_runner.equal_options import are_equal_options
from imaging_pipeline.wording import counted

# A file that was written within two minutes may still be growing (docs/folder_rules.md).
SETTLE_S = 120.0
# In characters, of the columns that hold paths below a repository.
MAX_PATH_LENGTH = 1024
# Of these, for what lies in the folder of a run's outputs: the name of the option set and Suite2p's files.
_OUTPUT_LENGTH = 128


def make_plan(
    request: Request,
    listing: Listing,
    stored: StoredFiles,
    option_settings: Mapping[str, Mapping[str, Any]],
    *,
    assigned_options: Mapping[str, str] | None = None,
    zone: tzinfo = UTC,
    settle_s: float = SETTLE_S,
    now: datetime | None = None,
) -> Plan:
    """Return what a folder means.

    Parameters
    ----------
    request
        The folder, and how it is to be registered.
    listing
        What the folder holds now.
    stored
        What the database stores of this folder in sessions of the request's label: unchanged files
        are not read again, and recordings that are gone stay in their sessions.
    option_settings
        Settings (Suite2p 1.x) of every option set, by its name.
    assigned_options
        Option set of stored meta-sessions, by their name: the one of a request that names none.
    zone
        The time zone of the lab, for files whose times have a zone.
    settle_s
        How long ago files must have been written before they count as copied.
    now
        The present, UTC without a zone; by default that of the clock.

    Raises
    ------
    StillCopyingError
        Files were written a moment ago, or a file's end is not there yet.
    NothingFoundError
        The folder holds no recording of the experiment type.
    PathError
        A file of a recording is a link, which is not followed; or a path below the repository is longer than
        `MAX_PATH_LENGTH` characters.
    NamingError
        A name is ambiguous, a piece is missing between others, or two sessions are one recording.
    FormatError
        A file's content is not what its format says.
    InputError
        The experiment type or the option set is not known.
    """
    experiment = experiment_type(request.experiment_type)
    equal_options = _equal_options(request.ops_name, option_settings)
    contents = FolderContents(request, listing, stored, experiment, zone, settle_s, now)
    # First, since parts are recognised instead of the file that holds them.
    contents.open_containers()
    listed = [*contents.entries, *(skip.path for skip in listing.skipped)]
    _check_lengths(map(request.below_repository, listed), MAX_PATH_LENGTH)
    lists = find_bad_frames(contents)
    outputs = find_output_files(contents, without=lists)
    recognised, gone = _recognised(
        experiment, contents, {*lists, *(path for output in outputs for path in output.files)}
    )
    check_followed(experiment, contents.folder, [file.path for file in recognised], listing.skipped)
    sessions, output_folders = _sessions(request, experiment, contents, recognised)
    metasessions, list_reports = with_bad_frames(
        request, contents, lists, plan_metasessions(request, sessions, output_folders)
    )
    _check_lengths((each.suite2p_folder for each in metasessions), MAX_PATH_LENGTH - _OUTPUT_LENGTH)
    judged = judge_outputs(
        request,
        contents,
        outputs,
        metasessions,
        OptionSets(option_settings, assigned_options or {}),
    )
    here = [file for file in recognised if file.path not in gone]
    skipped = [Recognised(skip.path, Unknown(skip.reason)) for skip in listing.skipped]
    files = (*_reports(request, contents, [*here, *skipped], sessions), *list_reports, *judged.files)
    return Plan(
        request=request,
        metasessions=judged.metasessions,
        files=tuple(sorted(files, key=lambda report: report.path)),
        outputs=judged.reports,
        gone=tuple(sorted(request.below_repository(path) for path in gone)),
        equal_options=equal_options,
    )


def _check_lengths(paths: Iterable[str], max_length: int) -> None:
    """Raise `PathError` if a path below the repository is longer than the columns that hold it."""
    longest = max(paths, key=len, default="")
    if len(longest) > max_length:
        raise PathError(
            "A path is longer than the database takes",
            path=longest,
            found=f"{len(longest)} characters below the repository",
            allowed=f"at most {max_length}",
            remedy="shorten the names of the folders above, or move the recording further up.",
        )


def _sessions(
    request: Request, experiment: ExperimentType, contents: FolderContents, recognised: Sequence[Recognised]
) -> tuple[tuple[SessionRecord, ...], Mapping[str, str]]:
    """Return the sessions, and the output folders of those that have one of their own."""
    recorded = [
        RecordedFile(file.path, file.verdict) for file in recognised if isinstance(file.verdict, Used)
    ]
    # Before anything is read: a file that is being copied looks truncated.
    contents.check_settled([file.path for file in recognised if _may_be_arriving(file)])
    folder, paths = contents.folder, [file.path for file in recorded]
    experiment.check_numbering(folder, paths)
    if not any(file.used.datasettype == experiment.primary for file in recorded):
        raise _nothing(experiment, contents, recognised)
    sessions = plan_sessions(request, experiment, contents, recorded)
    if not sessions:
        raise _nothing(experiment, contents, recognised)
    # Without what is no recording by its content, such as a z-stack: it is not a missing piece.
    experiment.check_complete(folder, [path for path in paths if path not in contents.left_out])
    return sessions, experiment.output_folders(paths)


def _reports(
    request: Request,
    contents: FolderContents,
    here: Sequence[Recognised],
    sessions: Sequence[SessionRecord],
) -> Iterator[FileReport]:
    """Yield what became of every file that is no output."""
    names = {session.timeseries_name: session.session_name for session in sessions}
    for file in here:
        report = _file_report(request, _with_left_out(contents, file), names)
        taken = contents.read(file.path).pages_taken if report.verdict is FileVerdict.USED else None
        yield report if taken is None else replace(report, reason=f"{report.reason}, damaged: {_cut(taken)}")


def _cut(num_pages: int) -> str:
    return f"only its first {counted(num_pages, 'page')} of all channels are taken"


def _with_left_out(contents: FolderContents, file: Recognised) -> Recognised:
    """Return a file as ignored where its content says that it is no recording, or unknown where it is odd."""
    reason = contents.left_out.get(file.path)
    return file if reason is None else Recognised(file.path, _left_out(reason))


def _left_out(reason: str) -> Ignored | Unknown:
    return Unknown(reason) if reason.startswith(UNREADABLE) else Ignored(reason)


def _may_be_arriving(file: Recognised) -> bool:
    """Return True if a file that was just written means that a recording is being copied."""
    verdict = file.verdict
    return isinstance(verdict, Used) or (isinstance(verdict, Unknown) and verdict.lacks_recording)


def _equal_options(ops_name: str | None, option_settings: Mapping[str, Mapping[str, Any]]) -> frozenset[str]:
    """Return the names of the option sets that mean the same as the requested one."""
    if ops_name is None:
        return frozenset()
    if ops_name not in option_settings:
        found, allowed = among(ops_name, option_settings)
        raise InputError(
            "There is no Suite2p option set of this name",
            found=found,
            allowed=allowed,
            remedy="Choose one that is there, or ask the administrator to add it.",
        )
    requested = option_settings[ops_name]
    equal = (name for name, settings in option_settings.items() if are_equal_options(settings, requested))
    return frozenset({ops_name, *equal})


def _recognised(
    experiment: ExperimentType, contents: FolderContents, others: set[str]
) -> tuple[list[Recognised], set[str]]:
    """Return what each file is, without what is Suite2p's, and the paths of recordings that are gone."""
    ignored, candidates = [], []
    for path in contents.entries:
        rule = contents.left_out.get(path) or contents.ignored.get(path)
        if rule is not None:
            ignored.append(Recognised(path, _left_out(rule)))
        elif path not in others:
            candidates.append(path)
    missing = [path for path in contents.gone() if ignoring_rule(path) is None]
    # Together with those that are gone: what a file is may depend on the names beside it.
    recognised = experiment.recognise(contents.folder, [*candidates, *missing])
    used = {file.path for file in recognised if isinstance(file.verdict, Used)}
    gone = used.intersection(missing)
    unrelated = set(missing) - gone
    here = [file for file in recognised if file.path not in unrelated]
    _check_certain(contents, here)
    return [*ignored, *here], gone


def _check_certain(contents: FolderContents, recognised: Sequence[Recognised]) -> None:
    """Raise NamingError where a registered file may now belong to any of several recordings."""
    for file in recognised:
        verdict = file.verdict
        if isinstance(verdict, Unknown) and verdict.is_ambiguous and file.path in contents.stored:
            raise NamingError(
                "The name of a registered file no longer says to which recording it belongs",
                path=contents.folder / file.path,
                found=verdict.reason,
                remedy="rename it, or its folder, so that the name says it; it keeps its session.",
            )


def _file_report(request: Request, file: Recognised, session_names: Mapping[str, str]) -> FileReport:
    path, verdict = request.below_repository(file.path), file.verdict
    if isinstance(verdict, Used):
        session_name = session_names[verdict.timeseries_name]
        acquisition = f"acquisition {verdict.acquisition} of " if verdict.acquisition else ""
        reason = f"{acquisition}'{verdict.timeseries_name}'"
        return FileReport(path, FileVerdict.USED, verdict.datasettype, session_name, reason)
    if isinstance(verdict, Ignored):
        return FileReport(path, FileVerdict.IGNORED, None, None, verdict.rule)
    return FileReport(path, FileVerdict.UNKNOWN, None, None, verdict.reason)


def _nothing(
    experiment: ExperimentType, contents: FolderContents, recognised: Sequence[Recognised]
) -> NothingFoundError | FormatError:
    """Return the error for a folder without a recording; where one cannot be read, it is the reason."""
    if contents.problems:
        # What would have opened another file is told first.
        return min(contents.problems, key=lambda problem: not isinstance(problem, UnsafeContentError))
    left_out = [f"{path} ({reason})" for path, reason in contents.left_out.items()]
    unknown = [
        f"{file.path} ({file.verdict.reason})" for file in recognised if isinstance(file.verdict, Unknown)
    ]
    shown = "; ".join([*left_out, *unknown][:3]) or "nothing that a rule knows"
    num_files = len(contents.entries)
    return NothingFoundError(
        f"The folder holds no recording of type {experiment.name}",
        path=contents.folder,
        found=f"{num_files} file{'' if num_files == 1 else 's'}: {shown}",
        remedy="check the folder, the experiment type, and the names of the files.",
    )
