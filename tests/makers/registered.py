"""What a database holds after registrations, without a database."""

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from imaging_pipeline.ingest.comparison import (
    Changes,
    DatasetVerdict,
    Difference,
    Known,
    KnownDataset,
    KnownFile,
    KnownMetaSession,
    KnownSession,
    PurgeSeed,
    SessionVerdict,
    compare,
)
from imaging_pipeline.ingest.known import ImportedCells
from imaging_pipeline.ingest.listing import scan
from imaging_pipeline.ingest.plan import Content, Plan, Request, make_plan
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
        self.metasessions: dict[str, KnownMetaSession] = {}
        self._parts: dict[str, Mapping[str, str]] = {}

    @property
    def known(self) -> Known:
        return Known(tuple(self.metasessions.values()))

    def register(self, plan: Plan) -> Changes:
        """Hold a plan against the rows, apply the changes, and give them back."""
        changes = compare(plan, self.known)
        self._make_metasessions(plan, changes)
        for purge in changes.purges:
            if purge.seed is PurgeSeed.DATASET:
                self._drop(purge.metasession_name, purge.dataset_name)
        for change in changes.datasets:
            if change.verdict is not DatasetVerdict.KNOWN:
                self._write(plan, change)
        for change in changes.option_sets:
            self._change(change.metasession_name, ops_name=change.new_name, settings_hash=plan.settings_hash)
        for moved in changes.relocations:
            self._change(
                moved.metasession_name,
                repository_name=moved.repository_name,
                folder=moved.folder,
                suite2p_folder=moved.suite2p_folder,
            )
        return changes

    def files(self, label: str = "split") -> dict[str, Content]:
        """Return what a plan is told of the registered files."""
        return {
            file.address: Content(
                file.size_bytes,
                file.modified,
                file.fingerprint,
                None if position else session.start,
                file.part,
                self._parts.get(file.path, {}),
            )
            for metasession in self.metasessions.values()
            if metasession.label == label
            for session in metasession.sessions
            for dataset in session.datasets
            for position, file in enumerate(dataset.files)
        } | {
            file.path: Content(file.size_bytes, file.modified, file.fingerprint)
            for metasession in self.metasessions.values()
            if metasession.label == label
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

    def _make_metasessions(self, plan: Plan, changes: Changes) -> None:
        request = plan.request
        for new in changes.new_metasessions:
            self.metasessions[new.metasession_name] = KnownMetaSession(
                new.metasession_name,
                request.label,
                request.animal_id,
                request.datasource_id,
                request.experiment_type,
                request.repository_name,
                request.folder,
                sessions=(),
                suite2p_folder=new.suite2p_folder,
            )
        for change in changes.sessions:
            if change.verdict is not SessionVerdict.KNOWN:
                owner, new_session = self.metasessions[change.metasession_name], change.session
                session = KnownSession(
                    new_session.session_name, new_session.timeseries_name, new_session.start, ()
                )
                self._change(change.metasession_name, sessions=(*owner.sessions, session))

    def _change(self, metasession_name: str, **columns) -> None:
        self.metasessions[metasession_name] = replace(self.metasessions[metasession_name], **columns)

    def _drop(self, metasession_name: str, dataset_name: str) -> None:
        datasets = self.metasessions[metasession_name].datasets
        kept = tuple(each for each in datasets if each.dataset_name != dataset_name)
        self._change(metasession_name, datasets=kept)

    def _write(self, plan: Plan, change) -> None:
        planned, owner = change.dataset, self.metasessions[change.metasession_name]
        files = tuple(
            KnownFile(
                plan.request.repository_name,
                file.path,
                file.size_bytes,
                file.modified,
                file.fingerprint,
                file.part,
            )
            for file in planned.files
        )
        self._parts |= {file.path: file.parts for file in planned.files}
        if change.difference is Difference.PLACE:
            files = _in_place(owner, change, files)
        dataset = KnownDataset(planned.dataset_name, planned.datasettype, planned.bundle, files)
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


def _gone(dataset: KnownDataset) -> KnownDataset:
    return replace(dataset, files=tuple(replace(file, is_gone=True) for file in dataset.files))
