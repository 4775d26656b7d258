"""What a database holds after registrations, without a database."""

import shutil
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from imaging_pipeline.ingest.comparison import compare
from imaging_pipeline.ingest.folder_changes import (
    DatasetVerdict,
    Difference,
    FolderChanges,
    PurgeSeed,
    SessionVerdict,
)
from imaging_pipeline.ingest.listing import scan
from imaging_pipeline.ingest.plan import make_plan
from imaging_pipeline.ingest.records import (
    DatasetRecord,
    FileRecord,
    ImportedCells,
    MetaSessionRecord,
    Plan,
    Request,
)
from tests.makers.folders import PAGES, Timeseries, write_suite2p
from tests.makers.suite2p_output import Suite2pSpec

SPLIT = Request("moser", "day1", "2Pminiscope_A", False, "90218", 0)
COMBINED = replace(SPLIT, combined=True)


def write_run(
    folder: Path,
    *timeseries: Timeseries,
    ops_name: str = "fast",
    tau: float = 1.0,
    request: Request = COMBINED,
    num_planes: int = 1,
) -> Path:
    """Write a finished output of a folder's only MetaSession, where Suite2p would, and give its root."""
    (metasession,) = make_plan(request, scan(folder), {}, {}).metasessions
    names = [name for each in timeseries for name in each.tif_names]
    spec = Suite2pSpec(
        file_list=names,
        frames_per_file=(PAGES,) * len(names),
        settings={"tau": tau},
        num_planes=num_planes,
    )
    target = folder / metasession.suite2p_folder.removeprefix(f"{request.folder}/") / ops_name / "suite2p"
    shutil.rmtree(target, ignore_errors=True)
    return write_suite2p(target, spec)


class Registered:
    """Rows of registered folders, kept as the tables keep them."""

    def __init__(self) -> None:
        self.metasessions: dict[str, MetaSessionRecord] = {}

    @property
    def stored(self) -> tuple[MetaSessionRecord, ...]:
        return tuple(self.metasessions.values())

    def register(self, plan: Plan) -> FolderChanges:
        """Hold a plan against the rows, apply the changes, and give them back."""
        changes = compare(plan, self.stored)
        self._make_metasessions(plan, changes)
        for purge in changes.purges:
            if purge.seed is PurgeSeed.DATASET:
                self._drop(purge.metasession_name, purge.dataset_name)
        for change in changes.datasets:
            if change.verdict is not DatasetVerdict.KNOWN:
                self._write(change)
        for change in changes.option_sets:
            self._change_request(change.metasession_name, ops_name=change.new_name)
        for moved in changes.relocations:
            self._change_request(
                moved.metasession_name, repository_name=moved.repository_name, folder=moved.folder
            )
            self._change(moved.metasession_name, suite2p_folder=moved.suite2p_folder)
        return changes

    def files(self, label: str = "split") -> dict[str, FileRecord]:
        """Return the registered files as a plan takes them."""
        return {
            file.address: replace(file, session_start=None if position else session.start)
            for metasession in self.metasessions.values()
            if metasession.request.label == label
            for session in metasession.sessions
            for dataset in session.datasets
            for position, file in enumerate(dataset.files)
        } | {
            file.path: replace(file, session_start=None)
            for metasession in self.metasessions.values()
            if metasession.request.label == label
            for dataset in metasession.datasets
            for file in dataset.files
        }

    def mark_gone(self) -> None:
        """Say of all registered files that they are no longer there."""
        for name, metasession in self.metasessions.items():
            sessions = tuple(
                replace(session, datasets=tuple(_gone(dataset) for dataset in session.datasets))
                for session in metasession.sessions
            )
            datasets = tuple(_gone(dataset) for dataset in metasession.datasets)
            self.metasessions[name] = replace(metasession, sessions=sessions, datasets=datasets)

    def import_cells(self, cell_ids: Iterable[int]) -> None:
        """Import these cells of every output for each of its sessions."""
        for name, metasession in self.metasessions.items():
            imported = tuple(
                ImportedCells(session.session_name, frozenset(cell_ids)) for session in metasession.sessions
            )
            datasets = tuple(replace(dataset, imported=imported) for dataset in metasession.datasets)
            self._change(name, datasets=datasets)

    def _make_metasessions(self, plan: Plan, changes: FolderChanges) -> None:
        request = replace(plan.request, ops_name=None, username="")
        for new in changes.new_metasessions:
            self.metasessions[new.metasession_name] = replace(new, request=request, sessions=(), datasets=())
        for change in changes.sessions:
            if change.verdict is not SessionVerdict.KNOWN:
                owner = self.metasessions[change.metasession_name]
                session = replace(change.session, datasets=())
                self._change(change.metasession_name, sessions=(*owner.sessions, session))

    def _change_request(self, metasession_name: str, **columns) -> None:
        request = replace(self.metasessions[metasession_name].request, **columns)
        self._change(metasession_name, request=request)

    def _change(self, metasession_name: str, **columns) -> None:
        self.metasessions[metasession_name] = replace(self.metasessions[metasession_name], **columns)

    def _drop(self, metasession_name: str, dataset_name: str) -> None:
        datasets = self.metasessions[metasession_name].datasets
        kept = tuple(each for each in datasets if each.dataset_name != dataset_name)
        self._change(metasession_name, datasets=kept)

    def _write(self, change) -> None:
        planned, owner = change.dataset, self.metasessions[change.metasession_name]
        files = tuple(replace(file, acquisition=0, session_start=None) for file in planned.files)
        if change.difference is Difference.LOCATION:
            files = _in_place(owner, change, files)
        dataset = replace(planned, files=files, labels=None)
        if change.difference is Difference.CONTENT:
            assert any(
                planned.dataset_name == old.dataset_name
                for old in (
                    *owner.datasets,
                    *(each for session in owner.sessions for each in session.datasets),
                )
            )
        if planned.datasettype == "suite2p_python":
            self._change(owner.metasession_name, datasets=_with(owner.datasets, dataset))
            return
        (session_name,) = change.session_names
        sessions = tuple(
            replace(session, datasets=_with(session.datasets, dataset))
            if session.session_name == session_name
            else session
            for session in owner.sessions
        )
        self._change(owner.metasession_name, sessions=sessions)


def _with(datasets, dataset):
    return (*(each for each in datasets if each.dataset_name != dataset.dataset_name), dataset)


def _in_place(owner, change, files):
    datasets = (*owner.datasets, *(each for session in owner.sessions for each in session.datasets))
    (before,) = (each for each in datasets if each.dataset_name == change.dataset.dataset_name)
    placed = dict(zip(change.file_orders, files, strict=True))
    return tuple(placed.get(number, file) for number, file in enumerate(before.files))


def _gone(dataset: DatasetRecord) -> DatasetRecord:
    return replace(dataset, files=tuple(replace(file, is_gone=True) for file in dataset.files))
