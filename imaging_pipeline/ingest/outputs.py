"""The outputs of segmentation programs: finished ones become datasets, for others there is a reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from imaging_pipeline import names
from imaging_pipeline.errors import FormatError, OutputError, UnsafeContentError
from imaging_pipeline.ingest.contents import FolderContents
from imaging_pipeline.ingest.equal_outputs import (
    JudgedOutput,
    OutputFiles,
    calculated_files,
    one_each,
    plane_files,
)
from imaging_pipeline.ingest.output_options import RUN_AGAIN, OptionSets
from imaging_pipeline.ingest.output_verdict import Judgement, judge, output_folder, tifs
from imaging_pipeline.ingest.records import DatasetRecord, MetaSessionRecord, Request
from imaging_pipeline.ingest.verdicts import FileReport, FileVerdict, OutputReport, OutputVerdict
from imaging_pipeline.segmentation.package import Labelled, Output
from imaging_pipeline.segmentation.registry import SEGMENTATION_PACKAGES
from imaging_pipeline.wording import counted, shortened_list


@dataclass(frozen=True)
class JudgedOutputs:
    """What became of the outputs.

    Attributes
    ----------
    metasessions
        The meta-sessions, with the datasets of their finished outputs.
    files
        What became of every file of the outputs.
    reports
        What every output is.
    """

    metasessions: tuple[MetaSessionRecord, ...]
    files: tuple[FileReport, ...]
    reports: tuple[OutputReport, ...]


def find_output_files(contents: FolderContents, without: Sequence[str] = ()) -> tuple[OutputFiles, ...]:
    """Return the outputs in a folder, without some files and those that a rule leaves out."""
    candidates = [path for path in contents.entries if path not in contents.ignored and path not in without]
    outputs: list[OutputFiles] = []
    for package in SEGMENTATION_PACKAGES:
        roots = package.find(contents.folder, candidates)
        outputs += [OutputFiles(package, root, tuple(files)) for root, files in sorted(roots.items())]
        taken = {path for files in roots.values() for path in files}
        candidates = [path for path in candidates if path not in taken]
    return tuple(outputs)


def judge_outputs(
    request: Request,
    contents: FolderContents,
    outputs: Sequence[OutputFiles],
    metasessions: Sequence[MetaSessionRecord],
    options: OptionSets,
) -> JudgedOutputs:
    """Return what every output is, and datasets of the finished ones.

    Raises
    ------
    StillCopyingError
        Files of an output that is not finished, or that the pipeline did not make, were written a
        moment ago: a file that is being copied may have its full size already.
    """
    all_judged = [_judged(request, contents, each, metasessions, options) for each in outputs]
    judged = one_each(request, contents, all_judged, options)
    datasets: dict[str, list[DatasetRecord]] = {each.metasession_name: [] for each in metasessions}
    bundles: dict[str, str] = {}
    for each in judged:
        for dataset in _datasets(contents, each):
            datasets[str(each.judgement.metasession_name)].append(dataset)
            bundles.update((file.path, dataset.bundle) for file in dataset.files)
    return JudgedOutputs(
        tuple(replace(each, datasets=tuple(datasets[each.metasession_name])) for each in metasessions),
        tuple(
            _file_report(request.below_repository(path), each, bundles)
            for each in judged
            for path in each.files.files
        ),
        tuple(
            OutputReport(
                request.below_repository(each.files.root).rstrip("/"),
                each.judgement.verdict,
                each.judgement.metasession_name,
                each.judgement.ops_name,
                each.judgement.reason,
                each.files.package.datasettype,
                each.remarks,
            )
            for each in judged
        ),
    )


def _judged(
    request: Request,
    contents: FolderContents,
    files: OutputFiles,
    metasessions: Sequence[MetaSessionRecord],
    options: OptionSets,
) -> JudgedOutput:
    output = None
    labels: dict[str, Labelled] = {}
    remarks: list[str] = []
    try:
        output = files.package.read(
            contents.folder / files.root, [contents.folder / path for path in files.files]
        )
        judgement = judge(request, files.package, output, files.root, metasessions, options)
        if judgement.verdict is OutputVerdict.FINISHED:
            labels = _new_labels(contents, output, files.files)
            remarks = [*output.remarks(), *_merged(labels)]
    except (OutputError, FormatError) as error:
        is_unsafe = isinstance(error, UnsafeContentError)
        verdict = OutputVerdict.FOREIGN if is_unsafe else OutputVerdict.INCOMPLETE
        folder = output_folder(files.root)
        judgement = Judgement(verdict, folder.metasession_name, folder.ops_name, str(error))
    if judgement.verdict is OutputVerdict.INCOMPLETE:
        contents.check_settled(files.files)
    elif judgement.verdict is OutputVerdict.FINISHED and output is not None and output.marker is None:
        # Without a marker only: the pipeline's own runs are renamed into place whole, and note their tifs.
        calculated = calculated_files(contents, output, files.files)
        contents.check_settled(calculated)
        later = _written_later(request, contents, calculated, judgement, metasessions)
        if later:
            reason = f"made before {shortened_list(later)} was written; {RUN_AGAIN}"
            judgement = replace(judgement, verdict=OutputVerdict.SUPERSEDED, reason=reason)
    if judgement.verdict is not OutputVerdict.FINISHED:
        remarks = []
    return JudgedOutput(files, output, judgement, labels, tuple(remarks))


def _new_labels(contents: FolderContents, output: Output, files: Sequence[str]) -> dict[str, Labelled]:
    """Read labels where their file has changed: most outputs of a folder are as they were."""
    by_path = {plane.labels_path: plane for plane in output.planes}
    labels = {}
    for path in files:
        plane = by_path.get(contents.folder / path)
        if plane is not None:
            # Labels of as many regions are of equal size, and a copy may have kept its time.
            contents.compare_content(path)
            if contents.is_new(path):
                labels[plane.label] = plane.labelled()
    return labels


def _merged(labels: Mapping[str, Labelled]) -> Iterator[str]:
    for label, labelled in labels.items():
        if labelled.num_merged:
            yield (
                f"{counted(labelled.num_merged, 'region')} of {label} that a person merged into others are"
                " left out, although they are marked as cells"
            )


def _written_later(
    request: Request,
    contents: FolderContents,
    calculated: Sequence[str],
    judgement: Judgement,
    metasessions: Sequence[MetaSessionRecord],
) -> list[str]:
    """Return the tifs that were written after an output that has no note of their content.

    A time may be that of a copy. So it counts for registered tifs only, and only where the tif's content
    has changed or the output is not registered: an output in a new folder is taken as it is, and so is one
    that was registered with these tifs.
    """
    registered = {request.below_repository(path): file for path, file in contents.stored.items()}
    outputs = {file.fingerprint for file in registered.values()}
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


def _datasets(contents: FolderContents, judged: JudgedOutput) -> Iterator[DatasetRecord]:
    judgement, package = judged.judgement, judged.files.package
    if judged.output is None or judgement.verdict is not OutputVerdict.FINISHED:
        return
    for plane in judged.output.planes:
        bundle = f"{judgement.ops_name}/{plane.label}"
        paths = plane_files(contents, plane, judged.files.files)
        yield DatasetRecord(
            names.dataset_name(str(judgement.metasession_name), package.datasettype, bundle),
            package.datasettype,
            package.filetype,
            bundle,
            tuple(contents.read(path) for path in paths),
            judged.labels.get(plane.label),
        )


def _file_report(path: str, judged: JudgedOutput, bundles: dict[str, str]) -> FileReport:
    package, judgement = judged.files.package, judged.judgement
    if path in bundles:
        reason = f"{package.program} output {bundles[path]}: {judgement.reason}"
        return FileReport(path, FileVerdict.USED, package.datasettype, None, reason)
    if judgement.verdict is OutputVerdict.FINISHED:
        reason = f"of a finished {package.program} output, and not needed for its import"
    else:
        reason = f"of a {package.program} output that is {judgement.verdict}: {judgement.reason}"
    return FileReport(path, FileVerdict.IGNORED, None, None, reason)
