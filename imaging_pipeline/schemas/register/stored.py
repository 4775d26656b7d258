"""What the database stores of a folder, as the plan and its comparison take it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from typing import Any

from imaging_pipeline import names
from imaging_pipeline.errors import NotMountedError
from imaging_pipeline.experiments.registry import experiment_type
from imaging_pipeline.ingest.records import (
    DatasetRecord,
    FileRecord,
    ImportedCells,
    MetaSessionRecord,
    Plan,
    Request,
)
from imaging_pipeline.schemas import plain_rows
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.schemas.register import stored_rows
from imaging_pipeline.schemas.tables import Tables


class OptionSettings(Mapping[str, Mapping[str, Any]]):
    """The settings of every option set, by its name, fetched when first used: most folders need none."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def __getitem__(self, ops_name: str) -> Mapping[str, Any]:
        return self._fetched[ops_name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fetched)

    def __len__(self) -> int:
        return len(self._fetched)

    @cached_property
    def _fetched(self) -> dict[str, Mapping[str, Any]]:
        tables = self._tables
        statement = f"SELECT ops_name, ops_settings FROM {tables.full_name(tables.imaging.Suite2pyOps)}"
        rows = plain_rows.fetch(tables.connection, statement)
        return {name: plain_rows.from_json(settings) for name, settings in rows}


def assigned_options(metasessions: Sequence[MetaSessionRecord]) -> dict[str, str]:
    """Return the option set of each MetaSession that has one."""
    return {
        each.metasession_name: each.request.ops_name
        for each in metasessions
        if each.request.ops_name is not None
    }


def files(metasessions: Sequence[MetaSessionRecord], request: Request) -> dict[str, FileRecord]:
    """Return the stored files of a folder by their address."""
    # The first file of the primary dataset says when its session started.
    primary = experiment_type(request.experiment_type).primary
    starts: dict[str, datetime] = {}
    datasets: dict[str, DatasetRecord] = {}
    for metasession in metasessions:
        datasets |= {dataset.dataset_name: dataset for dataset in metasession.datasets}
        for session in metasession.sessions:
            datasets |= {dataset.dataset_name: dataset for dataset in session.datasets}
            starts |= {
                dataset.dataset_name: session.start
                for dataset in session.datasets
                if dataset.datasettype == primary
            }
    stored: dict[str, FileRecord] = {}
    for name in sorted(datasets):
        for order, file in enumerate(datasets[name].files):
            start = starts.get(name) if order == 0 else None
            stored[file.address] = file if start is None else replace(file, session_start=start)
    return stored


def of_plan(
    tables: Tables, plan: Plan, of_folder: Sequence[MetaSessionRecord]
) -> tuple[MetaSessionRecord, ...]:
    """Return every MetaSession that a plan is compared with: by name, path or content.

    Parameters
    ----------
    tables
        The database.
    plan
        What the folder holds.
    of_folder
        What is registered of it: only what is registered elsewhere is fetched.
    """
    related = _related_names(tables, plan)
    # The folder may have MetaSessions that the plan does not concern, and the plan others elsewhere.
    fetched = {each.metasession_name for each in of_folder}
    elsewhere = stored_rows.of_names(tables, sorted(related - fetched))
    state = _State(tables, plan)
    metasessions = [
        state.of_metasession(each) for each in (*of_folder, *elsewhere) if each.metasession_name in related
    ]
    return tuple(sorted(metasessions, key=lambda each: each.metasession_name))


def _related_names(tables: Tables, plan: Plan) -> set[str]:
    imaging, repository_name = tables.imaging, plan.request.repository_name
    sessions = [session for metasession in plan.metasessions for session in metasession.sessions]
    planned = [file for session in sessions for dataset in session.datasets for file in dataset.files]
    paths = {names.hash16(repository_name, file.address) for file in planned}
    of_names = _one_of("metasession_name", {each.metasession_name for each in plan.metasessions})
    of_sessions = _one_of("session_name", {session.session_name for session in sessions})
    fingerprints = {file.fingerprint for file in planned}
    # By content, too, for files that were moved or copied.
    of_files = f"{_one_of('path_hash', paths)} OR {_one_of('fingerprint', fingerprints)}"
    # One statement instead of three: each registration sends it while others wait.
    statement = (
        f"SELECT metasession_name FROM {tables.full_name(imaging.MetaSession)} WHERE {of_names}"
        f" UNION SELECT metasession_name FROM {tables.full_name(imaging.Session)} WHERE {of_sessions}"
        f" UNION SELECT metasession_name FROM {tables.full_name(imaging.Session.Data)} WHERE dataset_name IN"
        f" (SELECT dataset_name FROM {tables.full_name(imaging.PhysicalFile)} WHERE {of_files})"
    )
    return {str(name) for (name,) in plain_rows.fetch(tables.connection, statement)}


def _one_of(column: str, hashes: set[str]) -> str:
    """Return the condition that a column has one of some hashes; they are hexadecimal and safe to quote."""
    quoted = ", ".join(f"'{value}'" for value in sorted(hashes))
    return f"{column} IN ({quoted})" if quoted else "1 = 0"


class _State:
    """Adds to stored MetaSessions which files are gone, and which cells were imported."""

    def __init__(self, tables: Tables, plan: Plan) -> None:
        self._tables = tables
        self._repository_name = plan.request.repository_name
        self._paths = {file.path for file in plan.files}
        outputs = (dataset for metasession in plan.metasessions for dataset in metasession.datasets)
        # Of outputs whose cells a person may have chosen anew; their bundles may have changed.
        self._labelled = {each.datasettype for each in outputs if each.labels is not None}

    def of_metasession(self, metasession: MetaSessionRecord) -> MetaSessionRecord:
        sessions = (
            replace(session, datasets=tuple(map(self._with_gone_files, session.datasets)))
            for session in metasession.sessions
        )
        outputs = (
            self._with_imported(metasession.metasession_name, self._with_gone_files(dataset))
            for dataset in metasession.datasets
        )
        return replace(metasession, sessions=tuple(sessions), datasets=tuple(outputs))

    def _with_gone_files(self, dataset: DatasetRecord) -> DatasetRecord:
        files = (replace(file, is_gone=True) if self._is_gone(file) else file for file in dataset.files)
        return replace(dataset, files=tuple(files))

    def _with_imported(self, metasession_name: str, dataset: DatasetRecord) -> DatasetRecord:
        if dataset.datasettype not in self._labelled:
            return dataset
        key = {"metasession_name": metasession_name, "dataset_name": dataset.dataset_name}
        measured = (self._tables.imaging.ImagingAnalysis & key).to_arrays("measured_hash")
        hashes = frozenset(str(each) for each in measured)
        return replace(dataset, imported=_imported_cells(self._tables, key), measured_hashes=hashes)

    def _is_gone(self, file: FileRecord) -> bool:
        """Return True if a file is gone; one in a repository that is not mounted here counts as there."""
        if file.repository_name == self._repository_name:
            if file.address in self._paths:
                return False
            container = f"{file.path}/"
            # The file is there, without the part that it held.
            if file.part and any(path.startswith(container) for path in self._paths):
                return True
        try:
            return not self._tables.local_path(file.repository_name, file.path).exists()
        except NotMountedError:
            return False


def _imported_cells(tables: Tables, key: Row) -> tuple[ImportedCells, ...]:
    imported = tables.imaging.Cell & key
    cells: dict[str, set[int]] = {str(name): set() for name in imported.to_arrays("session_name")}
    rois = (tables.imaging.Cell.Rois & imported).proj().to_dicts()
    for roi in rois:
        cells[roi["session_name"]].add(roi["cell_id"])
    return tuple(ImportedCells(name, frozenset(ids)) for name, ids in cells.items())
