"""What the database holds of a folder, as the plan and its comparison want it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from imaging_pipeline.ingest.planned import Content, Request
from imaging_pipeline.schemas.tables import Tables

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
    links = (imaging.Session * imaging.Session.Data & metasessions(tables, request)).to_dicts()
    starts: dict[str, datetime] = {}
    for link in links:
        starts[link["dataset_name"]] = link["session_timestamp"]
    return {
        row["file_path"]: Content(
            row["size_bytes"], row["modified"], row["fingerprint"], starts[row["dataset_name"]]
        )
        for row in files(tables, starts)
    }


def files(tables: Tables, dataset_names: Iterable[str]) -> list[Row]:
    """Give the files of datasets, in order."""
    names = [{"dataset_name": name} for name in dataset_names]
    if not names:
        return []
    rows: list[Row] = (tables.imaging.PhysicalFile & names).to_dicts(order_by="dataset_name, file_order")
    return rows


def files_by_dataset(tables: Tables, dataset_names: Iterable[str]) -> dict[str, list[Row]]:
    """Give the files of datasets, in order, by the dataset's name."""
    by_name: dict[str, list[Row]] = defaultdict(list)
    for row in files(tables, dataset_names):
        by_name[row["dataset_name"]].append(row)
    return by_name
