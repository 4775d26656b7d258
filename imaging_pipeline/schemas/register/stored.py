"""What the database holds of a folder, as the plan and its comparison want it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from itertools import groupby
from typing import Any

from imaging_pipeline import names
from imaging_pipeline.errors import NotMountedError
from imaging_pipeline.experiments.registry import experiment_type
from imaging_pipeline.ingest.known import (
    ImportedCells,
    Known,
    KnownDataset,
    KnownFile,
    KnownMetaSession,
    KnownSession,
)
from imaging_pipeline.ingest.records import Content, Plan, Request
from imaging_pipeline.schemas import plain_rows
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.schemas.register import stored_rows
from imaging_pipeline.schemas.register.stored_rows import FileRow, LinkRow, RegisteredRows
from imaging_pipeline.schemas.tables import Tables
from imaging_pipeline.segmentation.registry import OUTPUT_TYPES

_AsDataset = Callable[[LinkRow], KnownDataset]


class OptionSettings(Mapping[str, Mapping[str, Any]]):
    """The settings of every option set, by its name, fetched when first asked for: most folders never do."""

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
        question = f"SELECT ops_name, ops_settings FROM {tables.full_name(tables.imaging.Suite2pyOps)}"
        rows = plain_rows.fetch(tables.connection, question)
        return {name: plain_rows.from_json(settings) for name, settings in rows}


def assigned_options(rows: RegisteredRows) -> dict[str, str]:
    """Return the option set of each MetaSession that has one."""
    return {link.metasession_name: link.ops_name for link in rows.links if link.ops_name is not None}


def contents(rows: RegisteredRows, request: Request) -> dict[str, Content]:
    """Return what is known of each registered file of a folder, by its path below the repository."""
    # The first file of the primary dataset says when its session started.
    primary = experiment_type(request.experiment_type).primary
    starts: dict[tuple[str, int], datetime] = {
        (link.dataset_name, 0): link.session_timestamp for link in rows.links if link.datasettype == primary
    }
    return {
        row.address: Content(
            row.size_bytes,
            row.modified,
            row.fingerprint,
            starts.get((row.dataset_name, row.file_order)),
            row.file_part,
            row.file_parts or {},
        )
        for row in rows.files
    }


def of_plan(tables: Tables, plan: Plan, of_folder: RegisteredRows) -> Known:
    """Return every MetaSession that a plan may meet: by name, place or content.

    Parameters
    ----------
    tables
        The database.
    plan
        What the folder holds.
    of_folder
        What is registered of it: only what is registered elsewhere is asked for.
    """
    met = _names_met(tables, plan, of_folder)
    elsewhere = stored_rows.of_names(tables, sorted(met - of_folder.metasession_names))
    metasessions = [
        each
        for rows in (of_folder, elsewhere)
        for each in _known_metasessions(tables, rows, plan)
        if each.metasession_name in met
    ]
    return Known(tuple(sorted(metasessions, key=lambda each: each.metasession_name)))


def _names_met(tables: Tables, plan: Plan, of_folder: RegisteredRows) -> set[str]:
    imaging, repository_name = tables.imaging, plan.request.repository_name
    sessions = [session for metasession in plan.metasessions for session in metasession.sessions]
    planned = [file for session in sessions for dataset in session.datasets for file in dataset.files]
    hashes = {row.address: row.path_hash for row in of_folder.files if row.repository_name == repository_name}
    paths = {hashes.get(file.address) or names.hash16(repository_name, file.address) for file in planned}
    of_names = _any_of("metasession_name", {each.metasession_name for each in plan.metasessions})
    of_sessions = _any_of("session_name", {session.session_name for session in sessions})
    fingerprints = {file.fingerprint for file in planned}
    of_files = f"{_any_of('path_hash', paths)} OR {_any_of('fingerprint', fingerprints)}"
    # One question instead of three: each registration asks it while others wait.
    question = (
        f"SELECT metasession_name FROM {tables.full_name(imaging.MetaSession)} WHERE {of_names}"
        f" UNION SELECT metasession_name FROM {tables.full_name(imaging.Session)} WHERE {of_sessions}"
        f" UNION SELECT metasession_name FROM {tables.full_name(imaging.Session.Data)} WHERE dataset_name IN"
        f" (SELECT dataset_name FROM {tables.full_name(imaging.PhysicalFile)} WHERE {of_files})"
    )
    return {str(name) for (name,) in plain_rows.fetch(tables.connection, question)}


def _any_of(column: str, hashes: set[str]) -> str:
    """Restrict a column of hashes to some; they are hexadecimal, so that quoting is safe."""
    listed = ", ".join(f"'{value}'" for value in sorted(hashes))
    return f"{column} IN ({listed})" if listed else "1 = 0"


def _known_metasessions(tables: Tables, rows: RegisteredRows, plan: Plan) -> Iterator[KnownMetaSession]:
    by_dataset: dict[str, list[FileRow]] = defaultdict(list)
    for row in rows.files:
        by_dataset[row.dataset_name].append(row)
    planned = {file.path for file in plan.files}
    curated = _newly_labelled(plan)

    def dataset(link: LinkRow) -> KnownDataset:
        return KnownDataset(
            link.dataset_name,
            link.datasettype,
            link.bundle,
            tuple(_known_file(tables, file, plan.request, planned) for file in by_dataset[link.dataset_name]),
            *(_imported(tables, link) if (link.datasettype, link.bundle) in curated else ()),
        )

    for _, links in groupby(rows.links, key=lambda link: link.metasession_name):
        yield _known_metasession(list(links), dataset)


def _known_metasession(links: Sequence[LinkRow], dataset: _AsDataset) -> KnownMetaSession:
    """Return a MetaSession of its links, which come by session."""
    first = links[0]
    outputs = {link.dataset_name: link for link in links if link.datasettype in OUTPUT_TYPES}
    sessions = groupby((link for link in links if link.session_name), key=lambda link: link.session_name)
    return KnownMetaSession(
        metasession_name=first.metasession_name,
        label="combined" if first.combined == "yes" else "split",
        animal_id=first.animal_id,
        datasource_id=first.datasource_id,
        experiment_type=first.experiment_type,
        repository_name=first.repository_name,
        folder=first.metasession_folder,
        sessions=tuple(_known_session(list(of_session), dataset) for _, of_session in sessions),
        datasets=tuple(dataset(outputs[name]) for name in sorted(outputs)),
        ops_name=first.ops_name,
        settings_hash=first.ops_hash,
        suite2p_folder=first.suite2p_folder,
        username=first.username,
    )


def _known_session(links: Sequence[LinkRow], dataset: _AsDataset) -> KnownSession:
    recorded = (link for link in links if link.dataset_name and link.datasettype not in OUTPUT_TYPES)
    return KnownSession(
        links[0].session_name,
        links[0].timeseries_name,
        links[0].session_timestamp,
        tuple(dataset(link) for link in recorded),
    )


def _newly_labelled(plan: Plan) -> set[tuple[str, str]]:
    """Return type and bundle of planned outputs whose cells a person may have chosen anew."""
    outputs = (dataset for metasession in plan.metasessions for dataset in metasession.datasets)
    return {(dataset.datasettype, dataset.bundle) for dataset in outputs if dataset.cell_ids is not None}


def _imported(tables: Tables, link: LinkRow) -> tuple[tuple[ImportedCells, ...], frozenset[str]]:
    """Return the imported cells of each session, and the hashes of its measurements."""
    key = {"metasession_name": link.metasession_name, "dataset_name": link.dataset_name}
    measured = (tables.imaging.ImagingAnalysis & key).to_arrays("measured_hash")
    return _imported_cells(tables, key), frozenset(str(each) for each in measured)


def _imported_cells(tables: Tables, key: Row) -> tuple[ImportedCells, ...]:
    imported = tables.imaging.Cell & key
    cells: dict[str, set[int]] = {str(name): set() for name in imported.to_arrays("session_name")}
    rois = (tables.imaging.Cell.Rois & imported).proj().to_dicts()
    for roi in rois:
        cells[roi["session_name"]].add(roi["cell_id"])
    return tuple(ImportedCells(name, frozenset(ids)) for name, ids in cells.items())


def _known_file(tables: Tables, row: FileRow, request: Request, planned: set[str]) -> KnownFile:
    is_same = row.repository_name == request.repository_name
    is_here = is_same and row.address in planned
    return KnownFile(
        row.repository_name,
        row.file_path,
        row.size_bytes,
        row.modified,
        row.fingerprint,
        row.file_part,
        is_gone=not is_here and (is_same and _is_lost_part(row, planned) or _is_gone(tables, row)),
    )


def _is_lost_part(row: FileRow, planned: set[str]) -> bool:
    """Return True if a file of several recordings is there without one that it held."""
    below = f"{row.file_path}/"
    return bool(row.file_part) and any(path.startswith(below) for path in planned)


def _is_gone(tables: Tables, row: FileRow) -> bool:
    """Look whether a file is away; one in a repository that is not mounted here counts as there."""
    try:
        return not tables.local_path(row.repository_name, row.file_path).exists()
    except NotMountedError:
        return False
