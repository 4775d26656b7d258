"""What the database holds of a folder, as the plan and its comparison want it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
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
from imaging_pipeline.ingest.planned import Content, Plan, Request, address_of
from imaging_pipeline.schemas.tables import Tables
from imaging_pipeline.segmentation.registry import OUTPUT_TYPES

from .fetching import Row


def option_settings(tables: Tables) -> dict[str, Mapping[str, Any]]:
    """Give the settings of every option set, by its name."""
    rows = tables.imaging.Suite2pyOps().proj("ops_settings").to_dicts()
    return {row["ops_name"]: row["ops_settings"] for row in rows}


def assigned_options(tables: Tables, request: Request) -> dict[str, str]:
    """Give the option set of each MetaSession of a folder that has one."""
    rows = (tables.imaging.MetaSession.Suite2pyOps & metasessions(tables, request)).to_dicts()
    return {row["metasession_name"]: row["ops_name"] for row in rows}


def metasessions(tables: Tables, request: Request) -> Any:
    """Restrict ``MetaSession`` to those of a request's folder, animal and label."""
    return tables.imaging.MetaSession & {
        "repository_name": request.repository_name,
        "metasession_folder": request.folder,
        "animal_id": request.animal_id,
        "datasource_id": request.datasource_id,
        "combined": "yes" if request.combined else "no",
    }


def contents(tables: Tables, request: Request) -> dict[str, Content]:
    """Give what is known of each registered file of a folder, by its path below the repository."""
    imaging = tables.imaging
    data = imaging.Session * imaging.Session.Data * imaging.Dataset.proj("datasettype")
    links = (data & metasessions(tables, request)).to_dicts()
    # The first file of the primary dataset says when its session started.
    primary = experiment_type(request.experiment_type).primary
    starts: dict[tuple[str, int], datetime] = {
        (link["dataset_name"], 0): link["session_timestamp"]
        for link in links
        if link["datasettype"] == primary
    }
    return {
        address_of(row["file_path"], row["file_part"]): Content(
            row["size_bytes"],
            row["modified"],
            row["fingerprint"],
            starts.get((row["dataset_name"], row["file_order"])),
            row["file_part"],
            row["file_parts"] or {},
        )
        for row in files(tables, {link["dataset_name"] for link in links})
    }


def files(tables: Tables, dataset_names: Iterable[str]) -> list[Row]:
    """Give the files of datasets, in order."""
    of_datasets = tables.imaging.PhysicalFile & _any_of("dataset_name", set(dataset_names))
    rows: list[Row] = of_datasets.to_dicts(order_by="dataset_name, file_order")
    return rows


def files_by_dataset(tables: Tables, dataset_names: Iterable[str]) -> dict[str, list[Row]]:
    """Give the files of datasets, in order, by the dataset's name."""
    by_name: dict[str, list[Row]] = defaultdict(list)
    for row in files(tables, dataset_names):
        by_name[row["dataset_name"]].append(row)
    return by_name


def of_plan(tables: Tables, plan: Plan) -> Known:
    """Give every MetaSession that a plan may meet: by name, place or content."""
    candidates = _names_met(tables, plan)
    if not candidates:
        return Known()
    met = tables.imaging.MetaSession & _any_of("metasession_name", candidates)
    rows = met.to_dicts(order_by="metasession_name")
    return Known(_known_metasessions(tables, rows, plan))


def _names_met(tables: Tables, plan: Plan) -> set[str]:
    imaging = tables.imaging
    sessions = [session for metasession in plan.metasessions for session in metasession.sessions]
    planned = [file for session in sessions for dataset in session.datasets for file in dataset.files]
    paths = {names.hash16(plan.request.repository_name, file.address) for file in planned}
    files = imaging.PhysicalFile & [
        _any_of("path_hash", paths),
        _any_of("fingerprint", {file.fingerprint for file in planned}),
    ]
    found = (
        imaging.MetaSession.proj()
        & _any_of("metasession_name", {each.metasession_name for each in plan.metasessions}),
        imaging.Session.proj() & _any_of("session_name", {session.session_name for session in sessions}),
        imaging.Session.Data.proj() & files.proj(),
    )
    # One question instead of three: each registration asks it while others wait.
    asked = " UNION ".join(query.make_sql(["metasession_name"]) for query in found)
    return {str(name) for (name,) in tables.connection.query(asked).fetchall()}


def _any_of(column: str, hashes: set[str]) -> str:
    """Restrict a column of hashes to some; they are hexadecimal, so that quoting is safe."""
    listed = ", ".join(f"'{value}'" for value in sorted(hashes))
    return f"{column} IN ({listed})" if listed else "1 = 0"


def _known_metasessions(
    tables: Tables, metasessions: Sequence[Row], plan: Plan
) -> tuple[KnownMetaSession, ...]:
    imaging = tables.imaging
    of_all = _any_of("metasession_name", {row["metasession_name"] for row in metasessions})
    links = (imaging.Session.Data * imaging.Dataset & of_all).to_dicts(order_by="dataset_name")
    sessions = (imaging.Session & of_all).to_dicts(order_by="session_order")
    options = imaging.MetaSession.Suite2pyOps * imaging.Suite2pyOps.proj("ops_settings") & of_all
    ops_by_owner = _by_owner(options.to_dicts())
    by_dataset = files_by_dataset(tables, {link["dataset_name"] for link in links})
    planned = {file.path for file in plan.files}
    curated = _newly_labelled(plan)

    def dataset(link: Row) -> KnownDataset:
        rows = by_dataset[link["dataset_name"]]
        return KnownDataset(
            link["dataset_name"],
            link["datasettype"],
            link["bundle"],
            tuple(_known_file(tables, file, plan.request, planned) for file in rows),
            *(_imported(tables, link) if (link["datasettype"], link["bundle"]) in curated else ()),
        )

    links_by_owner, sessions_by_owner = _by_owner(links), _by_owner(sessions)
    return tuple(
        _known_metasession(
            row,
            links_by_owner[row["metasession_name"]],
            sessions_by_owner[row["metasession_name"]],
            ops_by_owner[row["metasession_name"]],
            dataset,
        )
        for row in metasessions
    )


def _by_owner(rows: Iterable[Row]) -> dict[str, list[Row]]:
    by_name: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_name[row["metasession_name"]].append(row)
    return by_name


def _known_metasession(
    row: Row,
    links: Sequence[Row],
    sessions: Sequence[Row],
    options: Sequence[Row],
    dataset: Callable[[Row], KnownDataset],
) -> KnownMetaSession:
    outputs = {link["dataset_name"]: link for link in links if link["datasettype"] in OUTPUT_TYPES}
    return KnownMetaSession(
        metasession_name=row["metasession_name"],
        label="combined" if row["combined"] == "yes" else "split",
        animal_id=row["animal_id"],
        datasource_id=row["datasource_id"],
        experiment_type=row["experiment_type"],
        repository_name=row["repository_name"],
        folder=row["metasession_folder"],
        sessions=tuple(
            KnownSession(
                session["session_name"],
                session["timeseries_name"],
                session["session_timestamp"],
                tuple(
                    dataset(link)
                    for link in links
                    if link["session_name"] == session["session_name"]
                    and link["datasettype"] not in OUTPUT_TYPES
                ),
            )
            for session in sessions
        ),
        datasets=tuple(dataset(link) for link in outputs.values()),
        ops_name=options[0]["ops_name"] if options else None,
        settings_hash=names.settings_hash(options[0]["ops_settings"]) if options else None,
        suite2p_folder=row["suite2p_folder"],
        username=row["username"],
    )


def _newly_labelled(plan: Plan) -> set[tuple[str, str]]:
    """Give type and bundle of planned outputs whose cells a person may have chosen anew."""
    outputs = (dataset for metasession in plan.metasessions for dataset in metasession.datasets)
    return {(dataset.datasettype, dataset.bundle) for dataset in outputs if dataset.cell_ids is not None}


def _imported(tables: Tables, link: Row) -> tuple[tuple[ImportedCells, ...], frozenset[str]]:
    """Give the cells of each session that an output was imported for, and the hashes of its measurements."""
    key = {name: link[name] for name in ("metasession_name", "dataset_name")}
    measured = (tables.imaging.ImagingAnalysis & key).to_arrays("measured_hash")
    return _imported_cells(tables, key), frozenset(str(each) for each in measured)


def _imported_cells(tables: Tables, key: Row) -> tuple[ImportedCells, ...]:
    imported = tables.imaging.Cell & key
    cells: dict[str, set[int]] = {str(name): set() for name in imported.to_arrays("session_name")}
    rois = (tables.imaging.Cell.Rois & imported).proj().to_dicts()
    for roi in rois:
        cells[roi["session_name"]].add(roi["cell_id"])
    return tuple(ImportedCells(name, frozenset(ids)) for name, ids in cells.items())


def _known_file(tables: Tables, row: Row, request: Request, planned: set[str]) -> KnownFile:
    address = address_of(row["file_path"], row["file_part"])
    is_same = row["repository_name"] == request.repository_name
    is_here = is_same and address in planned
    return KnownFile(
        row["repository_name"],
        row["file_path"],
        row["size_bytes"],
        row["modified"],
        row["fingerprint"],
        row["file_part"],
        is_gone=not is_here and (is_same and _is_lost_part(row, planned) or _is_gone(tables, row)),
    )


def _is_lost_part(row: Row, planned: set[str]) -> bool:
    """Say whether a file of several recordings is there without one that it held."""
    below = f"{row['file_path']}/"
    return bool(row["file_part"]) and any(path.startswith(below) for path in planned)


def _is_gone(tables: Tables, row: Row) -> bool:
    """Look whether a file is away; one in a repository that is not mounted here counts as there."""
    try:
        return not tables.local_path(row["repository_name"], row["file_path"]).exists()
    except NotMountedError:
        return False
