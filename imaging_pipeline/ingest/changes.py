"""Holds a plan against the database: what is new, what changed, what must be purged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import PurePosixPath

from imaging_pipeline import names
from imaging_pipeline.experiments.registry import experiment_type
from imaging_pipeline.ingest.changed import (
    Changes,
    DatasetChange,
    DatasetVerdict,
    Difference,
    Finding,
    FindingKind,
    OptionSetChange,
    Purge,
    Relocation,
    SessionChange,
    SessionVerdict,
)
from imaging_pipeline.ingest.dataset_difference import difference
from imaging_pipeline.ingest.known import (
    Known,
    KnownDataset,
    KnownFile,
    KnownMetaSession,
    KnownSession,
)
from imaging_pipeline.ingest.listed import listed
from imaging_pipeline.ingest.matching import MetaSessionMatch, Registered, SessionMatch
from imaging_pipeline.ingest.planned import OutputVerdict, Plan, PlannedDataset, PlannedMetaSession

__all__ = [
    "Changes",
    "DatasetChange",
    "DatasetVerdict",
    "Difference",
    "Finding",
    "FindingKind",
    "Known",
    "KnownDataset",
    "KnownFile",
    "KnownMetaSession",
    "KnownSession",
    "OptionSetChange",
    "Purge",
    "Relocation",
    "SessionChange",
    "SessionVerdict",
    "compare",
]

_MERGED = "combined"


def compare(plan: Plan, known: Known) -> Changes:
    """Say what registering a folder changes; nothing where the database holds it all.

    Parameters
    ----------
    plan
        What the folder means.
    known
        What the database holds that the plan may meet; meta-sessions of another label are passed over.
    """
    primary = experiment_type(plan.request.experiment_type).primary
    registered = Registered(plan, known, primary)
    parts = [_Comparison(plan, primary, match).changes() for match in registered.match_all(plan.metasessions)]
    return Changes(
        new_metasessions=tuple(chain.from_iterable(part.new_metasessions for part in parts)),
        sessions=tuple(chain.from_iterable(part.sessions for part in parts)),
        datasets=tuple(chain.from_iterable(part.datasets for part in parts)),
        session_order=tuple(chain.from_iterable(part.session_order for part in parts)),
        purges=tuple(chain.from_iterable(part.purges for part in parts)),
        option_sets=tuple(chain.from_iterable(part.option_sets for part in parts)),
        relocations=tuple(chain.from_iterable(part.relocations for part in parts)),
        findings=(*chain.from_iterable(part.findings for part in parts), *_gone(plan)),
    )


def _gone(plan: Plan) -> Iterator[Finding]:
    for path in plan.gone:
        yield Finding(FindingKind.GONE, None, f"{path} is no longer there; what was registered of it stays")


class _Comparison:
    """One planned meta-session against the registered one that it is."""

    def __init__(self, plan: Plan, primary: str, match: MetaSessionMatch) -> None:
        self._plan = plan
        self._primary = primary
        self._match = match
        self._known = match.known
        self._name = (match.known or match.planned).metasession_name
        self._open = [session for session in match.sessions if not session.is_blocked]

    def changes(self) -> Changes:
        """Give the changes of this meta-session."""
        findings = tuple(finding for session in self._match.sessions for finding in session.findings)
        if not self._open:
            return Changes(findings=findings)
        sessions = [self._session(match) for match in self._open]
        recordings = [
            change
            for match, session in zip(self._open, sessions, strict=True)
            for change in self._recordings(match, session)
        ]
        order = self._order(sessions)
        option_set = self._option_set()
        outdated = self._outdated(sessions, recordings, option_set)
        outputs = list(self._outputs(order, outdated))
        changed = [change for change in (*recordings, *outputs) if change.difference is Difference.CONTENT]
        kept = (
            Purge(each.dataset.dataset_name, self._name, each.session_names, each.reason, keeps_dataset=True)
            for each in changed
        )
        dropped = (
            Purge(dataset.dataset_name, self._name, order, reason, keeps_dataset=False)
            for dataset, reason in outdated.values()
        )
        has_new = any(session.verdict is not SessionVerdict.KNOWN for session in sessions)
        return Changes(
            new_metasessions=() if self._known else (self._match.planned,),
            sessions=tuple(sessions),
            datasets=(*recordings, *outputs),
            session_order=((self._name, order),) if has_new else (),
            purges=(*dropped, *kept),
            option_sets=(option_set,) if option_set else (),
            relocations=tuple(self._relocation()),
            findings=(*findings, *self._gone_outputs(outputs, outdated)),
        )

    def _session(self, match: SessionMatch) -> SessionChange:
        if match.known is None:
            verdict = SessionVerdict.JOINED if self._known else SessionVerdict.NEW
            return SessionChange(match.planned, self._name, verdict)
        session = replace(match.planned, session_name=match.known.session_name, start=match.known.start)
        return SessionChange(session, self._name, SessionVerdict.KNOWN)

    def _recordings(self, match: SessionMatch, session: SessionChange) -> Iterator[DatasetChange]:
        """Hold a session's datasets against the registered ones of the same type: there is one each."""
        owner = session.session.session_name
        registered = {dataset.datasettype: dataset for dataset in match.known.datasets} if match.known else {}
        for dataset in session.session.datasets:
            before = registered.get(dataset.datasettype)
            name = names.dataset_name(owner, dataset.datasettype, dataset.bundle)
            yield self._dataset(replace(dataset, dataset_name=name), before, (owner,))

    def _outputs(
        self, session_names: tuple[str, ...], outdated: dict[str, tuple[KnownDataset, str]]
    ) -> Iterator[DatasetChange]:
        if len(self._open) < len(self._match.sessions):
            return
        registered = {dataset.bundle: dataset for dataset in self._known.datasets} if self._known else {}
        for dataset in self._match.planned.datasets:
            if dataset.bundle in outdated:
                continue
            name = names.dataset_name(self._name, dataset.datasettype, dataset.bundle)
            yield self._dataset(
                replace(dataset, dataset_name=name), registered.get(dataset.bundle), session_names
            )

    def _dataset(
        self, dataset: PlannedDataset, before: KnownDataset | None, session_names: tuple[str, ...]
    ) -> DatasetChange:
        if before is None:
            return DatasetChange(dataset, self._name, session_names, DatasetVerdict.NEW)
        dataset = replace(dataset, dataset_name=before.dataset_name, bundle=before.bundle)
        kind, reason = difference(dataset, before, self._plan.request.repository_name)
        verdict = DatasetVerdict.CHANGED if kind else DatasetVerdict.KNOWN
        return DatasetChange(dataset, self._name, session_names, verdict, kind, reason)

    def _order(self, sessions: Sequence[SessionChange]) -> tuple[str, ...]:
        starts = {each.session_name: each.start for each in (self._known.sessions if self._known else ())}
        starts |= {each.session.session_name: each.session.start for each in sessions}
        return tuple(sorted(starts, key=lambda name: (starts[name], name)))

    def _option_set(self) -> OptionSetChange | None:
        """Give the change of the option set; sets are compared by content, and None changes nothing."""
        wanted, known = self._plan.request.ops_name, self._known
        if wanted is None or (known is not None and known.settings_hash == self._plan.settings_hash):
            return None
        return OptionSetChange(self._name, known.ops_name if known else None, wanted)

    def _outdated(
        self,
        sessions: Iterable[SessionChange],
        recordings: Iterable[DatasetChange],
        option_set: OptionSetChange | None,
    ) -> dict[str, tuple[KnownDataset, str]]:
        """Give the registered Suite2p datasets that go, by bundle, with the reason."""
        if self._known is None:
            return {}
        joined = [each.session.timeseries_name for each in sessions if each.verdict is SessionVerdict.JOINED]
        tifs = [
            each
            for each in recordings
            if each.dataset.datasettype == self._primary and each.difference is Difference.CONTENT
        ]
        reasons = [f"session '{name}' joined" for name in joined]
        reasons += [f"'{each.dataset.bundle}': {each.reason}" for each in tifs]
        planned = {dataset.bundle for dataset in self._match.planned.datasets}
        outdated = {}
        for dataset in self._known.datasets:
            reason = listed(reasons, "; ") if reasons and not self._is_made_anew(dataset) else ""
            if not reason and dataset.bundle not in planned:
                reason = self._superseded(dataset, option_set) or self._taken_over(dataset)
            if reason:
                outdated[dataset.bundle] = dataset, reason
        return outdated

    def _is_made_anew(self, known: KnownDataset) -> bool:
        """Say whether a finished output of all the present tifs has taken a registered one's place."""
        for dataset in self._match.planned.datasets:
            if dataset.bundle == known.bundle:
                kind, _ = difference(dataset, known, self._plan.request.repository_name)
                return kind is Difference.CONTENT
        return False

    def _superseded(self, known: KnownDataset, option_set: OptionSetChange | None) -> str:
        """Give why the output that a registered dataset came from is out of date, or nothing."""
        if option_set and known.bundle.split("/")[0] != option_set.new_name:
            return f"the option set is now {option_set.new_name}"
        roots = {PurePosixPath(file.path).parent.parent for file in known.files}
        for output in self._plan.outputs:
            if output.verdict is OutputVerdict.SUPERSEDED and PurePosixPath(output.path) in roots:
                return output.reason
        return ""

    def _taken_over(self, known: KnownDataset) -> str:
        """Give which planned dataset has the cells of a registered one that is not planned, or nothing."""
        if len(self._open) < len(self._match.sessions):
            return ""
        ops_name, _, label = known.bundle.rpartition("/")
        is_gone = all(file.is_gone for file in known.files)
        contents = {file.content for file in known.files}
        for dataset in self._match.planned.datasets:
            other_name, _, other_label = dataset.bundle.rpartition("/")
            if other_name == ops_name and _MERGED in (label, other_label):
                return f"the planes are imported {'merged' if other_label == _MERGED else 'one by one'} now"
            if is_gone and contents.issuperset((file.size_bytes, file.fingerprint) for file in dataset.files):
                return f"the same output is now {dataset.bundle}"
        return ""

    def _relocation(self) -> Iterator[Relocation]:
        request, known = self._plan.request, self._known
        if known is None or (known.repository_name, known.folder) == (
            request.repository_name,
            request.folder,
        ):
            return
        if all(session.has_moved or session.known is None for session in self._match.sessions):
            yield Relocation(known.metasession_name, *_folders(self._plan, self._match.planned, known))

    def _gone_outputs(
        self, outputs: Sequence[DatasetChange], outdated: dict[str, tuple[KnownDataset, str]]
    ) -> Iterator[Finding]:
        """Tell of registered output that is no longer there, or no longer whole; its rows stay."""
        if self._known is None or len(self._open) < len(self._match.sessions):
            return
        present = {each.dataset.bundle for each in outputs} | set(outdated)
        for dataset in self._known.datasets:
            if dataset.bundle not in present:
                message = f"the Suite2p output {dataset.bundle} is not there as it was; its rows stay"
                yield Finding(FindingKind.GONE, None, message)


def _folders(plan: Plan, planned: PlannedMetaSession, known: KnownMetaSession) -> tuple[str, str, str]:
    suite2p_folder = planned.suite2p_folder.removesuffix(planned.metasession_name) + known.metasession_name
    return plan.request.repository_name, plan.request.folder, suite2p_folder
