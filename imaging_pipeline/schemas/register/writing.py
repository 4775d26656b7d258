"""Writing the changes that a registration makes, within the open transaction."""

from __future__ import annotations

from collections.abc import Iterable

from imaging_pipeline import names
from imaging_pipeline.ingest.folder_changes import (
    DatasetChange,
    DatasetVerdict,
    Difference,
    FolderChanges,
    OptionSetChange,
    Relocation,
    SessionVerdict,
)
from imaging_pipeline.ingest.records import MetaSessionRecord, address_of
from imaging_pipeline.schemas import plain_rows
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.schemas.register import purge
from imaging_pipeline.schemas.register.folder_request import FolderRequest
from imaging_pipeline.schemas.register.hardware import HardwareNotes
from imaging_pipeline.schemas.tables import Tables


class Writer:
    """Writes the changes of one request.

    Parameters
    ----------
    tables
        The database, with a transaction open.
    requested
        The request.
    changes, hardware
        What is to be written.
    """

    def __init__(
        self, tables: Tables, requested: FolderRequest, changes: FolderChanges, hardware: HardwareNotes
    ) -> None:
        self._tables = tables
        self._imaging = tables.imaging
        self._requested = requested
        self._changes = changes
        self._hardware = hardware

    def write(self) -> tuple[purge.Purged, ...]:
        """Purge what is out of date, then write what is new; return what was purged, and why."""
        # First: what is written again has the keys of what is deleted.
        purged = purge.find(self._tables, self._changes.purges).delete_rows()
        for metasession in self._changes.new_metasessions:
            self._insert_metasession(metasession)
        for option_set in self._changes.option_sets:
            self._set_options(option_set)
        for relocation in self._changes.relocations:
            self._relocate(relocation)
        self._insert_sessions()
        for part, row in self._hardware.rows:
            getattr(self._imaging.MetaSession, part).insert1(row)
        self._write_datasets()
        self._write_curations()
        return purged

    def _insert_metasession(self, metasession: MetaSessionRecord) -> None:
        request = metasession.request
        columns = ("animal_id", "datasource_id", "username", "experiment_type", "repository_name")
        self._imaging.MetaSession.insert1(
            {
                "metasession_name": metasession.metasession_name,
                **{name: getattr(request, name) for name in columns},
                "combined": "yes" if request.combined else "no",
                "metasession_folder": request.folder,
                "suite2p_folder": metasession.suite2p_folder,
            }
        )

    def _set_options(self, change: OptionSetChange) -> None:
        key = {"metasession_name": change.metasession_name}
        # Not updated, since the option set is part of the key. What was below it is purged.
        (self._imaging.MetaSession.Suite2pyOps & key).delete_quick()
        self._imaging.MetaSession.Suite2pyOps.insert1({**key, "ops_name": change.new_name})

    def _relocate(self, relocation: Relocation) -> None:
        self._imaging.MetaSession.update1(
            {
                "metasession_name": relocation.metasession_name,
                "repository_name": relocation.repository_name,
                "metasession_folder": relocation.folder,
                "suite2p_folder": relocation.suite2p_folder,
            }
        )
        for file in relocation.missed:
            address = address_of(file.path, file.part)
            self._imaging.PhysicalFile.update1(
                {
                    "dataset_name": file.dataset_name,
                    "file_order": file.file_order,
                    "repository_name": relocation.repository_name,
                    "file_path": file.path,
                    "path_hash": names.hash16(relocation.repository_name, address),
                }
            )

    def _insert_sessions(self) -> None:
        orders = {
            (metasession, name): number
            for metasession, ordered in self._changes.session_order
            for number, name in enumerate(ordered)
        }
        request = self._requested.request
        new = [each for each in self._changes.sessions if each.verdict is not SessionVerdict.KNOWN]
        keys = [
            {"metasession_name": each.metasession_name, "session_name": each.session.session_name}
            for each in new
        ]
        # Not by the table class, which would hold all sessions there are against their MetaSessions.
        plain_rows.insert(
            self._imaging.Session,
            [
                {
                    **key,
                    # A folder that is registered for another animal is refused before.
                    "animal_id": request.animal_id,
                    "datasource_id": request.datasource_id,
                    "session_order": orders.pop((each.metasession_name, each.session.session_name)),
                    "session_timestamp": each.session.start,
                    "timeseries_name": each.session.timeseries_name,
                }
                for key, each in zip(keys, new, strict=True)
            ],
        )
        if self._requested.sessiontype:
            self._imaging.Session.SessionType.insert(
                {**key, "sessiontype": self._requested.sessiontype} for key in keys
            )
        # What is left are stored sessions, which may have another place in the order now.
        for (metasession, name), number in orders.items():
            key = {"metasession_name": metasession, "session_name": name}
            self._imaging.Session.update1({**key, "session_order": number})

    def _write_datasets(self) -> None:
        """Write all datasets table by table: a folder may have many, and one statement for all is faster."""
        physical_file = self._imaging.PhysicalFile
        moved = [each for each in self._changes.datasets if each.difference is Difference.LOCATION]
        for row in self._file_rows(moved):
            # A hash that is not known now stays: it is that of the content which was imported.
            known = row if row["content_hash"] else {k: v for k, v in row.items() if k != "content_hash"}
            physical_file.update1(known)
        rewritten = [
            each
            for each in self._changes.datasets
            if each.verdict is not DatasetVerdict.KNOWN and each not in moved
        ]
        new = [each.dataset for each in rewritten if each.verdict is DatasetVerdict.NEW]
        columns = ("dataset_name", "datasettype", "filetype", "bundle")
        self._imaging.Dataset.insert({name: getattr(each, name) for name in columns} for each in new)
        changed = [each.dataset for each in rewritten if each.verdict is DatasetVerdict.CHANGED]
        # Not updated: there may be more or fewer files than before.
        if changed:
            (physical_file & [{"dataset_name": each.dataset_name} for each in changed]).delete_quick()
        # Duplicates: an output that another session shares is linked already, but not yet to one that joined.
        links = (
            {
                "dataset_name": each.dataset.dataset_name,
                "metasession_name": each.metasession_name,
                "session_name": name,
            }
            for each in (*rewritten, *(each for each in moved if each.has_no_session))
            for name in each.session_names
        )
        self._imaging.Session.Data.insert(links, skip_duplicates=True)
        plain_rows.insert(physical_file, self._file_rows(rewritten))

    def _write_curations(self) -> None:
        self._imaging.Curation.insert(
            {
                "curation_request": self._requested.number,
                "curated_dataset": each.dataset_name,
                "curated_session": each.session_name,
                "curated_metasession": each.metasession_name,
                "curated_bundle": each.bundle,
                "curation_username": self._requested.request.username,
                "cells_added": list(each.added),
                "cells_removed": list(each.removed),
            }
            for each in self._changes.curations
        )

    def _file_rows(self, changes: Iterable[DatasetChange]) -> list[Row]:
        return [
            {
                "dataset_name": change.dataset.dataset_name,
                "file_order": order,
                "acquisition": file.acquisition,
                "repository_name": file.repository_name,
                "file_path": file.path,
                "file_part": file.part,
                "file_parts": dict(file.parts) or None,
                "path_hash": names.hash16(*file.location),
                "size_bytes": file.size_bytes,
                "modified": file.modified,
                "fingerprint": file.fingerprint,
                "pages_taken": file.pages_taken,
                "content_hash": file.content_hash or None,
            }
            for change in changes
            # Where the content is the stored one, so is the order: `update1` finds a row by it.
            for order, file in zip(
                change.file_orders or range(len(change.dataset.files)), change.dataset.files, strict=True
            )
        ]
