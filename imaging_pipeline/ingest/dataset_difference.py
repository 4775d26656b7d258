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

    Files that are only gone make no difference: rows stay, unless the others have a new place or time.
    """
    before = [file.content for file in known.files]
    after = [(file.size_bytes, file.fingerprint) for file in planned.files]
    still_there = _still_there(planned.files, known.files)
    if still_there is not None:
        return _difference_of_places(planned.files, still_there, repository_name)
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


def _still_there(planned: Sequence[PlannedFile], known: Sequence[KnownFile]) -> list[KnownFile] | None:
    """Give the registered files that the planned ones are, in order, or None where another is among them."""
    remaining = iter(known)
    found = []
    for file in planned:
        content = (file.size_bytes, file.fingerprint)
        before = next((each for each in remaining if each.content == content), None)
        if before is None:
            return None
        found.append(before)
    return found
