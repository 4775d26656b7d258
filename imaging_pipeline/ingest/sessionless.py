"""Datasets whose sessions a person deleted, taken up again by the sessions that are registered anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from imaging_pipeline.ingest.dataset_difference import difference
from imaging_pipeline.ingest.folder_changes import (
    DatasetChange,
    DatasetVerdict,
    Difference,
    FolderChanges,
    Purge,
    PurgeSeed,
)
from imaging_pipeline.ingest.records import DatasetRecord

_REASON = "no session had it any more"


def new_names(changes: FolderChanges) -> list[str]:
    """Return the names of the datasets that are to be written."""
    return [each.dataset.dataset_name for each in changes.datasets if each.verdict is DatasetVerdict.NEW]


def taken_up(changes: FolderChanges, sessionless: Mapping[str, DatasetRecord]) -> FolderChanges:
    """Return changes in which new datasets whose rows are there already keep these.

    Parameters
    ----------
    changes
        What is to be written.
    sessionless
        Stored datasets that no session has, by name.
    """
    datasets, purges = [], list(changes.purges)
    for each in changes.datasets:
        stored = sessionless.get(each.dataset.dataset_name)
        if stored is not None and each.verdict is DatasetVerdict.NEW:
            each = _taken_up(each, stored)
            if each.difference is Difference.CONTENT:
                name = each.dataset.dataset_name
                # What people noted of files that are others now.
                purges.append(
                    Purge(PurgeSeed.FILES, each.metasession_name, each.reason, each.session_names, name)
                )
        datasets.append(each)
    return replace(changes, datasets=tuple(datasets), purges=tuple(purges))


def _taken_up(change: DatasetChange, stored: DatasetRecord) -> DatasetChange:
    found = difference(change.dataset, stored)
    is_same = found.kind in (None, Difference.LOCATION)
    return replace(
        change,
        verdict=DatasetVerdict.CHANGED,
        difference=Difference.LOCATION if is_same else Difference.CONTENT,
        reason="; ".join(filter(None, [_REASON, found.reason])),
        file_orders=found.file_orders,
        has_no_session=True,
    )
