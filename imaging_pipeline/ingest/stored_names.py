"""Outputs that are stored under another name: a rename keeps what is derived."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from imaging_pipeline.ingest.dataset_difference import difference
from imaging_pipeline.ingest.folder_changes import Difference
from imaging_pipeline.ingest.records import DatasetRecord


def under_stored_names(
    planned: Sequence[DatasetRecord], stored: Sequence[DatasetRecord]
) -> tuple[DatasetRecord, ...]:
    """Return planned outputs of a meta-session under the bundles that they are stored under.

    An output is named after the option set that is requested, or after a folder. Where either name changes,
    its files tell that it is stored: they are at the same place, or were moved and are the same.
    """
    return tuple(_under_stored_names(planned, stored))


def _under_stored_names(
    planned: Sequence[DatasetRecord], stored: Sequence[DatasetRecord]
) -> Iterator[DatasetRecord]:
    bundles = {dataset.bundle for dataset in planned}
    known = {dataset.bundle for dataset in stored}
    left = [dataset for dataset in stored if dataset.bundle not in bundles]
    for dataset in planned:
        former = next((each for each in left if _is_renamed(dataset, each)), None)
        if dataset.bundle in known or former is None:
            yield dataset
            continue
        left.remove(former)
        yield replace(dataset, bundle=former.bundle)


def _is_renamed(planned: DatasetRecord, stored: DatasetRecord) -> bool:
    """Return True if a planned output is a stored one, although its name is another."""
    if _plane(planned) != _plane(stored):
        return False
    places = {file.location for file in stored.files}
    if all(file.location in places for file in planned.files):
        return True
    is_gone = all(file.is_gone for file in stored.files)
    return is_gone and difference(planned, stored).kind is not Difference.CONTENT


def _plane(dataset: DatasetRecord) -> tuple[str, str]:
    return dataset.datasettype, dataset.bundle.rpartition("/")[2]
