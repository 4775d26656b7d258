"""MetaSessions and all that they consist of, from rows to records, by two statements for any number."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import chain, groupby
from operator import itemgetter
from typing import Any

from imaging_pipeline import names
from imaging_pipeline.ingest.records import (
    DatasetRecord,
    FileRecord,
    MetaSessionRecord,
    Request,
    SessionRecord,
)
from imaging_pipeline.schemas import plain_rows
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.schemas.tables import Tables
from imaging_pipeline.segmentation.registry import OUTPUT_TYPES

_Files = Mapping[str, Sequence[FileRecord]]

# A row is a MetaSession, a session of it and a dataset of that. Columns of session and dataset are None
# where there is none: a person may have deleted it.
_LINK_COLUMNS = (
    *("metasession_name", "metasession_folder", "suite2p_folder", "ops_name"),
    *("repository_name", "experiment_type", "combined", "animal_id", "datasource_id", "username"),
    *("session_name", "session_timestamp", "timeseries_name"),
    *("dataset_name", "datasettype", "filetype", "bundle"),
)
# Between the dataset and the pages in the order of the fields of `FileRecord`.
_FILE_COLUMNS = (
    *("dataset_name", "repository_name", "file_path", "size_bytes", "modified", "fingerprint"),
    *("file_part", "acquisition", "pages_taken", "file_parts", "content_hash"),
)


def of_folder(tables: Tables, request: Request) -> tuple[MetaSessionRecord, ...]:
    """Return the MetaSessions of a request's folder, animal and label."""
    return _metasessions(
        tables,
        {
            "repository_name": [request.repository_name],
            "metasession_folder": [request.folder],
            "animal_id": [request.animal_id],
            "datasource_id": [request.datasource_id],
            "combined": ["yes" if request.combined else "no"],
        },
    )


def of_names(tables: Tables, metasession_names: Sequence[str]) -> tuple[MetaSessionRecord, ...]:
    """Return MetaSessions by their names."""
    return _metasessions(tables, {"metasession_name": metasession_names}) if metasession_names else ()


def sessionless_datasets(tables: Tables, dataset_names: Sequence[str]) -> dict[str, DatasetRecord]:
    """Return those of some datasets that are stored although no session has them, by name."""
    if not dataset_names:
        return {}
    columns = ("dataset_name", "datasettype", "filetype", "bundle")
    source = tables.full_name(tables.imaging.Dataset)
    rows = _select(tables, columns, source, {"dataset_name": dataset_names}, "dataset_name")
    files = _files(tables, [str(row[0]) for row in rows])
    return {row[0]: _dataset(dict(zip(columns, row, strict=True)), files) for row in rows}


def _metasessions(
    tables: Tables, restriction: Mapping[str, Sequence[object]]
) -> tuple[MetaSessionRecord, ...]:
    imaging = tables.imaging
    rows = _select(
        tables,
        _LINK_COLUMNS,
        f"{tables.full_name(imaging.MetaSession)}"
        f" LEFT JOIN {tables.full_name(imaging.MetaSession.Suite2pyOps)} USING (metasession_name)"
        f" LEFT JOIN {tables.full_name(imaging.Session)} USING (metasession_name, animal_id, datasource_id)"
        f" LEFT JOIN {tables.full_name(imaging.Session.Data)} USING (metasession_name, session_name)"
        f" LEFT JOIN {tables.full_name(imaging.Dataset)} USING (dataset_name)",
        restriction,
        "metasession_name, session_order, dataset_name",
    )
    links: list[Row] = [dict(zip(_LINK_COLUMNS, row, strict=True)) for row in rows]
    files = _files(tables, sorted({link["dataset_name"] for link in links if link["dataset_name"]}))
    # `groupby` needs equal names one after the other, which the order of the statement ensures.
    return tuple(
        _metasession(list(group), files) for _, group in groupby(links, key=itemgetter("metasession_name"))
    )


def _files(tables: Tables, dataset_names: Sequence[str]) -> _Files:
    """Return the files of datasets, in order."""
    files: dict[str, list[FileRecord]] = defaultdict(list)
    if dataset_names:
        source = tables.full_name(tables.imaging.PhysicalFile)
        restriction = {"dataset_name": dataset_names}
        order = "dataset_name, file_order"
        for dataset_name, *columns, taken, parts, content_hash in _select(
            tables, _FILE_COLUMNS, source, restriction, order
        ):
            file = replace(FileRecord(*columns), content_hash=content_hash or "")
            if taken is not None:
                file = replace(file, pages_taken=taken)
            files[dataset_name].append(
                file if parts is None else replace(file, parts=plain_rows.from_json(parts))
            )
    return files


def _select(
    tables: Tables,
    columns: Sequence[str],
    source: str,
    restriction: Mapping[str, Sequence[object]],
    order: str,
) -> list[tuple[Any, ...]]:
    """Return the rows that have one of some values in each of some columns."""
    where = " AND ".join(
        f"{column} IN ({plain_rows.placeholders(values)})" for column, values in restriction.items()
    )
    statement = f"SELECT {', '.join(columns)} FROM {source} WHERE {where} ORDER BY {order}"
    return plain_rows.fetch(tables.connection, statement, list(chain.from_iterable(restriction.values())))


def _metasession(links: Sequence[Row], files: _Files) -> MetaSessionRecord:
    """Return a MetaSession; its links are in the order of its sessions."""
    first = links[0]
    request = Request(
        repository_name=first["repository_name"],
        folder=first["metasession_folder"],
        experiment_type=first["experiment_type"],
        combined=first["combined"] == "yes",
        animal_id=first["animal_id"],
        datasource_id=first["datasource_id"],
        ops_name=first["ops_name"],
        username=first["username"],
    )
    # Output is linked to each session.
    outputs = {link["dataset_name"]: link for link in links if link["datasettype"] in OUTPUT_TYPES}
    return MetaSessionRecord(
        metasession_name=first["metasession_name"],
        request=request,
        sessions=tuple(_sessions(links, files, request)),
        datasets=tuple(_dataset(outputs[name], files) for name in sorted(outputs)),
        suite2p_folder=first["suite2p_folder"],
    )


def _sessions(links: Sequence[Row], files: _Files, request: Request) -> Iterator[SessionRecord]:
    of_sessions = (link for link in links if link["session_name"])
    for _, group in groupby(of_sessions, key=itemgetter("session_name")):
        session = list(group)
        recorded = (
            link for link in session if link["dataset_name"] and link["datasettype"] not in OUTPUT_TYPES
        )
        yield SessionRecord(
            session[0]["session_name"],
            session[0]["timeseries_name"],
            _start(session[0]["session_name"], session[0]["session_timestamp"], request),
            tuple(_dataset(link, files) for link in recorded),
        )


def _start(session_name: str, timestamp: datetime, request: Request) -> datetime:
    """Return the start of a session; which of two equal hours it was is in no column, but in the name."""
    second = timestamp.replace(fold=1)
    is_second = session_name == names.session_name(*request.animal, second, request.label)
    return second if is_second else timestamp


def _dataset(link: Row, files: _Files) -> DatasetRecord:
    columns = {name: link[name] for name in ("dataset_name", "datasettype", "filetype", "bundle")}
    return DatasetRecord(**columns, files=tuple(files.get(link["dataset_name"], ())))
