"""What of a registered meta-session is out of date, and so is to be purged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from imaging_pipeline.ingest.dataset_difference import difference
from imaging_pipeline.ingest.folder_changes import (
    Curation,
    DatasetChange,
    Difference,
    OptionSetChange,
    Purge,
    PurgeSeed,
    SessionChange,
    SessionVerdict,
)
from imaging_pipeline.ingest.known import KnownDataset
from imaging_pipeline.ingest.listed import listed
from imaging_pipeline.ingest.matching import MetaSessionMatch
from imaging_pipeline.ingest.records import OutputVerdict, Plan
from imaging_pipeline.segmentation.registry import segmentation_package

_MERGED = "combined"


@dataclass(frozen=True)
class OutdatedOutput:
    """A registered Suite2p output that goes for good, and why."""

    dataset: KnownDataset
    reason: str


class Outdated:
    """What is out of date of the registered meta-session that a planned one is.

    Parameters
    ----------
    plan
        What the folder means.
    analysed
        The dataset type that Suite2p runs on.
    match
        The planned meta-session and the registered one.
    sessions, recordings
        Their changes.
    option_set
        The change of the option set, or None.

    Attributes
    ----------
    outputs
        Suite2p outputs that go for good, by their bundle.
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
        self._match = match
        self._known = match.known
        self._option_set = option_set
        self._reasons = [*_joined(sessions), *_changed(recordings, analysed)]
        self._other_set = [] if option_set is None else [_told_set(option_set)]
        self.outputs = {output.dataset.bundle: output for output in self._outdated_outputs()}

    def purges(self, session_names: tuple[str, ...], datasets: Sequence[DatasetChange]) -> Iterator[Purge]:
        """Return what is to be purged.

        Parameters
        ----------
        session_names
            All sessions of the meta-session.
        datasets
            All its datasets that the request met.
        """
        if self._known is None:
            return
        name = self._known.metasession_name
        for output in self.outputs.values():
            dataset_name = output.dataset.dataset_name
            yield Purge(PurgeSeed.DATASET, name, output.reason, session_names, dataset_name)
        for change in datasets:
            yield from self._of_dataset(change)
        reasons = [*self._reasons, *self._other_set]
        if self._known.ops_name is not None and reasons:
            yield Purge(PurgeSeed.RUN, name, listed(reasons, "; "))

    def curations(self, datasets: Iterable[DatasetChange]) -> Iterator[Curation]:
        """Return the imports of curated outputs where another set of regions are cells now."""
        registered = {each.dataset_name: each for each in (self._known.datasets if self._known else ())}
        for change in datasets:
            if change.difference is not Difference.CURATION:
                continue
            name, marked = change.dataset.dataset_name, change.dataset.cell_ids or frozenset()
            for imported in registered[name].imported:
                added, removed = sorted(marked - imported.cell_ids), sorted(imported.cell_ids - marked)
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
        """Return what goes of a dataset that stays: what is derived, and what hangs below its files."""
        owner, name = change.metasession_name, change.dataset.dataset_name
        reasons = []
        if change.difference is Difference.CONTENT:
            reasons = [_told(change)]
            yield Purge(PurgeSeed.LINKS, owner, reasons[0], change.session_names, name)
        for curation in self.curations([change]):
            reasons.append(curation.reason)
            yield Purge(PurgeSeed.LINKS, owner, curation.reason, (curation.session_name,), name)
        if change.difference in (Difference.CONTENT, Difference.CURATION):
            told = listed(list(dict.fromkeys(reasons)), "; ") or _told(change)
            yield Purge(PurgeSeed.FILES, owner, told, change.session_names, name)

    def _outdated_outputs(self) -> Iterator[OutdatedOutput]:
        planned = {dataset.bundle for dataset in self._match.planned.datasets}
        for dataset in self._known.datasets if self._known else ():
            reason = ""
            if self._reasons and not self._is_made_anew(dataset):
                other_set = self._other_set if self._is_of_old_set(dataset) else []
                reason = listed([*self._reasons, *other_set], "; ")
            elif dataset.bundle not in planned:
                reason = self._superseded(dataset) or self._taken_over(dataset)
            if reason:
                yield OutdatedOutput(dataset, reason)

    def _is_made_anew(self, known: KnownDataset) -> bool:
        """Return True if a finished output of all the present tifs has taken a registered one's place."""
        for dataset in self._match.planned.datasets:
            if dataset.bundle == known.bundle:
                found = difference(dataset, known, self._plan.request.repository_name)
                return found.kind is Difference.CONTENT
        return False

    def _is_of_old_set(self, known: KnownDataset) -> bool:
        """Return True if another option set is wanted now than the one that an output was made with."""
        takes_option_sets = segmentation_package(known.datasettype).run_name is None
        wanted = self._option_set
        return wanted is not None and takes_option_sets and known.bundle.split("/")[0] != wanted.new_name

    def _superseded(self, known: KnownDataset) -> str:
        """Return why the output that a registered dataset came from is out of date, or nothing."""
        if self._is_of_old_set(known):
            return listed(self._other_set)
        # Of an output some files lie in its place itself, and others in a folder below.
        places = {place for file in known.files for place in list(PurePosixPath(file.path).parents)[:2]}
        for output in self._plan.outputs:
            is_same = output.datasettype == known.datasettype and PurePosixPath(output.path) in places
            if output.verdict is OutputVerdict.SUPERSEDED and is_same:
                return output.reason
        return ""

    def _taken_over(self, known: KnownDataset) -> str:
        """Return which planned dataset has the cells of a registered one that is not planned, or nothing."""
        if any(session.is_refused for session in self._match.sessions):
            return ""
        ops_name, _, label = known.bundle.rpartition("/")
        is_gone = all(file.is_gone for file in known.files)
        contents = {file.content for file in known.files}
        for dataset in self._match.planned.datasets:
            other_name, _, other_label = dataset.bundle.rpartition("/")
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
            yield _told(each)


def _told(change: DatasetChange) -> str:
    return f"'{change.dataset.bundle}': {change.reason}"


def _told_set(change: OptionSetChange) -> str:
    no_longer = f", no longer {change.old_name}" if change.old_name else ""
    return f"the option set is now {change.new_name}{no_longer}"
