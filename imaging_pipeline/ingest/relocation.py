"""Where a stored meta-session is now, if its folder was moved or renamed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from imaging_pipeline.ingest.folder_changes import (
    DatasetChange,
    DatasetVerdict,
    Difference,
    MissedFile,
    Purge,
    PurgeSeed,
    Relocation,
)
from imaging_pipeline.ingest.matching import MetaSessionMatch
from imaging_pipeline.ingest.records import MetaSessionRecord, Request


def relocations(
    request: Request, match: MetaSessionMatch, datasets: Sequence[DatasetChange], purges: Sequence[Purge]
) -> Iterator[Relocation]:
    """Yield the new folders of a stored meta-session, if they have changed.

    Parameters
    ----------
    request
        The request for the folder.
    match
        The meta-session as planned, and as stored.
    datasets
        The changes of all its datasets that are there.
    purges
        What of it is out of date.
    """
    planned, stored = match.planned, match.stored
    if stored is None:
        return
    # A folder that is named after its session has the stored name, which stays when the folder is moved.
    suite2p_folder = planned.suite2p_folder.replace(planned.metasession_name, stored.metasession_name)
    if stored.request.location != request.location:
        # A session that is still in the former folder keeps its MetaSession there.
        if all(each.has_moved or each.stored is None for each in match.sessions):
            purged = {each.dataset_name for each in purges if each.seed is PurgeSeed.DATASET}
            missed = tuple(
                each for each in _missed(request, stored, datasets) if each.dataset_name not in purged
            )
            yield Relocation(stored.metasession_name, *request.location, suite2p_folder, missed)
        return
    # A folder that is not named after its session has the name of files beside it, which may be renamed.
    is_named = planned.metasession_name in planned.suite2p_folder
    if not is_named and stored.suite2p_folder != suite2p_folder:
        yield Relocation(stored.metasession_name, *request.location, suite2p_folder)


def _missed(
    request: Request, stored: MetaSessionRecord, datasets: Sequence[DatasetChange]
) -> Iterator[MissedFile]:
    """Yield the files that are gone, with the paths that they would have beside the moved ones."""
    arrived = {
        each.dataset.dataset_name: each.file_orders
        for each in datasets
        if each.verdict is DatasetVerdict.KNOWN or each.difference is Difference.LOCATION
    }
    # All files of these are written anew with their paths, so that none of them is left at its former one.
    written = {each.dataset.dataset_name for each in datasets} - set(arrived)
    former_folder = f"{stored.request.folder}/"
    recorded = (dataset for session in stored.sessions for dataset in session.datasets)
    for dataset in (*recorded, *stored.datasets):
        for order, file in enumerate(dataset.files):
            has_not_arrived = file.is_gone and order not in arrived.get(dataset.dataset_name, ())
            is_same_repository = file.repository_name == stored.request.repository_name
            is_of_folder = is_same_repository and file.path.startswith(former_folder)
            if has_not_arrived and is_of_folder and dataset.dataset_name not in written:
                path = request.below_repository(file.path.removeprefix(former_folder))
                yield MissedFile(dataset.dataset_name, order, path, file.part)
