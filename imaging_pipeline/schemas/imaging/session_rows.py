"""Writing the changes that a registration makes, within the open transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from imaging_pipeline import names
from imaging_pipeline.errors import InputError
from imaging_pipeline.experiments.dataset_types import TIF
from imaging_pipeline.ingest.changed import (
    Changes,
    DatasetChange,
    DatasetVerdict,
    Difference,
    OptionSetChange,
    SessionVerdict,
)
from imaging_pipeline.ingest.planned import PlannedDataset, PlannedMetaSession
from imaging_pipeline.readers.restricted_unpickler import load_npy
from imaging_pipeline.schemas.tables import Tables

from . import purge
from .fetching import Row

Reasons = dict[str, tuple[int, str]]


class Writer:
    """Writes the changes of one request, and remembers what was purged and why, and what to tell.

    Parameters
    ----------
    tables
        The database, with a transaction open.
    base_folder
        The row of the request.
    changes
        What is to be done.
    """

    def __init__(self, tables: Tables, base_folder: Row, changes: Changes) -> None:
        self._tables = tables
        self._imaging = tables.imaging
        self._base_folder = base_folder
        self._changes = changes
        self.purged: Reasons = {}
        self.findings: list[str] = []

    def write(self) -> None:
        """Purge what is out of date, then write what is new."""
        self._purge_outdated()
        for metasession in self._changes.new_metasessions:
            self._insert_metasession(metasession)
        for option_set in self._changes.option_sets:
            self._set_options(option_set)
        for relocation in self._changes.relocations:
            self._imaging.MetaSession.update1(
                {
                    "metasession_name": relocation.metasession_name,
                    "repository_name": relocation.repository_name,
                    "metasession_folder": relocation.folder,
                    "suite2p_folder": relocation.suite2p_folder,
                }
            )
        self._insert_sessions()
        for metasession_name in self.touched():
            self._complete_hardware({"metasession_name": metasession_name})
        for dataset in self._changes.datasets:
            self._write_dataset(dataset)

    def touched(self) -> list[str]:
        """Give the names of all MetaSessions that the request met."""
        of_sessions = {each.metasession_name for each in self._changes.sessions}
        return sorted(of_sessions | {each.metasession_name for each in self._changes.datasets})

    def _purge_outdated(self) -> None:
        for each in self._changes.purges:
            key = {"dataset_name": each.dataset_name}
            if each.keeps_dataset:
                self._purge_below(key, each.metasession_name, each.session_names, each.reason)
            else:
                self._purge(self._imaging.Dataset & key, each.reason)
        for name, reason in self._outdated_runs().items():
            self._purge_run(name, reason)

    def _outdated_runs(self) -> dict[str, str]:
        """Give the MetaSessions whose tifs are others now, so that Suite2p is to run again."""
        joined = {
            each.metasession_name: f"session '{each.session.timeseries_name}' joined"
            for each in self._changes.sessions
            if each.verdict is SessionVerdict.JOINED
        }
        changed = {
            each.metasession_name: each.reason
            for each in self._changes.datasets
            if each.dataset.datasettype == TIF and each.difference is Difference.CONTENT
        }
        return joined | changed

    def _purge_run(self, metasession_name: str, reason: str) -> None:
        links = self._imaging.MetaSession.Suite2pyOps & {"metasession_name": metasession_name}
        rows = links.to_dicts()
        if rows:
            self._purge(links, reason)
            self._imaging.MetaSession.Suite2pyOps.insert(rows)

    def _purge_below(
        self, key: Row, metasession_name: str, session_names: Sequence[str], reason: str
    ) -> None:
        """Delete what is derived from a dataset below some sessions, and link it to them again."""
        links = self._imaging.Session.Data & [
            {**key, "metasession_name": metasession_name, "session_name": name} for name in session_names
        ]
        rows = links.to_dicts()
        if rows:
            self._purge(links, reason)
            self._imaging.Session.Data.insert(rows)

    def _purge(self, seed: Any, reason: str) -> None:
        for table, rows in purge.purge([seed]).items():
            before = self.purged.get(table, (0, reason))
            self.purged[table] = before[0] + rows, before[1]

    def _insert_metasession(self, metasession: PlannedMetaSession) -> None:
        request = self._base_folder
        key = {"metasession_name": metasession.metasession_name}
        taken = ("animal_id", "datasource_id", "username", "experiment_type", "repository_name", "combined")
        self._imaging.MetaSession.insert1(
            {
                **key,
                **{name: request[name] for name in taken},
                "metasession_folder": request["folder"],
                "suite2p_folder": metasession.suite2p_folder,
            }
        )

    def _complete_hardware(self, key: Row) -> None:
        """Note setup and scope of a MetaSession that has none yet; other ones are told, not changed."""
        parts = (
            (self._imaging.MetaSession.Setup, "setup_name", self._base_folder["setup"]),
            (self._imaging.MetaSession.Scope, "scope_name", self._base_folder["scope_name"]),
        )
        for part, column, wanted in parts:
            noted = (part & key).to_arrays(column).tolist()
            if wanted and not noted:
                named = self._calibration(key) if column == "setup_name" else {column: wanted}
                part.insert1({**key, **named})
            elif wanted and wanted not in noted:
                self.findings.append(
                    f"MetaSession {key['metasession_name']} stays with the {column} {noted[0]}, although the"
                    f" request says {wanted}"
                )

    def _calibration(self, key: Row) -> Row:
        """Give the newest calibration of the setup that is not after the start of the first session."""
        starts = (self._imaging.Session & key).to_arrays("session_timestamp")
        day = min(starts.tolist()).date()
        name = self._base_folder["setup"]
        calibrations = self._imaging.Setup & {"setup_name": name}
        dates = sorted(calibrations.to_arrays("setup_date").tolist())
        before = [date for date in dates if date <= day]
        if not before:
            raise InputError(
                f"The setup {name} has no calibration for the day of the recording",
                found=f"recorded on {day}, calibrated on {', '.join(str(date) for date in dates)}",
                remedy=f"Add a calibration of {name} with a date not after {day}.",
            )
        return {"setup_name": name, "setup_date": before[-1]}

    def _set_options(self, change: OptionSetChange) -> None:
        key = {"metasession_name": change.metasession_name}
        links = self._imaging.MetaSession.Suite2pyOps & key
        if links:
            self._purge(links, f"the option set is now {change.new_name}")
        self._imaging.MetaSession.Suite2pyOps.insert1({**key, "ops_name": change.new_name})

    def _insert_sessions(self) -> None:
        orders = {
            (metasession, name): number
            for metasession, ordered in self._changes.session_order
            for number, name in enumerate(ordered)
        }
        for each in self._changes.sessions:
            if each.verdict is SessionVerdict.KNOWN:
                continue
            self._imaging.Session.insert1(
                {
                    "metasession_name": each.metasession_name,
                    "session_name": each.session.session_name,
                    "session_order": orders.pop((each.metasession_name, each.session.session_name)),
                    "session_timestamp": each.session.start,
                    "timeseries_name": each.session.timeseries_name,
                }
            )
        for (metasession, name), number in orders.items():
            key = {"metasession_name": metasession, "session_name": name}
            self._imaging.Session.update1({**key, "session_order": number})

    def _write_dataset(self, change: DatasetChange) -> None:
        dataset = change.dataset
        key = {"dataset_name": dataset.dataset_name}
        if change.verdict is DatasetVerdict.NEW:
            self._imaging.Dataset.insert1(
                {
                    **key,
                    "datasettype": dataset.datasettype,
                    "filetype": dataset.filetype,
                    "bundle": dataset.bundle,
                }
            )
        elif change.verdict is DatasetVerdict.CHANGED:
            if change.difference is Difference.CURATION:
                self._purge_other_cells(change)
            self._delete_files(key, change.reason)
        else:
            return
        # A session may have joined that a known output of the MetaSession is to be linked to as well.
        self._imaging.Session.Data.insert(
            (
                {**key, "metasession_name": change.metasession_name, "session_name": name}
                for name in change.session_names
            ),
            skip_duplicates=True,
        )
        self._imaging.PhysicalFile.insert(_file_rows(dataset, self._base_folder["repository_name"]))

    def _delete_files(self, key: Row, reason: str) -> None:
        """Delete the rows of a dataset's files, which are written anew, and what people hung below them."""
        files = self._imaging.PhysicalFile & key
        self._purge(files, reason)
        del self.purged[self._imaging.PhysicalFile.full_table_name]

    def _purge_other_cells(self, change: DatasetChange) -> None:
        """Delete what was imported of a curated output where another set of regions are cells now."""
        curated = next(file for file in change.dataset.files if file.name == "iscell.npy")
        labels = load_npy(self._tables.local_path(self._base_folder["repository_name"], curated.path))
        marked = set(np.flatnonzero(labels[:, 0]).tolist())
        key = {"dataset_name": change.dataset.dataset_name}
        for imported in (self._imaging.Cell & key).keys():  # noqa: SIM118  DataJoint's keys, not a mapping's
            stored = set((self._imaging.Cell.Rois & imported).to_arrays("cell_id").tolist())
            if stored != marked:
                reason = f"curated: {len(marked - stored)} cells added, {len(stored - marked)} removed"
                self._purge_below(key, change.metasession_name, [imported["session_name"]], reason)


def _file_rows(dataset: PlannedDataset, repository_name: str) -> list[Row]:
    return [
        {
            "dataset_name": dataset.dataset_name,
            "file_order": order,
            "acquisition": file.acquisition,
            "repository_name": repository_name,
            "file_path": file.path,
            "path_hash": names.hash16(repository_name, file.path),
            "size_bytes": file.size_bytes,
            "modified": file.modified,
            "fingerprint": file.fingerprint,
        }
        for order, file in enumerate(dataset.files)
    ]
