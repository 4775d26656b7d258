"""A preview as plain text, for a terminal and a notebook."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from imaging_pipeline.ingest.folder_changes import DatasetChange, DatasetVerdict
from imaging_pipeline.ingest.records import FileReport, FileVerdict
from imaging_pipeline.schemas.register import registration_text
from imaging_pipeline.schemas.register.registration_text import in_order, session
from imaging_pipeline.schemas.register.report import REFUSED
from imaging_pipeline.schemas.table_names import shown
from imaging_pipeline.wording import counted, wrapped

if TYPE_CHECKING:
    from imaging_pipeline.schemas.register.preview import Preview

_NUM_SHOWN = 10


def text(preview: Preview, *, with_files: bool, width: int) -> str:
    """Return what would become of a request, section by section.

    Parameters
    ----------
    preview
        What is told.
    with_files
        Whether all files are listed, or the unknown ones only.
    width
        Characters of a line.
    """
    sections = (
        _sessions(preview),
        _datasets(preview, with_files=with_files),
        _files(preview, with_files=with_files),
        _settings(preview),
        _deleted(preview),
        _jobs(preview),
        registration_text.findings(preview.report),
    )
    blocks = [_request(preview), list(_waiting(preview)), *(list(section) for section in sections)]
    lines = (wrapped(line, width) for block in blocks if block for line in block)
    return "\n".join(lines)


def _request(preview: Preview) -> list[str]:
    request = preview.request
    combined = "combined" if request["combined"] == "yes" else "not combined"
    return [
        f"{request['path']}: {request['folder']} of {request['repository_name']}",
        f"{request['experiment_type']}, {combined}, animal {request['animal_name']} ({request['animal_id']})",
    ]


def _waiting(preview: Preview) -> Iterator[str]:
    if preview.waiting:
        numbers = ", ".join(map(str, preview.waiting))
        yield f"Carried out before this one, and not foreseen here: request {numbers} of this folder"


def _sessions(preview: Preview) -> Iterator[str]:
    changes = preview.decision.changes
    yield "Sessions"
    for each in changes.sessions:
        yield f"  {session(each.verdict, each.session.start, each.session.timeseries_name)}"
    for refused in changes.refused:
        told = session(REFUSED, refused.session.start, refused.session.timeseries_name)
        yield f"  {told}: {refused.kind}"


def _datasets(preview: Preview, *, with_files: bool) -> Iterator[str]:
    datasets = preview.decision.changes.datasets
    if datasets:
        yield "Datasets"
    for each in sorted(datasets, key=lambda each: in_order(each.dataset.bundle, each.dataset.datasettype)):
        yield f"  {each.verdict:<8} {_dataset(each)}"
        if with_files:
            yield from (f"           {_below(preview, file.address)}" for file in each.dataset.files)


def _dataset(change: DatasetChange) -> str:
    dataset = change.dataset
    reason = f": {change.reason}" if change.verdict is DatasetVerdict.CHANGED and change.reason else ""
    return f"{dataset.datasettype} {dataset.bundle}, {counted(len(dataset.files), 'file')}{reason}"


def _files(preview: Preview, *, with_files: bool) -> Iterator[str]:
    files = preview.decision.files
    by_verdict = {verdict: [each for each in files if each.verdict is verdict] for verdict in FileVerdict}
    yield "Files: " + ", ".join(f"{len(each)} {verdict}" for verdict, each in by_verdict.items())
    ignored = by_verdict[FileVerdict.IGNORED]
    if with_files:
        yield from _accounted(preview, ignored)
    else:
        yield from registration_text.ignored((_below(preview, each.path), each.reason) for each in ignored)
    unknown = by_verdict[FileVerdict.UNKNOWN]
    yield from _accounted(preview, unknown if with_files else unknown[:_NUM_SHOWN])
    if not with_files and len(unknown) > _NUM_SHOWN:
        yield f"  and {len(unknown) - _NUM_SHOWN} more that are unknown"


def _accounted(preview: Preview, files: Iterable[FileReport]) -> Iterator[str]:
    by_reason: dict[tuple[str, str], list[str]] = {}
    for each in files:
        by_reason.setdefault((each.verdict, each.reason), []).append(_below(preview, each.path))
    for (verdict, reason), paths in by_reason.items():
        yield f"  {verdict:<8} {reason}"
        yield from (f"           {path}" for path in paths)


def _settings(preview: Preview) -> Iterator[str]:
    if preview.request["sessiontype"]:
        yield f"What the animal did in sessions that are new: {preview.request['sessiontype']}"
    for change in preview.decision.changes.option_sets:
        yield f"Suite2p's option set of {_of(preview, change.metasession_name)}: {change.new_name}"
    for part, row in preview.decision.hardware.rows:
        values = " ".join(str(value) for name, value in row.items() if name != "metasession_name")
        yield f"{part} of {_of(preview, row['metasession_name'])}: {values}"


def _of(preview: Preview, metasession_name: str) -> str:
    """Name a MetaSession by those of its sessions that the request met."""
    sessions = preview.decision.changes.sessions
    met = [each.session.timeseries_name for each in sessions if each.metasession_name == metasession_name]
    return " + ".join(met) or metasession_name


def _deleted(preview: Preview) -> Iterator[str]:
    yield from registration_text.deleted(preview.purged, preview.owners)
    if not preview.purged:
        yield "Nothing is deleted."


def _jobs(preview: Preview) -> Iterator[str]:
    yield from registration_text.tried_again(preview.report)
    for job in preview.running:
        yield (
            f"Running on what is deleted, and then made anew: {shown(job.job_table)} of"
            f" {job.metasession_name}, on {job.host}, process {job.pid}"
        )


def _below(preview: Preview, path: str) -> str:
    return path.removeprefix(f"{preview.request['folder']}/")
