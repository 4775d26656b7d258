"""How a dataset's files differ from the registered ones."""

from __future__ import annotations

from collections.abc import Sequence

from imaging_pipeline.ingest.changed import Difference
from imaging_pipeline.ingest.known import KnownDataset, KnownFile
from imaging_pipeline.ingest.listed import listed
from imaging_pipeline.ingest.planned import PlannedDataset, PlannedFile

_CURATION = "iscell.npy"


def difference(
    planned: PlannedDataset, known: KnownDataset, repository_name: str
) -> tuple[Difference | None, str]:
    """Say how a dataset differs from the registered one, and why; None and nothing where it does not.

    Files that are only gone make no difference: their rows stay.
    """
    before = [file.content for file in known.files]
    after = [(file.size_bytes, file.fingerprint) for file in planned.files]
    if before == after:
        return _difference_of_places(planned.files, known.files, repository_name)
    if _is_subsequence(after, before):
        return None, ""
    by_path = {file.path: file for file in known.files}
    replaced, added = [], []
    for file, content in zip(planned.files, after, strict=True):
        if file.path in by_path and by_path[file.path].content != content:
            replaced.append(file.name)
        elif content not in before:
            added.append(file.name)
    if replaced == [_CURATION] and len(after) == len(before) and not added:
        return Difference.CURATION, "curated: iscell.npy was written anew"
    told = [f"{word} {listed(each)}" for word, each in (("replaced", replaced), ("added", added)) if each]
    return Difference.CONTENT, "; ".join(told) or "its files stand in another order"


def _difference_of_places(
    planned: Sequence[PlannedFile], known: Sequence[KnownFile], repository_name: str
) -> tuple[Difference | None, str]:
    pairs = list(zip(planned, known, strict=True))
    moved = [file.name for file, before in pairs if (repository_name, file.path) != before.place]
    if moved:
        return Difference.PLACE, f"moved {listed(moved)}"
    touched = [file.name for file, before in pairs if file.modified != before.modified]
    if touched:
        return Difference.PLACE, f"written again with the same content: {listed(touched)}"
    return None, ""


def _is_subsequence(part: Sequence[object], whole: Sequence[object]) -> bool:
    remaining = iter(whole)
    return all(item in remaining for item in part)
