"""What one output is to the sessions of its folder, by its files and its options."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from imaging_pipeline import names
from imaging_pipeline.experiments.dataset_types import BAD_FRAMES
from imaging_pipeline.experiments.registry import experiment_type
from imaging_pipeline.ingest.output_options import RUN_AGAIN, OptionSets, compared_options, noted
from imaging_pipeline.ingest.records import (
    FileRecord,
    MetaSessionRecord,
    Request,
    SessionRecord,
)
from imaging_pipeline.ingest.verdicts import OutputVerdict
from imaging_pipeline.segmentation.package import Output, SegmentationPackage
from imaging_pipeline.wording import shortened_list

# A timeseries name may hold underscores itself; the 16 hexadecimal digits at the end are the hash.
_NAMED_FOLDER = re.compile(r"(?P<label>combined|split)_(?:.*_)?(?P<name>[0-9a-f]{16})")
# What to do about an output, as it ends a reason.
_FINISH = "let Suite2p finish, or copy it anew, and register the folder again"


@dataclass(frozen=True)
class Judgement:
    """What an output is, and why.

    Attributes
    ----------
    metasession_name
        The meta-session that it was made of; None where that is not known.
    ops_name
        The option set, or what takes its place: a folder name, or the program's own name for its runs.
    reason
        For the report; what to do, if anything, comes after the last semicolon.
    """

    verdict: OutputVerdict
    metasession_name: str | None
    ops_name: str | None
    reason: str


@dataclass(frozen=True)
class OutputFolder:
    """What the names of the folders above an output say; None where they say nothing.

    Attributes
    ----------
    label, metasession_name
        From ``combined_<name>`` or ``split_<timeseries>_<name>``.
    ops_name
        From the folder below that.
    last
        The folder that holds ``suite2p``, or the output itself: in older layouts it is named after
        the option set.
    """

    label: str | None
    metasession_name: str | None
    ops_name: str | None
    last: str


def output_folder(root: str) -> OutputFolder:
    """Return what the path of an output below the folder says."""
    parts = [part for part in root.split("/") if part]
    last = next((part for part in reversed(parts) if part != "suite2p"), "suite2p")
    for position, part in enumerate(parts):
        match = _NAMED_FOLDER.fullmatch(part)
        if match:
            below = [name for name in parts[position + 1 :] if name != "suite2p"]
            return OutputFolder(match["label"], match["name"], below[0] if below else None, last)
    return OutputFolder(None, None, None, last)


def judge(
    request: Request,
    package: SegmentationPackage,
    output: Output,
    root: str,
    metasessions: Sequence[MetaSessionRecord],
    options: OptionSets,
) -> Judgement:
    """Return what an output is.

    Its input files are compared by name with the meta-session's tifs, in order. Its options are
    compared by the hash in the completion marker; without a marker by the options that `options_summary`
    reads, as far as the option set states them. Where the output keeps its sessions apart, these are
    compared as well.

    Parameters
    ----------
    request
        The request for the folder.
    package
        The program that the output is of.
    output, root
        The output and its path below the folder.
    metasessions
        The meta-sessions of the folder.
    options
        The option sets.
    """
    folder = output_folder(root)
    if folder.label is not None and folder.label != request.label:
        reason = f"it belongs to a registration as {folder.label}; register the folder so to import it"
        return Judgement(OutputVerdict.FOREIGN, folder.metasession_name, folder.ops_name, reason)
    owner = _owner(request, root, output.file_list, metasessions)
    if owner is None:
        reason = f"{_no_owner(request, output.file_list, metasessions)}; move it to the folder of its tifs"
        return Judgement(OutputVerdict.FOREIGN, None, folder.ops_name, reason)
    requested = None if package.run_name else options.requested(request, owner.metasession_name)
    own_name = (
        package.run_name
        or noted(output, "ops_name")
        or folder.ops_name
        or _folder_below(request, owner, root)
    )
    ops_name = own_name or requested or folder.last
    advice = experiment_type(request.experiment_type).tif_advice
    if advice and not all(_tifs_by_session(request, owner)):
        reason = f"its frames cannot be compared, because no tifs of its session are registered; {advice}"
        return Judgement(OutputVerdict.INCOMPLETE, owner.metasession_name, ops_name, reason)
    # Before completeness: whether an output of other tifs is finished does not matter.
    difference = _difference(request, output, owner) or _replaced(request, output, owner)
    if difference:
        reason = f"{difference}; {RUN_AGAIN}"
        return Judgement(OutputVerdict.SUPERSEDED, owner.metasession_name, ops_name, reason)
    missing = output.missing()
    if missing:
        reason = f"not finished: {shortened_list(missing)} not there or not whole; {_FINISH}"
        return Judgement(OutputVerdict.INCOMPLETE, owner.metasession_name, ops_name, reason)
    is_equal, compared = compared_options(request, output, requested or own_name, options)
    verdict = OutputVerdict.FINISHED if is_equal else OutputVerdict.SUPERSEDED
    return Judgement(verdict, owner.metasession_name, ops_name, compared)


def tif_names(request: Request, metasession: MetaSessionRecord) -> tuple[str, ...]:
    """Return the names of a meta-session's tifs in the order in which a run takes them."""
    return tuple(file.name for file in tifs(request, metasession))


def tifs(request: Request, metasession: MetaSessionRecord) -> tuple[FileRecord, ...]:
    """Return a meta-session's tifs that a run takes, in the order in which it does."""
    return tuple(file for files in _tifs_by_session(request, metasession) for file in files)


def _tifs_by_session(request: Request, metasession: MetaSessionRecord) -> tuple[tuple[FileRecord, ...], ...]:
    analysed = experiment_type(request.experiment_type).analysed
    return tuple(
        tuple(
            file for dataset in session.datasets if dataset.datasettype == analysed for file in dataset.files
        )
        for session in metasession.sessions
    )


def _contents(request: Request, metasession: MetaSessionRecord) -> list[str]:
    """Return the fingerprints of the files that a run depends on: its tifs, and what is said of them."""
    experiment = experiment_type(request.experiment_type)
    types = tuple(dict.fromkeys((experiment.primary, experiment.analysed)))
    return [
        *(file.fingerprint for session in metasession.sessions for file in _files(session, *types)),
        # Each session has the same list of frames that are left out.
        *(file.fingerprint for session in metasession.sessions[:1] for file in _files(session, BAD_FRAMES)),
    ]


def _files(session: SessionRecord, *datasettypes: str) -> Iterator[FileRecord]:
    for datasettype in datasettypes:
        for dataset in session.datasets:
            if dataset.datasettype == datasettype:
                yield from dataset.files


def _owner(
    request: Request,
    root: str,
    file_list: Sequence[str] | None,
    metasessions: Sequence[MetaSessionRecord],
) -> MetaSessionRecord | None:
    """Return the meta-session of an output, by the names of its folders, else by its input files."""
    named = output_folder(root).metasession_name
    for metasession in metasessions:
        if metasession.metasession_name == named or _is_below(request, metasession, root):
            return metasession
    if file_list is None:
        return metasessions[0] if len(metasessions) == 1 else None
    # Equal names in several sessions do not say which one was analysed.
    if _are_of_several(request, file_list, metasessions):
        return None
    shared = [(len(set(file_list) & set(tif_names(request, each))), each) for each in metasessions]
    most, owner = max(shared, key=lambda pair: pair[0], default=(0, None))
    return owner if most else None


def _no_owner(
    request: Request, file_list: Sequence[str] | None, metasessions: Sequence[MetaSessionRecord]
) -> str:
    """Return why an output belongs to no session."""
    if file_list is None:
        return "it does not say which files it was made of, and the folder has several sessions"
    if _are_of_several(request, file_list, metasessions):
        return "its input files may be those of several sessions"
    return "none of its input files is of a session of this folder"


def _are_of_several(
    request: Request, file_list: Sequence[str], metasessions: Sequence[MetaSessionRecord]
) -> bool:
    """Return True if tifs of several sessions have these names, as exported ones of two files may."""
    return sum(tif_names(request, each) == tuple(file_list) for each in metasessions) > 1


def _is_below(request: Request, metasession: MetaSessionRecord, root: str) -> bool:
    return f"{request.below_repository(root)}/".startswith(f"{metasession.suite2p_folder}/")


def _folder_below(request: Request, metasession: MetaSessionRecord, root: str) -> str | None:
    """Return the first folder below that of the meta-session, which is named after an option set."""
    if not _is_below(request, metasession, root):
        return None
    below = request.below_repository(root).removeprefix(metasession.suite2p_folder).split("/")
    return next((part for part in below if part not in ("", "suite2p")), None)


def _difference(request: Request, output: Output, owner: MetaSessionRecord) -> str:
    """Return how the sessions that an output was made of differ from the meta-session's, or nothing."""
    expected = [tuple(file.name for file in files) for files in _tifs_by_session(request, owner)]
    if output.num_sessions not in (None, len(expected)):
        return f"made of {output.num_sessions} sessions instead of {len(expected)}"
    if output.file_list is None:
        return ""
    difference = _difference_of_files(output.file_list, [name for names in expected for name in names])
    if not difference and output.files_per_session not in (None, tuple(expected)):
        return "made of the same files, but divided into other sessions"
    return difference


def _difference_of_files(made_of: Sequence[str], expected: Sequence[str]) -> str:
    if tuple(made_of) == tuple(expected):
        return ""
    lacking = [name for name in expected if name not in made_of]
    besides = [name for name in made_of if name not in expected]
    differences = []
    if lacking:
        differences.append(f"made without {shortened_list(lacking)}")
    if besides:
        differences.append(f"made also of {shortened_list(besides)}")
    return " and ".join(differences) or "made of the same files in another order, or of one file twice"


def _replaced(request: Request, output: Output, owner: MetaSessionRecord) -> str:
    """Return how the tifs differ from those in the completion marker of the run, or nothing."""
    contents_hash = noted(output, "contents_hash")
    is_same = contents_hash in (None, names.contents_hash(_contents(request, owner)))
    return "" if is_same else "made of files of the same names with other content"
