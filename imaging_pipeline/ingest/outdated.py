"""What of a stored meta-session is out of date and so is purged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from imaging_pipeline.experiments.dataset_types import BAD_FRAMES
from imaging_pipeline.ingest.dataset_difference import difference
from imaging_pipeline.ingest.folder_changes import (
    Curation,
    DatasetChange,
    DatasetVerdict,
    Difference,
    OptionSetChange,
    Purge,
    PurgeSeed,
    SessionChange,
    SessionVerdict,
)
from imaging_pipeline.ingest.matching import MetaSessionMatch
from imaging_pipeline.ingest.records import DatasetRecord, Plan
from imaging_pipeline.ingest.verdicts import OutputVerdict
from imaging_pipeline.readers.suite2p.bad_frames import FILE_NAME
from imaging_pipeline.segmentation.registry import segmentation_package
from imaging_pipeline.wording import shortened_list

_MERGED = "combined"
_REMOVED = f"{FILE_NAME} was taken away"


@dataclass(frozen=True)
class OutdatedOutput:
    """A stored Suite2p output that is deleted, and why."""

    dataset: DatasetRecord
    reason: str


class Outdated:
    """What is out of date of the stored meta-session that a planned one is.

    Parameters
    ----------
    plan
        What the folder means.
    analysed
        The dataset type that Suite2p runs on.
    match
        The planned meta-session and the stored one.
    sessions, recordings
        The changes of its sessions and of their recorded datasets.
    option_set
        The change of the option set, or None.

    Attributes
    ----------
    outputs
        Suite2p outputs that are deleted, by their bundle.
    """

    def __init__(
        self,
        plan: Plan,
        analysed: str,
        match: MetaSessionMatch,
        sessions: Iterable[SessionChange],
        recordings: Iterable[DatasetChange],
        option_set: OptionSetChange | None,
    ) -> None:
        self._plan = plan
        self._analysed = analysed
        self._match = match
        self._stored = match.stored
        self._option_set = option_set
        self._reasons = [*_joined(sessions), *_changed(recordings, analysed)]
        self._list_reasons = sorted(set(self._lists(recordings)))
        self._other_set = [] if option_set is None else [_option_set_reason(option_set)]
        self.outputs = {output.dataset.bundle: output for output in self._outdated_outputs()}

    def purges(self, session_names: tuple[str, ...], datasets: Sequence[DatasetChange]) -> Iterator[Purge]:
        """Yield what is to be purged.

        Parameters
        ----------
        session_names
            All sessions of the meta-session.
        datasets
            The changes of all its datasets that are there.
        """
        if self._stored is None:
            return
        name = self._stored.metasession_name
        for output in self.outputs.values():
            dataset_name = output.dataset.dataset_name
            yield Purge(PurgeSeed.DATASET, name, output.reason, session_names, dataset_name)
        for change in datasets:
            yield from self._of_dataset(change)
        for dataset in self._removed_lists():
            yield Purge(PurgeSeed.DATASET, name, _REMOVED, session_names, dataset.dataset_name)
        # A run is below the option set of its MetaSession.
        reasons = [*self._reasons, *self._other_set, *self._list_reasons]
        if self._stored.request.ops_name is not None and reasons:
            yield Purge(PurgeSeed.RUN, name, shortened_list(reasons, "; "))

    def curations(self, datasets: Iterable[DatasetChange]) -> Iterator[Curation]:
        """Yield a curation for each import of an output whose cells have changed since.

        Also where the file is as it was registered: an import takes the labels that are there when it begins,
        and a person may have written others since, and then the former ones again.
        """
        stored = {each.dataset_name: each for each in (self._stored.datasets if self._stored else ())}
        for change in datasets:
            name, labels = change.dataset.dataset_name, change.dataset.labels
            if change.difference not in (Difference.CURATION, Difference.LOCATION) or labels is None:
                continue
            cell_ids = labels.cell_ids
            for imported in stored[name].imported:
                added, removed = sorted(cell_ids - imported.cell_ids), sorted(imported.cell_ids - cell_ids)
                if added or removed:
                    yield Curation(
                        change.metasession_name,
                        imported.session_name,
                        name,
                        change.dataset.bundle,
                        tuple(added),
                        tuple(removed),
                    )

    def _of_dataset(self, change: DatasetChange) -> Iterator[Purge]:
        """Yield what is purged of a dataset that stays: what is derived from it or from its files."""
        owner, name = change.metasession_name, change.dataset.dataset_name
        reasons = []
        if change.difference is Difference.CONTENT:
            reasons = [_reason(change)]
            yield Purge(PurgeSeed.LINKS, owner, reasons[0], change.session_names, name)
        for curation in self.curations([change]):
            reasons.append(curation.reason)
            yield Purge(PurgeSeed.LINKS, owner, curation.reason, (curation.session_name,), name)
        # Also where a curation changed no cell: the rows of its files have the former fingerprint.
        if change.difference in (Difference.CONTENT, Difference.CURATION):
            reason = shortened_list(list(dict.fromkeys(reasons)), "; ") or _reason(change)
            yield Purge(PurgeSeed.FILES, owner, reason, change.session_names, name)

    def _lists(self, recordings: Iterable[DatasetChange]) -> Iterator[str]:
        """Yield how the list of frames that a run leaves out has changed; outputs made by hand stay."""
        known = {each.stored.session_name for each in self._match.sessions if each.stored}
        for each in recordings:
            if each.dataset.datasettype != BAD_FRAMES or not known.intersection(each.session_names):
                continue
            if each.verdict is DatasetVerdict.NEW:
                yield f"{FILE_NAME} was added"
            elif each.difference is Difference.CONTENT:
                yield f"{FILE_NAME} was replaced"
        if any(self._removed_lists()):
            yield _REMOVED

    def _removed_lists(self) -> Iterator[DatasetRecord]:
        """Yield stored lists that were taken away from tifs that are still there."""
        for match in self._match.sessions:
            planned = {dataset.datasettype for dataset in match.planned.datasets}
            stored = match.stored.datasets if match.stored and not match.is_refused else ()
            paths = {
                file.path
                for dataset in match.planned.datasets
                if dataset.datasettype == self._analysed
                for file in dataset.files
            }
            if BAD_FRAMES in planned or paths <= set(self._plan.gone):
                continue
            for dataset in stored:
                if dataset.datasettype == BAD_FRAMES and all(file.is_gone for file in dataset.files):
                    yield dataset

    def _outdated_outputs(self) -> Iterator[OutdatedOutput]:
        planned = {dataset.bundle for dataset in self._match.planned.datasets}
        for dataset in self._stored.datasets if self._stored else ():
            reason = ""
            if self._reasons and not self._is_made_anew(dataset):
                other_set = self._other_set if self._is_of_old_set(dataset) else []
                reason = shortened_list([*self._reasons, *other_set], "; ")
            elif dataset.bundle not in planned:
                reason = self._superseded(dataset) or self._replaced(dataset)
            if reason:
                yield OutdatedOutput(dataset, reason)

    def _is_made_anew(self, stored: DatasetRecord) -> bool:
        """Return True if a finished output of the present tifs has replaced a stored one."""
        for dataset in self._match.planned.datasets:
            if dataset.bundle == stored.bundle:
                return difference(dataset, stored).kind is Difference.CONTENT
        return False

    def _is_of_old_set(self, stored: DatasetRecord) -> bool:
        """Return True if an output was made with an option set that is no longer requested."""
        takes_option_sets = segmentation_package(stored.datasettype).run_name is None
        requested = self._option_set
        if requested is None or not takes_option_sets:
            return False
        return stored.bundle.split("/")[0] != requested.new_name

    def _superseded(self, stored: DatasetRecord) -> str:
        """Return why the output of a stored dataset is out of date, or nothing."""
        if self._is_of_old_set(stored):
            return shortened_list(self._other_set)
        # Some files of an output lie in its own folder, and others in a folder below.
        folders = {folder for file in stored.files for folder in list(PurePosixPath(file.path).parents)[:2]}
        for output in self._plan.outputs:
            is_same = output.datasettype == stored.datasettype and PurePosixPath(output.path) in folders
            if output.verdict is OutputVerdict.SUPERSEDED and is_same:
                return output.reason
        return ""

    def _replaced(self, stored: DatasetRecord) -> str:
        """Return which planned dataset has the cells of a stored one that is not planned, or nothing."""
        if any(session.is_refused for session in self._match.sessions):
            return ""
        ops_name, _, label = stored.bundle.rpartition("/")
        is_gone = all(file.is_gone for file in stored.files)
        contents = {file.content for file in stored.files}
        for dataset in self._match.planned.datasets:
            other_name, _, other_label = dataset.bundle.rpartition("/")
            # Merged planes hold the cells of all single ones, so that both together would count cells twice.
            if other_name == ops_name and _MERGED in (label, other_label):
                return f"the planes are imported {'merged' if other_label == _MERGED else 'one by one'} now"
            if is_gone and contents.issuperset(file.content for file in dataset.files):
                return f"the same output is now {dataset.bundle}"
        return ""


def _joined(sessions: Iterable[SessionChange]) -> Iterator[str]:
    for each in sessions:
        if each.verdict is SessionVerdict.JOINED:
            yield f"session '{each.session.timeseries_name}' joined"


def _changed(recordings: Iterable[DatasetChange], analysed: str) -> Iterator[str]:
    for each in recordings:
        if each.dataset.datasettype == analysed and each.difference is Difference.CONTENT:
            yield _reason(each)


def _reason(change: DatasetChange) -> str:
    return f"'{change.dataset.bundle}': {change.reason}"


def _option_set_reason(change: OptionSetChange) -> str:
    no_longer = f", no longer {change.old_name}" if change.old_name else ""
    return f"the option set is now {change.new_name}{no_longer}"
