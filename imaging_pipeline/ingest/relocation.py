"""Where a registered meta-session is now, if its folder was moved or renamed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from imaging_pipeline.ingest.folder_changes import (
    DatasetChange,
    DatasetVerdict,
    Difference,
    MissedFile,
    Relocation,
)
from imaging_pipeline.ingest.known import KnownMetaSession
from imaging_pipeline.ingest.matching import MetaSessionMatch
from imaging_pipeline.ingest.records import Request


def relocated(
    request: Request, match: MetaSessionMatch, datasets: Sequence[DatasetChange]
) -> Iterator[Relocation]:
    """Return the new place of a registered meta-session, if it has one.

    Parameters
    ----------
    request
        Whose folder was looked at.
    match
        The meta-session as planned, and as registered.
    datasets
        The changes of all its datasets that are there.
    """
    planned, known = match.planned, match.known
    if known is None:
        return
    suite2p_folder = planned.suite2p_folder.replace(planned.metasession_name, known.metasession_name)
    place = request.repository_name, request.folder
    if (known.repository_name, known.folder) != place:
        if all(each.has_moved or each.known is None for each in match.sessions):
            missed = tuple(_missed(request, known, datasets))
            yield Relocation(known.metasession_name, *place, suite2p_folder, missed)
        return
    # A folder that is not named after its session is named after what else lies beside it.
    is_named = planned.metasession_name in planned.suite2p_folder
    if not is_named and known.suite2p_folder != suite2p_folder:
        yield Relocation(known.metasession_name, *place, suite2p_folder)


def _missed(
    request: Request, known: KnownMetaSession, datasets: Sequence[DatasetChange]
) -> Iterator[MissedFile]:
    """Return the files that are away, so that they are missed where the others are now."""
    arrived = {
        each.dataset.dataset_name: each.file_orders
        for each in datasets
        if each.verdict is DatasetVerdict.KNOWN or each.difference is Difference.PLACE
    }
    written = {each.dataset.dataset_name for each in datasets} - set(arrived)
    before = f"{known.folder}/"
    recorded = (dataset for session in known.sessions for dataset in session.datasets)
    for dataset in (*recorded, *known.datasets):
        for order, file in enumerate(dataset.files):
            is_away = file.is_gone and order not in arrived.get(dataset.dataset_name, ())
            is_of_folder = file.repository_name == known.repository_name and file.path.startswith(before)
            if is_away and is_of_folder and dataset.dataset_name not in written:
                path = request.place_of(file.path.removeprefix(before))
                yield MissedFile(dataset.dataset_name, order, path, file.part)
