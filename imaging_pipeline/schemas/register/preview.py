"""What carrying out a request would do, shown before anything is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from imaging_pipeline.ingest.damaged_tifs import DamagedTifs
from imaging_pipeline.ingest.folder_changes import DatasetChange, DatasetVerdict
from imaging_pipeline.ingest.verdicts import FileReport, FileVerdict
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.schemas.register import (
    affected_jobs,
    purge,
    registration,
    registration_text,
    requests,
)
from imaging_pipeline.schemas.register.affected_jobs import RunningJob
from imaging_pipeline.schemas.register.decision import Decision
from imaging_pipeline.schemas.register.folder_request import FolderRequest
from imaging_pipeline.schemas.register.history import not_carried_out
from imaging_pipeline.schemas.register.purge import Purged
from imaging_pipeline.schemas.register.report import REFUSED, Report, make_report
from imaging_pipeline.schemas.register.requests import Completion
from imaging_pipeline.schemas.table_names import owners, readable_name
from imaging_pipeline.schemas.tables import Tables
from imaging_pipeline.wording import counted, wrapped

_NUM_SHOWN = 10


@dataclass(frozen=True, repr=False)
class Preview:
    """What carrying out a request would do; ``print`` shows all of it as plain text.

    Attributes
    ----------
    request
        The row of ``BaseFolder`` that the request would have, with ``animal_name``.
    decision
        What the folder holds, and what would be written.
    purged
        Rows that would be deleted, by table.
    owners
        Schema → owner, for each of their schemas that is not the pipeline's; None where it is not known.
    num_jobs_reset
        Full name of a job table → error and ignored rows that would be dropped.
    running
        Running jobs that work on what would be deleted.
    waiting
        Identifiers of requests for the same folder that are carried out earlier and may change the result.
    """

    request: Row
    decision: Decision
    purged: tuple[Purged, ...]
    owners: Mapping[str, str | None]
    num_jobs_reset: Mapping[str, int]
    running: tuple[RunningJob, ...]
    waiting: tuple[int, ...]

    @property
    def report(self) -> Report:
        """The rows that the request's report would have."""
        return make_report(self.decision, self.purged, self.num_jobs_reset)

    @property
    def registers_nothing(self) -> bool:
        """Whether no session would be registered, and no earlier request may change that."""
        return not (self.decision.changes.sessions or self.waiting)

    def text(self, *, with_files: bool = True, width: int = 80) -> str:
        """Return the preview as plain text.

        Parameters
        ----------
        with_files
            Whether all files are listed, or only the unknown ones.
        width
            Characters of a line.
        """
        sections = (
            _request(self),
            _waiting(self),
            _sessions(self),
            _datasets(self, with_files=with_files),
            _files(self, with_files=with_files),
            _settings(self),
            _deleted(self),
            _jobs(self),
            registration_text.findings(self.report),
        )
        return "\n".join(wrapped(line, width) for section in sections for line in section)

    def __str__(self) -> str:
        return self.text()

    __repr__ = __str__


def preview(tables: Tables, inputs: Mapping[str, Any]) -> Preview:
    """Return what a request would do if it were carried out now; writes nothing and holds no lock.

    Parameters
    ----------
    tables
        The database.
    inputs
        Columns as ``BaseFolder.add`` takes them.

    Raises
    ------
    InputError, PathError
        The request could not be added.
    NotYetHereError
        The animal is not here yet.
    NotMountedError, NothingFoundError, NamingError, FormatError, StillCopyingError
        The request could not be carried out.
    """
    completion = Completion(tables)
    # With the number that it would get, by which stored requests count as earlier ones.
    base_folder = {"basefolder_id": requests.next_request(tables), **completion.complete(inputs)}
    if (reason := completion.why_waiting(base_folder)) is not None:
        raise reason
    planned = registration.plan(tables, FolderRequest.from_row(base_folder))
    decision = registration.decide(tables, planned)
    to_delete = purge.find(tables, decision.changes.purges)
    purged = to_delete.counted
    # For people, who know an animal by its name.
    animal = tables.mlims.Animal & {name: base_folder[name] for name in ("animal_id", "datasource_id")}
    return Preview(
        request={**base_folder, "animal_name": animal.fetch1("animal_name")},
        decision=decision,
        purged=purged,
        owners=owners(tables, (each.table for each in purged)),
        num_jobs_reset={each.job_table: each.num_rows for each in decision.stale_jobs},
        running=affected_jobs.running_jobs(tables, to_delete.reached),
        waiting=not_carried_out(
            tables, base_folder["repository_name"], {base_folder["folder"], planned.plan.request.folder}
        ),
    )


def _request(preview: Preview) -> Iterator[str]:
    request = preview.request
    combined = "combined" if request["combined"] == "yes" else "not combined"
    yield f"{request['path']}: {request['folder']} of {request['repository_name']}"
    animal = f"animal {request['animal_name']} ({request['animal_id']})"
    yield f"{request['experiment_type']}, {combined}, {animal}"
    if request["damaged_tifs"] != DamagedTifs.REFUSE:
        yield f"Damaged tifs: {request['damaged_tifs']}"


def _waiting(preview: Preview) -> Iterator[str]:
    if preview.waiting:
        numbers = ", ".join(map(str, preview.waiting))
        yield f"Carried out before this one, and not foreseen here: request {numbers} of this folder"


def _sessions(preview: Preview) -> Iterator[str]:
    changes = preview.decision.changes
    yield "Sessions"
    for each in changes.sessions:
        session = each.session
        yield f"  {registration_text.session(each.verdict, session.start, session.timeseries_name)}"
    for refused in changes.refused:
        session = refused.session
        line = registration_text.session(REFUSED, session.start, session.timeseries_name)
        yield f"  {line}: {refused.kind}"


def _datasets(preview: Preview, *, with_files: bool) -> Iterator[str]:
    datasets = preview.decision.changes.datasets
    if datasets:
        yield "Datasets"
    in_order = registration_text.dataset_order
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
        yield from _by_reason(preview, ignored)
    else:
        yield from registration_text.ignored((_below(preview, each.path), each.reason) for each in ignored)
    unknown = by_verdict[FileVerdict.UNKNOWN]
    yield from _by_reason(preview, unknown if with_files else unknown[:_NUM_SHOWN])
    if not with_files and len(unknown) > _NUM_SHOWN:
        yield f"  and {len(unknown) - _NUM_SHOWN} more that are unknown"


def _by_reason(preview: Preview, files: Iterable[FileReport]) -> Iterator[str]:
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
    """Return the name of a MetaSession, or rather those of its sessions in the folder."""
    sessions = preview.decision.changes.sessions
    names = [each.session.timeseries_name for each in sessions if each.metasession_name == metasession_name]
    return " + ".join(names) or metasession_name


def _deleted(preview: Preview) -> Iterator[str]:
    yield from registration_text.deleted(preview.purged, preview.owners)
    if not preview.purged:
        yield "Nothing is deleted."


def _jobs(preview: Preview) -> Iterator[str]:
    yield from registration_text.tried_again(preview.report)
    for job in preview.running:
        yield (
            f"Running on what is deleted, and then made anew: {readable_name(job.job_table)} of"
            f" {job.metasession_name}, on {job.host}, process {job.pid}"
        )


def _below(preview: Preview, path: str) -> str:
    return path.removeprefix(f"{preview.request['folder']}/")
