"""How a dataset's files differ from the registered ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from imaging_pipeline.ingest.folder_changes import Difference
from imaging_pipeline.ingest.known import KnownDataset, KnownFile
from imaging_pipeline.ingest.listed import listed
from imaging_pipeline.ingest.records import PlannedDataset, PlannedFile
from imaging_pipeline.segmentation.registry import OUTPUT_TYPES, segmentation_package

# Size in bytes, and characters of the content.
Fingerprint = tuple[int, str]


@dataclass(frozen=True)
class FileDifference:
    """How a dataset's files differ from the registered ones.

    Attributes
    ----------
    kind, reason
        What it is, and why; None and nothing where they are the same.
    registered
        For each planned file its place among the registered ones; empty where a file is another.
    """

    kind: Difference | None
    reason: str
    registered: tuple[int, ...] = ()


def difference(planned: PlannedDataset, known: KnownDataset, repository_name: str) -> FileDifference:
    """Return how a dataset differs from the registered one, and why.

    Files that are only gone make no difference: rows stay, unless the others have a new place or time.
    """
    before = [file.content for file in known.files]
    after = [file.content for file in planned.files]
    registered = _registered(after, before)
    if registered is not None:
        kind, reason = _difference_of_places(
            planned.files, [known.files[number] for number in registered], repository_name
        )
        return FileDifference(kind, reason, registered)
    by_address = {file.address: file for file in known.files}
    replaced, added = [], []
    for file, content in zip(planned.files, after, strict=True):
        before_here = by_address.get(file.address)
        if before_here is not None and before_here.content != content:
            replaced.append(file.name)
        elif content not in before:
            added.append(file.name)
    if len(after) == len(before) and _is_curation(planned, known, replaced, added):
        return FileDifference(Difference.CURATION, f"curated: {listed([*replaced, *added])} was written anew")
    told = [f"{word} {listed(each)}" for word, each in (("replaced", replaced), ("added", added)) if each]
    return FileDifference(Difference.CONTENT, "; ".join(told) or "its files stand in another order")


def _is_curation(
    planned: PlannedDataset, known: KnownDataset, replaced: Sequence[str], added: Sequence[str]
) -> bool:
    """Return True if only labels differ: where they share a file with what was measured, that is the same."""
    if planned.datasettype not in OUTPUT_TYPES:
        return False
    is_measured_anew = bool(known.measured_hashes - {planned.measured_hash})
    return segmentation_package(planned.datasettype).is_curation(replaced, added) and not is_measured_anew


def _difference_of_places(
    planned: Sequence[PlannedFile], known: Sequence[KnownFile], repository_name: str
) -> tuple[Difference | None, str]:
    pairs = list(zip(planned, known, strict=True))
    moved = [file.name for file, before in pairs if (repository_name, file.address) != before.place]
    if moved:
        return Difference.PLACE, f"moved {listed(moved)}"
    touched = [file.name for file, before in pairs if file.modified != before.modified]
    if touched:
        return Difference.PLACE, f"written again with the same content: {listed(touched)}"
    return None, ""


def _registered(after: Sequence[Fingerprint], before: Sequence[Fingerprint]) -> tuple[int, ...] | None:
    """Find the planned contents among the registered ones, in order; None where another is among them."""
    remaining = iter(enumerate(before))
    found = []
    for content in after:
        number = next((number for number, each in remaining if each == content), None)
        if number is None:
            return None
        found.append(number)
    return tuple(found)
