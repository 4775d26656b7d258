"""Which of several equal outputs of a meta-session is imported: a backup copy replaces nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from imaging_pipeline.errors import FormatError, OutputError
from imaging_pipeline.ingest.contents import FolderContents
from imaging_pipeline.ingest.output_options import OptionSets
from imaging_pipeline.ingest.output_verdict import Judgement, output_folder
from imaging_pipeline.ingest.records import Request
from imaging_pipeline.ingest.verdicts import OutputVerdict
from imaging_pipeline.segmentation.package import Labelled, Output, OutputPlane, SegmentationPackage


@dataclass(frozen=True)
class OutputFiles:
    """The files of an output of a program, by their paths below the folder.

    Attributes
    ----------
    package
        The program.
    root
        Folder of the output, a path below the request's folder.
    """

    package: SegmentationPackage
    root: str
    files: tuple[str, ...]


@dataclass(frozen=True)
class JudgedOutput:
    """An output and what it is; ``output`` is None where it could not be read.

    Attributes
    ----------
    labels
        Of a finished output: the planes' labels that are new, by the plane's label.
    remarks
        What a person should know of an output that is imported, or would be.
    """

    files: OutputFiles
    output: Output | None
    judgement: Judgement
    labels: Mapping[str, Labelled] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


def calculated_files(contents: FolderContents, output: Output, files: Sequence[str]) -> list[str]:
    """Return the files of an output that the program writes once, and no curation afterwards."""
    return [
        path
        for plane in output.planes
        for path in plane_files(contents, plane, files)
        if contents.folder / path != plane.labels_path or not plane.has_labels_apart
    ]


def plane_files(contents: FolderContents, plane: OutputPlane, files: Sequence[str]) -> list[str]:
    """Return the files of a plane that are imported."""
    return [path for path in files if plane.is_imported(contents.folder / path)]


def one_each(
    request: Request, contents: FolderContents, judged: Sequence[JudgedOutput], options: OptionSets
) -> list[JudgedOutput]:
    """Supersede further finished outputs of a meta-session and option set, and copies of a finished output.

    Where an option set is requested, one output of the meta-session stays. Of equal ones the registered
    output is used as long as it is there, then one of the same content and labels, then one in the place
    where the pipeline's own runs write.
    """
    by_analysis: dict[tuple[str, ...], JudgedOutput] = {}
    by_content: dict[tuple[object, ...], JudgedOutput] = {}
    result = []
    for each in sorted(judged, key=lambda each: _preference(request, contents, each, options)):
        if each.judgement.verdict is OutputVerdict.FINISHED and each.output is not None:
            analysis = _analysis(request, each, options)
            content = _content(contents, each, each.output)
            # A copy that was registered under a name of its own may have rows that refer to its cells.
            copied = None if _is_registered(contents, each) else by_content.get(content)
            first = by_analysis.get(analysis) or copied
            if first is not None:
                is_copy = first.output is not None and _content(contents, first, first.output) == content
                each = _superseded(each, first, is_copy=is_copy)
            by_analysis.setdefault(analysis, each)
            by_content.setdefault(content, each)
        result.append(each)
    return sorted(result, key=lambda each: each.files.root)


def _preference(
    request: Request, contents: FolderContents, each: JudgedOutput, options: OptionSets
) -> tuple[object, ...]:
    """Return what outputs are sorted by; the first of equal ones is used."""
    name, folder = str(each.judgement.metasession_name), output_folder(each.files.root)
    requested = options.requested(request, name)
    is_at_home = folder.metasession_name == name
    return (
        # Before its name: of a set that is stored under several, either may have been noted.
        not _is_registered(contents, each),
        not _has_moved(contents, each),
        each.judgement.ops_name != requested,
        not (is_at_home and requested is not None and folder.ops_name == requested),
        not is_at_home,
        each.files.root,
    )


def _is_registered(contents: FolderContents, each: JudgedOutput) -> bool:
    """Return True if each file of an output that is imported is registered at its place."""
    files = _imported_files(contents, each)
    return bool(files) and all(path in contents.stored for path in files)


def _has_moved(contents: FolderContents, each: JudgedOutput) -> bool:
    """Return True if a finished output has the content of registered files, with the same labels."""
    files = _imported_files(contents, each)
    if not files or each.judgement.verdict is not OutputVerdict.FINISHED:
        return False
    registered = {file.content for file in contents.stored.values()}
    return all(contents.read(path).content in registered for path in files)


def _imported_files(contents: FolderContents, each: JudgedOutput) -> list[str]:
    planes = each.output.planes if each.output is not None else ()
    return [path for plane in planes for path in plane_files(contents, plane, each.files.files)]


def _analysis(request: Request, each: JudgedOutput, options: OptionSets) -> tuple[str, ...]:
    """Return what no two outputs that are used may have in common."""
    name, package = str(each.judgement.metasession_name), each.files.package
    ops_name = package.run_name or options.requested(request, name) or each.judgement.ops_name
    return name, package.datasettype, str(ops_name)


def _content(contents: FolderContents, each: JudgedOutput, output: Output) -> tuple[object, ...]:
    """Return what an output and its copies have in common: all that was calculated, not who is a cell."""
    calculated = sorted(
        (path.removeprefix(each.files.root), contents.read(path).fingerprint)
        for path in calculated_files(contents, output, each.files.files)
    )
    return each.judgement.metasession_name, each.files.package.datasettype, *calculated


def _superseded(each: JudgedOutput, used: JudgedOutput, *, is_copy: bool) -> JudgedOutput:
    """Return an output as superseded, and a remark where other regions, traces or cells are used."""
    root = used.files.root
    which = f"the equal output in '{root}'" if is_copy else f"another output of the same tifs, in '{root}',"
    judgement = replace(each.judgement, verdict=OutputVerdict.SUPERSEDED, reason=f"{which} is used")
    if is_copy and _cells(each) == _cells(used):
        return replace(each, judgement=judgement, remarks=())
    differing = (
        f"it is equal to the output in '{root}', in which other regions are cells"
        if is_copy
        else f"its regions or traces are others than those of the output in '{root}'"
    )
    remark = (
        f"{differing}; that one is used, until you move it out of the folder and register the folder again"
    )
    return replace(each, judgement=judgement, remarks=(remark,))


def _cells(each: JudgedOutput) -> dict[str, frozenset[int]] | None:
    """Return the cells of each plane; None where they cannot be read."""
    planes = each.output.planes if each.output is not None else ()
    try:
        return {plane.label: plane.labelled().cell_ids for plane in planes}
    except (OutputError, FormatError):
        return None
