"""The Suite2p outputs of a folder: the finished become datasets, of the others the reason is told."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from imaging_pipeline import names
from imaging_pipeline.errors import FormatError, OutputError, UnsafeContentError
from imaging_pipeline.experiments.dataset_types import SUITE2P_PYTHON
from imaging_pipeline.experiments.ignored import ignoring_rule
from imaging_pipeline.ingest.contents import FolderContents
from imaging_pipeline.ingest.listed import listed
from imaging_pipeline.ingest.output_verdict import (
    RUN_AGAIN,
    Judgement,
    OptionSets,
    judge,
    output_folder,
    tifs,
)
from imaging_pipeline.ingest.planned import (
    FileReport,
    FileVerdict,
    OutputReport,
    OutputVerdict,
    PlannedDataset,
    PlannedMetaSession,
    Request,
)
from imaging_pipeline.ingest.recording import planned_file
from imaging_pipeline.readers.suite2p_output import (
    PlaneOutput,
    Suite2pOutput,
    find_outputs,
    missing_files,
    read_output,
)
from imaging_pipeline.readers.suite2p_plane import LABELS
from imaging_pipeline.readers.suite2p_traces import read_cell_labels

# What `imaging_pipeline.readers` reads of a plane; a file of a person's own beside these is no part of it.
_IMPORTED = frozenset(
    {
        *("ops.npy", "db.npy", "settings.npy", "reg_outputs.npy", "detect_outputs.npy"),
        *("F.npy", "Fneu.npy", "spks.npy", "F_chan2.npy", "Fneu_chan2.npy"),
        *("stat.npy", LABELS, "redcell.npy"),
    }
)
_PLANE_FILE = re.compile(r"(?:.*/)?(?:plane\d+|combined)/[^/]+\.npy")
_PLANE_FOLDER = re.compile(r"(?:plane\d+|combined)/.*")


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
    place: str
    output: Suite2pOutput | None
    judgement: Judgement


def find_output_files(contents: FolderContents) -> dict[str, tuple[str, ...]]:
    """Give the files of every output, by the output's path below the folder.

    Outputs that a rule leaves out are not among them. The files lie below the output; where planes
    lie in the registered folder itself, only theirs count.
    """
    candidates = [path for path in contents.entries if ignoring_rule(path) is None]
    if not any(_PLANE_FILE.fullmatch(path) for path in candidates):
        return {}
    roots = (root.relative_to(contents.folder).as_posix() for root in find_outputs(contents.folder))
    places = sorted(("" if root == "." else root for root in roots), key=len, reverse=True)
    files: dict[str, list[str]] = {}
    for path in candidates:
        place = next((place for place in places if _holds(place, path)), None)
        if place is not None:
            files.setdefault(place, []).append(path)
    return {place: tuple(paths) for place, paths in sorted(files.items())}


def judge_outputs(
    request: Request,
    contents: FolderContents,
    outputs: dict[str, tuple[str, ...]],
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
        request,
        [_judged(request, contents, *item, metasessions, options) for item in outputs.items()],
        options,
    )
    datasets: dict[str, list[PlannedDataset]] = {each.metasession_name: [] for each in metasessions}
    bundles: dict[str, str] = {}
    for each in found:
        for dataset in _datasets(request, contents, each, outputs[each.place]):
            datasets[str(each.judgement.metasession_name)].append(dataset)
            bundles.update((file.path, dataset.bundle) for file in dataset.files)
    return JudgedOutputs(
        tuple(replace(each, datasets=tuple(datasets[each.metasession_name])) for each in metasessions),
        tuple(
            _file_report(request.place_of(path), each.judgement, bundles)
            for each in found
            for path in outputs[each.place]
        ),
        tuple(
            OutputReport(
                request.place_of(each.place).rstrip("/"),
                each.judgement.verdict,
                each.judgement.metasession_name,
                each.judgement.ops_name,
                each.judgement.reason,
            )
            for each in found
        ),
    )


def _holds(place: str, path: str) -> bool:
    return path.startswith(f"{place}/") if place else _PLANE_FOLDER.fullmatch(path) is not None


def _judged(
    request: Request,
    contents: FolderContents,
    place: str,
    files: Sequence[str],
    metasessions: Sequence[PlannedMetaSession],
    options: OptionSets,
) -> _Found:
    output = None
    try:
        output = read_output(contents.folder / place)
        judgement = judge(request, output, place, _missing(output), metasessions, options)
    except (OutputError, FormatError) as error:
        is_unsafe = isinstance(error, UnsafeContentError)
        verdict = OutputVerdict.FOREIGN if is_unsafe else OutputVerdict.INCOMPLETE
        folder = output_folder(place)
        judgement = Judgement(verdict, folder.metasession_name, folder.ops_name, str(error))
    if judgement.verdict is OutputVerdict.INCOMPLETE:
        contents.check_settled(files)
    elif judgement.verdict is OutputVerdict.FINISHED and output is not None and output.marker is None:
        calculated = _calculated(contents, output, files)
        contents.check_settled(calculated)
        later = _written_later(request, contents, calculated, judgement, metasessions)
        if later:
            reason = f"made before {listed(later)} was written; {RUN_AGAIN}"
            judgement = replace(judgement, verdict=OutputVerdict.SUPERSEDED, reason=reason)
    return _Found(place, output, judgement)


def _calculated(contents: FolderContents, output: Suite2pOutput, files: Sequence[str]) -> list[str]:
    """Give the files of an output that Suite2p writes once, and no curation afterwards."""
    imported = [path for plane in output.imported for path in _plane_files(contents, plane, files)]
    return [path for path in imported if not path.endswith(f"/{LABELS}")]


def _written_later(
    request: Request,
    contents: FolderContents,
    calculated: Sequence[str],
    judgement: Judgement,
    metasessions: Sequence[PlannedMetaSession],
) -> list[str]:
    """Give the tifs that were written after an output of which no note tells what they held then.

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


def _missing(output: Suite2pOutput) -> list[str]:
    missing = [f"{plane.label}/{name}" for plane in output.imported for name in missing_files(plane)]
    if output.combined is None and len(output.planes) < output.num_planes:
        missing.append(f"{output.num_planes - len(output.planes)} of {output.num_planes} planes")
    return missing


def _one_each(request: Request, found: Sequence[_Found], options: OptionSets) -> list[_Found]:
    """Keep one finished output a meta-session and option set; one a meta-session where a set is wanted."""
    kept: dict[tuple[str, str | None], str] = {}

    def preference(each: _Found) -> tuple[bool, bool, str]:
        name = str(each.judgement.metasession_name)
        is_wanted = each.judgement.ops_name == options.wanted(request, name)
        return not is_wanted, output_folder(each.place).metasession_name != name, each.place

    result = []
    for each in sorted(found, key=preference):
        judgement = each.judgement
        if judgement.verdict is OutputVerdict.FINISHED:
            name = str(judgement.metasession_name)
            wanted = options.wanted(request, name)
            place = kept.setdefault((name, wanted or judgement.ops_name), each.place)
            if place != each.place:
                reason = f"the equal output in '{place}' is used"
                each = replace(
                    each, judgement=replace(judgement, verdict=OutputVerdict.SUPERSEDED, reason=reason)
                )
        result.append(each)
    return sorted(result, key=lambda each: each.place)


def _datasets(
    request: Request, contents: FolderContents, found: _Found, files: Sequence[str]
) -> Iterator[PlannedDataset]:
    judgement = found.judgement
    if found.output is None or judgement.verdict is not OutputVerdict.FINISHED:
        return
    for plane in found.output.imported:
        bundle = f"{judgement.ops_name}/{plane.label}"
        paths = _plane_files(contents, plane, files)
        has_new_labels = any(contents.is_new(path) for path in paths if path.endswith(f"/{LABELS}"))
        yield PlannedDataset(
            names.dataset_name(str(judgement.metasession_name), SUITE2P_PYTHON, bundle),
            SUITE2P_PYTHON,
            "npy",
            bundle,
            tuple(planned_file(request, contents, path) for path in paths),
            _cell_ids(plane) if has_new_labels else None,
        )


def _cell_ids(plane: PlaneOutput) -> frozenset[int]:
    is_cell, _ = read_cell_labels(plane)
    return frozenset(np.flatnonzero(is_cell).tolist())


def _plane_files(contents: FolderContents, plane: PlaneOutput, files: Sequence[str]) -> list[str]:
    folder = plane.folder.relative_to(contents.folder).as_posix()
    imported = {f"{folder}/{name}" for name in _IMPORTED}
    return [path for path in files if path in imported]


def _file_report(path: str, judgement: Judgement, bundles: dict[str, str]) -> FileReport:
    if path in bundles:
        reason = f"Suite2p output {bundles[path]}: {judgement.reason}"
        return FileReport(path, FileVerdict.USED, SUITE2P_PYTHON, None, reason)
    if judgement.verdict is OutputVerdict.FINISHED:
        reason = "of a finished Suite2p output, and not needed for its import"
    else:
        reason = f"of a Suite2p output that is {judgement.verdict}: {judgement.reason}"
    return FileReport(path, FileVerdict.IGNORED, None, None, reason)
