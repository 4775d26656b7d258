"""MetaSessions and all that they consist of, as rows: two questions, however many there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any, NamedTuple

from imaging_pipeline.ingest.records import Request, address_of
from imaging_pipeline.schemas import plain_rows
from imaging_pipeline.schemas.tables import Tables


class LinkRow(NamedTuple):
    """A MetaSession, a session of it and a dataset of that.

    What is said of session and dataset is None where there is none: a person may have deleted it.
    """

    metasession_name: str
    animal_id: str
    datasource_id: int
    username: str
    experiment_type: str
    repository_name: str
    metasession_folder: str
    suite2p_folder: str
    combined: str
    ops_name: str | None
    ops_hash: str | None
    session_name: Any
    session_timestamp: Any
    timeseries_name: Any
    dataset_name: Any
    datasettype: Any
    bundle: Any


class FileRow(NamedTuple):
    """A row of ``PhysicalFile``."""

    dataset_name: str
    file_order: int
    repository_name: str
    file_path: str
    file_part: str
    file_parts: Mapping[str, str] | None
    path_hash: str
    size_bytes: int
    modified: datetime
    fingerprint: str

    @property
    def address(self) -> str:
        """The path, and below it the part."""
        return address_of(self.file_path, self.file_part)


@dataclass(frozen=True)
class RegisteredRows:
    """What is registered of some MetaSessions.

    Attributes
    ----------
    links
        By MetaSession, order of session and dataset.
    files
        By dataset, in order.
    """

    links: tuple[LinkRow, ...] = ()
    files: tuple[FileRow, ...] = ()

    @property
    def metasession_names(self) -> set[str]:
        """The names of the MetaSessions."""
        return {link.metasession_name for link in self.links}


def of_folder(tables: Tables, request: Request) -> RegisteredRows:
    """Return what is registered of a request's folder, animal and label."""
    return _rows(
        tables,
        {
            "repository_name": [request.repository_name],
            "metasession_folder": [request.folder],
            "animal_id": [request.animal_id],
            "datasource_id": [request.datasource_id],
            "combined": ["yes" if request.combined else "no"],
        },
    )


def of_names(tables: Tables, metasession_names: Sequence[str]) -> RegisteredRows:
    """Return what is registered of MetaSessions."""
    return _rows(tables, {"metasession_name": metasession_names}) if metasession_names else RegisteredRows()


def _rows(tables: Tables, wanted: Mapping[str, Sequence[object]]) -> RegisteredRows:
    imaging = tables.imaging
    links = _select(
        tables,
        LinkRow._fields,
        f"{tables.full_name(imaging.MetaSession)}"
        f" LEFT JOIN {tables.full_name(imaging.MetaSession.Suite2pyOps)} USING (metasession_name)"
        f" LEFT JOIN {tables.full_name(imaging.Suite2pyOps)} USING (ops_name)"
        f" LEFT JOIN {tables.full_name(imaging.Session)} USING (metasession_name)"
        f" LEFT JOIN {tables.full_name(imaging.Session.Data)} USING (metasession_name, session_name)"
        f" LEFT JOIN {tables.full_name(imaging.Dataset)} USING (dataset_name)",
        wanted,
        "metasession_name, session_order, dataset_name",
    )
    found = tuple(LinkRow._make(row) for row in links)
    datasets = sorted({link.dataset_name for link in found if link.dataset_name is not None})
    return RegisteredRows(found, files(tables, datasets))


def files(tables: Tables, dataset_names: Sequence[str]) -> tuple[FileRow, ...]:
    """Return the files of datasets, in order."""
    if not dataset_names:
        return ()
    rows = _select(
        tables,
        FileRow._fields,
        tables.full_name(tables.imaging.PhysicalFile),
        {"dataset_name": dataset_names},
        "dataset_name, file_order",
    )
    found = (FileRow._make(row) for row in rows)
    return tuple(
        row if row.file_parts is None else row._replace(file_parts=plain_rows.from_json(row.file_parts))
        for row in found
    )


def _select(
    tables: Tables, columns: Sequence[str], source: str, wanted: Mapping[str, Sequence[object]], order: str
) -> list[tuple[Any, ...]]:
    """Ask for the rows that have one of some values in each of some columns."""
    where = " AND ".join(f"{column} IN ({plain_rows.marks(values)})" for column, values in wanted.items())
    question = f"SELECT {', '.join(columns)} FROM {source} WHERE {where} ORDER BY {order}"
    return plain_rows.fetch(tables.connection, question, list(chain.from_iterable(wanted.values())))
