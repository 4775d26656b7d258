"""The outputs of segmentation programs: the finished become datasets, of the others the reason is told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from imaging_pipeline import names
from imaging_pipeline.errors import FormatError, OutputError, UnsafeContentError
from imaging_pipeline.ingest.contents import FolderContents
from imaging_pipeline.ingest.listed import listed
from imaging_pipeline.ingest.output_options import RUN_AGAIN, OptionSets
from imaging_pipeline.ingest.output_verdict import Judgement, judge, output_folder, tifs
from imaging_pipeline.ingest.records import (
    FileReport,
    FileVerdict,
    OutputReport,
    OutputVerdict,
    PlannedDataset,
    PlannedMetaSession,
    Request,
)
from imaging_pipeline.ingest.session_planning import planned_file
from imaging_pipeline.segmentation.package import Output, OutputPlane, SegmentationPackage
from imaging_pipeline.segmentation.registry import SEGMENTATION_PACKAGES


@dataclass(frozen=True)
class OutputFiles:
    """The files of an output, by their paths below the folder.

    Attributes
    ----------
    package
        The program that it is of.
    place
        Where it lies, a path below the folder.
    """

    package: SegmentationPackage
    place: str
    files: tuple[str, ...]


@dataclass(frozen=True)
class JudgedOutputs:
    """What became of the outputs.

    Attributes
    ----------
    metasessions
        The meta-sessions, with the datasets of their finished outputs.
    files
        A word on every file of the outputs.
    reports
        A word on every output.
    """

    metasessions: tuple[PlannedMetaSession, ...]
    files: tuple[FileReport, ...]
    reports: tuple[OutputReport, ...]


@dataclass(frozen=True)
class _Found:
    at: OutputFiles
    output: Output | None
    judgement: Judgement


def find_output_files(contents: FolderContents) -> tuple[OutputFiles, ...]:
    """Find the outputs in a folder; those that a rule leaves out are not among them."""
    candidates = [path for path in contents.entries if path not in contents.ignored]
    found: list[OutputFiles] = []
    for package in SEGMENTATION_PACKAGES:
        places = package.find(contents.folder, candidates)
        found += [OutputFiles(package, place, tuple(files)) for place, files in sorted(places.items())]
        taken = {path for files in places.values() for path in files}
        candidates = [path for path in candidates if path not in taken]
    return tuple(found)


def judge_outputs(
    request: Request,
    contents: FolderContents,
    outputs: Sequence[OutputFiles],
    metasessions: Sequence[PlannedMetaSession],
    options: OptionSets,
) -> JudgedOutputs:
    """Say of every output what it is, and make datasets of the finished ones.

    Raises
    ------
    StillCopyingError
        Files of an output that is not finished, or that the pipeline did not make, were written a
        moment ago: a file that is being copied may have its full size already.
    """
    found = _one_each(
        request, [_judged(request, contents, each, metasessions, options) for each in outputs], options
    )
    datasets: dict[str, list[PlannedDataset]] = {each.metasession_name: [] for each in metasessions}
    bundles: dict[str, str] = {}
    for each in found:
        for dataset in _datasets(request, contents, each):
            datasets[str(each.judgement.metasession_name)].append(dataset)
            bundles.update((file.path, dataset.bundle) for file in dataset.files)
    return JudgedOutputs(
        tuple(replace(each, datasets=tuple(datasets[each.metasession_name])) for each in metasessions),
        tuple(
            _file_report(request.place_of(path), each, bundles) for each in found for path in each.at.files
        ),
        tuple(
            OutputReport(
                request.place_of(each.at.place).rstrip("/"),
                each.judgement.verdict,
                each.judgement.metasession_name,
                each.judgement.ops_name,
                each.judgement.reason,
                each.at.package.datasettype,
            )
            for each in found
        ),
    )


def _judged(
    request: Request,
    contents: FolderContents,
    at: OutputFiles,
    metasessions: Sequence[PlannedMetaSession],
    options: OptionSets,
) -> _Found:
    output = None
    try:
        output = at.package.read(contents.folder / at.place, [contents.folder / path for path in at.files])
        judgement = judge(request, at.package, output, at.place, metasessions, options)
    except (OutputError, FormatError) as error:
        is_unsafe = isinstance(error, UnsafeContentError)
        verdict = OutputVerdict.FOREIGN if is_unsafe else OutputVerdict.INCOMPLETE
        folder = output_folder(at.place)
        judgement = Judgement(verdict, folder.metasession_name, folder.ops_name, str(error))
    if judgement.verdict is OutputVerdict.INCOMPLETE:
        contents.check_settled(at.files)
    elif judgement.verdict is OutputVerdict.FINISHED and output is not None and output.marker is None:
        calculated = _calculated(contents, output, at.files)
        contents.check_settled(calculated)
        later = _written_later(request, contents, calculated, judgement, metasessions)
        if later:
            reason = f"made before {listed(later)} was written; {RUN_AGAIN}"
            judgement = replace(judgement, verdict=OutputVerdict.SUPERSEDED, reason=reason)
    return _Found(at, output, judgement)


def _calculated(contents: FolderContents, output: Output, files: Sequence[str]) -> list[str]:
    """Return the files of an output that the program writes once, and no curation afterwards."""
    return [
        path
        for plane in output.planes
        for path in _plane_files(contents, plane, files)
        if contents.folder / path != plane.labels_path or not plane.has_labels_apart
    ]


def _written_later(
    request: Request,
    contents: FolderContents,
    calculated: Sequence[str],
    judgement: Judgement,
    metasessions: Sequence[PlannedMetaSession],
) -> list[str]:
    """Return the tifs that were written after an output of which no note tells what they held then.

    A time may be that of a copy. So it counts for tifs that are registered, and only where the tif's
    content is another now or the output is not registered: an output that is found in a new folder is
    believed, and so is one that was registered with these very tifs.
    """
    registered = {request.place_of(path): content for path, content in contents.known.items()}
    outputs = {content.fingerprint for content in registered.values()}
    is_registered = all(contents.read(path).fingerprint in outputs for path in calculated)
    made = max((contents.entries[path].modified for path in calculated), default=datetime.max)
    return [
        tif.name
        for metasession in metasessions
        if metasession.metasession_name == judgement.metasession_name
        for tif in tifs(request, metasession)
        if tif.path in registered and made < tif.modified
        if not is_registered or registered[tif.path].fingerprint != tif.fingerprint
    ]


def _one_each(request: Request, found: Sequence[_Found], options: OptionSets) -> list[_Found]:
    """Keep one finished output a meta-session and option set; one a meta-session where a set is wanted."""
    kept: dict[tuple[str, str, str | None], str] = {}

    def preference(each: _Found) -> tuple[bool, bool, str]:
        name = str(each.judgement.metasession_name)
        is_wanted = each.judgement.ops_name == options.wanted(request, name)
        return not is_wanted, output_folder(each.at.place).metasession_name != name, each.at.place

    result = []
    for each in sorted(found, key=preference):
        judgement, package = each.judgement, each.at.package
        if judgement.verdict is OutputVerdict.FINISHED:
            name = str(judgement.metasession_name)
            wanted = package.run_name or options.wanted(request, name) or judgement.ops_name
            place = kept.setdefault((name, package.datasettype, wanted), each.at.place)
            if place != each.at.place:
                reason = f"the equal output in '{place}' is used"
                each = replace(
                    each, judgement=replace(judgement, verdict=OutputVerdict.SUPERSEDED, reason=reason)
                )
        result.append(each)
    return sorted(result, key=lambda each: each.at.place)


def _datasets(request: Request, contents: FolderContents, found: _Found) -> Iterator[PlannedDataset]:
    judgement, package = found.judgement, found.at.package
    if found.output is None or judgement.verdict is not OutputVerdict.FINISHED:
        return
    for plane in found.output.planes:
        bundle = f"{judgement.ops_name}/{plane.label}"
        paths = _plane_files(contents, plane, found.at.files)
        labels = [path for path in paths if contents.folder / path == plane.labels_path]
        labelled = plane.labelled() if any(contents.is_new(path) for path in labels) else None
        yield PlannedDataset(
            names.dataset_name(str(judgement.metasession_name), package.datasettype, bundle),
            package.datasettype,
            package.filetype,
            bundle,
            tuple(planned_file(request, contents, path) for path in paths),
            None if labelled is None else labelled.cell_ids,
            "" if labelled is None else labelled.measured_hash,
        )


def _plane_files(contents: FolderContents, plane: OutputPlane, files: Sequence[str]) -> list[str]:
    return [path for path in files if plane.is_imported(contents.folder / path)]


def _file_report(path: str, found: _Found, bundles: dict[str, str]) -> FileReport:
    package, judgement = found.at.package, found.judgement
    if path in bundles:
        reason = f"{package.program} output {bundles[path]}: {judgement.reason}"
        return FileReport(path, FileVerdict.USED, package.datasettype, None, reason)
    if judgement.verdict is OutputVerdict.FINISHED:
        reason = f"of a finished {package.program} output, and not needed for its import"
    else:
        reason = f"of a {package.program} output that is {judgement.verdict}: {judgement.reason}"
    return FileReport(path, FileVerdict.IGNORED, None, None, reason)
