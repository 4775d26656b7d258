"""How a dataset's files differ from the stored ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from imaging_pipeline.ingest.folder_changes import Difference
from imaging_pipeline.ingest.records import DatasetRecord, FileRecord
from imaging_pipeline.segmentation.registry import OUTPUT_TYPES, segmentation_package
from imaging_pipeline.wording import shortened_list

# Size in bytes, fingerprint, and pages that are taken of a damaged tif.
_Sampled = tuple[int, str, int | None]
# The same, and the hash of all the content where both files have one.
_Content = tuple[_Sampled, str]


@dataclass(frozen=True)
class FileDifference:
    """How a dataset's files differ from the registered ones.

    Attributes
    ----------
    kind, reason
        What it is, and why; None and nothing where they are the same.
    file_orders
        The order of each planned file among the stored ones; empty where the content of one differs.
    """

    kind: Difference | None
    reason: str
    file_orders: tuple[int, ...] = ()


def _sampled(file: FileRecord) -> _Sampled:
    # A copy that is made whole may differ from the damaged one in bytes only that no fingerprint samples.
    return (*file.content, file.pages_taken)


def difference(planned: DatasetRecord, stored: DatasetRecord) -> FileDifference:
    """Return how a planned dataset differs from the stored one, and why.

    Files that are only gone make no difference: rows stay, unless the others have a new path or time.
    """
    before = [_content(file) for file in stored.files]
    hashes = dict(before)
    after = [_content(file, hashes) for file in planned.files]
    file_orders = _file_orders(after, before)
    if file_orders is not None:
        kind, reason = _moved_or_rewritten(planned.files, [stored.files[number] for number in file_orders])
        return FileDifference(kind, reason, file_orders)
    by_address = {file.address: file for file in stored.files}
    # Of an output that was moved, too, the files keep their names.
    by_name = {file.name: file for file in stored.files} if planned.datasettype in OUTPUT_TYPES else {}
    replaced, added = [], []
    for file, content in zip(planned.files, after, strict=True):
        former = by_address.get(file.address) or by_name.get(file.name)
        if former is not None and _content(former) != content:
            replaced.append(file.name)
        elif content not in before:
            added.append(file.name)
    if len(after) == len(before) and _is_curation(planned, stored, replaced, added):
        return FileDifference(
            Difference.CURATION, f"curated: {shortened_list([*replaced, *added])} was written anew"
        )
    reasons = [
        f"{word} {shortened_list(each)}" for word, each in (("replaced", replaced), ("added", added)) if each
    ]
    return FileDifference(Difference.CONTENT, "; ".join(reasons) or "its files stand in another order")


def _content(file: FileRecord, hashes: Mapping[_Sampled, str] | None = None) -> _Content:
    """Return what a file is compared by; a planned one with the hashes of the stored ones that look alike."""
    sampled = _sampled(file)
    if hashes is None:
        return sampled, file.content_hash
    known = hashes.get(sampled, "")
    # All of the content counts only where it is known of both.
    return sampled, (file.content_hash or known) if known else ""


def _is_curation(
    planned: DatasetRecord, stored: DatasetRecord, replaced: Sequence[str], added: Sequence[str]
) -> bool:
    """Return True if only labels differ, and nothing measured that lies in the same file as they do."""
    if planned.datasettype not in OUTPUT_TYPES:
        return False
    measured_hash = "" if planned.labels is None else planned.labels.measured_hash
    is_measured_anew = bool(stored.measured_hashes - {measured_hash})
    return segmentation_package(planned.datasettype).is_curation(replaced, added) and not is_measured_anew


def _moved_or_rewritten(
    planned: Sequence[FileRecord], stored: Sequence[FileRecord]
) -> tuple[Difference | None, str]:
    pairs = list(zip(planned, stored, strict=True))
    moved = [file.name for file, before in pairs if file.location != before.location]
    if moved:
        return Difference.LOCATION, f"moved {shortened_list(moved)}"
    touched = [file.name for file, before in pairs if file.modified != before.modified]
    if touched:
        return Difference.LOCATION, f"written again with the same content: {shortened_list(touched)}"
    return None, ""


def _file_orders(after: Sequence[_Content], before: Sequence[_Content]) -> tuple[int, ...] | None:
    """Return the positions of planned contents among the stored ones; None unless all are there in order."""
    # One iterator for all: each search continues after the last match, so that the order counts.
    remaining = iter(enumerate(before))
    orders = []
    for content in after:
        number = next((number for number, each in remaining if each == content), None)
        if number is None:
            return None
        orders.append(number)
    return tuple(orders)
