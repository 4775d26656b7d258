"""Holds a plan against the database: what is new, what changed, what must be purged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain

from imaging_pipeline import names
from imaging_pipeline.experiments.dataset_types import TIFS
from imaging_pipeline.experiments.recognised import ExperimentType
from imaging_pipeline.experiments.registry import experiment_type
from imaging_pipeline.ingest.dataset_difference import difference
from imaging_pipeline.ingest.folder_changes import (
    Changes,
    DatasetChange,
    DatasetVerdict,
    Difference,
    Finding,
    FindingKind,
    OptionSetChange,
    Purge,
    PurgeSeed,
    RefusedSession,
    Relocation,
    SessionChange,
    SessionVerdict,
)
from imaging_pipeline.ingest.known import (
    Known,
    KnownDataset,
    KnownFile,
    KnownMetaSession,
    KnownSession,
)
from imaging_pipeline.ingest.matching import MetaSessionMatch, Registered, SessionMatch
from imaging_pipeline.ingest.outdated import Outdated, OutdatedOutput
from imaging_pipeline.ingest.records import Plan, PlannedDataset
from imaging_pipeline.ingest.relocation import relocated

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
    "PurgeSeed",
    "Relocation",
    "SessionChange",
    "SessionVerdict",
    "compare",
]


def compare(plan: Plan, known: Known) -> Changes:
    """Return what registering a folder changes; nothing where the database holds it all.

    Parameters
    ----------
    plan
        What the folder means.
    known
        What the database holds that the plan may meet.
    """
    experiment = experiment_type(plan.request.experiment_type)
    registered = Registered(plan, known, experiment.primary)
    parts = [
        _Comparison(plan, experiment, match).changes() for match in registered.match_all(plan.metasessions)
    ]
    return Changes(
        new_metasessions=tuple(chain.from_iterable(part.new_metasessions for part in parts)),
        sessions=tuple(chain.from_iterable(part.sessions for part in parts)),
        datasets=tuple(chain.from_iterable(part.datasets for part in parts)),
        refused=tuple(chain.from_iterable(part.refused for part in parts)),
        session_order=tuple(chain.from_iterable(part.session_order for part in parts)),
        purges=tuple(chain.from_iterable(part.purges for part in parts)),
        curations=tuple(chain.from_iterable(part.curations for part in parts)),
        option_sets=tuple(chain.from_iterable(part.option_sets for part in parts)),
        relocations=tuple(chain.from_iterable(part.relocations for part in parts)),
        findings=(*chain.from_iterable(part.findings for part in parts), *_gone(plan)),
    )


def _gone(plan: Plan) -> Iterator[Finding]:
    for path in plan.gone:
        message = (
            f"{path} is no longer there; what was registered of it stays, until you retire its session"
            " (imaging-pipeline retire) and register the folder again"
        )
        yield Finding(FindingKind.GONE, None, message)


class _Comparison:
    """One planned meta-session against the registered one that it is."""

    def __init__(self, plan: Plan, experiment: ExperimentType, match: MetaSessionMatch) -> None:
        self._plan = plan
        self._experiment = experiment
        self._match = match
        self._known = match.known
        self._name = (match.known or match.planned).metasession_name
        self._open = [session for session in match.sessions if not session.is_refused]

    def changes(self) -> Changes:
        """Return the changes of this meta-session."""
        findings = tuple(finding for session in self._match.sessions for finding in session.findings)
        refused = tuple(self._refused())
        if not self._open:
            return Changes(refused=refused, findings=findings)
        sessions = [self._session(match) for match in self._open]
        recordings = [
            change
            for match, session in zip(self._open, sessions, strict=True)
            for change in self._recordings(match, session)
        ]
        order = self._order(sessions)
        option_set = self._option_set()
        outdated = Outdated(
            self._plan, self._experiment.analysed, self._match, sessions, recordings, option_set
        )
        outputs = list(self._outputs(order, outdated.outputs))
        has_new = any(session.verdict is not SessionVerdict.KNOWN for session in sessions)
        return Changes(
            new_metasessions=() if self._known else (self._match.planned,),
            sessions=tuple(sessions),
            datasets=(*recordings, *outputs),
            refused=refused,
            session_order=((self._name, order),) if has_new else (),
            purges=tuple(outdated.purges(order, (*recordings, *outputs))),
            curations=tuple(outdated.curations(outputs)),
            option_sets=(option_set,) if option_set else (),
            relocations=tuple(relocated(self._plan.request, self._match, (*recordings, *outputs))),
            findings=(
                *findings,
                *self._of_another(),
                *self._of_old_set(option_set),
                *self._gone_outputs(outputs, outdated.outputs),
            ),
        )

    def _refused(self) -> Iterator[RefusedSession]:
        for match in self._match.sessions:
            if match.refusal is not None:
                yield RefusedSession(match.planned, self._match.planned.metasession_name, match.refusal)

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
        changes = []
        for dataset in session.session.datasets:
            before = registered.get(dataset.datasettype)
            name = names.dataset_name(owner, dataset.datasettype, dataset.bundle)
            changes.append(self._dataset(replace(dataset, dataset_name=name), before, (owner,)))
        return self._with_headers(changes)

    def _with_headers(self, changes: Sequence[DatasetChange]) -> Iterator[DatasetChange]:
        """Let tifs change with the primary dataset, which tells how they were taken."""
        told = [
            each.reason
            for each in changes
            if each.dataset.datasettype == self._experiment.primary and each.difference is Difference.CONTENT
        ]
        for each in changes:
            if told and each.dataset.datasettype in TIFS and each.verdict is not DatasetVerdict.NEW:
                reason = each.reason if each.difference is Difference.CONTENT else told[0]
                yield replace(
                    each,
                    verdict=DatasetVerdict.CHANGED,
                    difference=Difference.CONTENT,
                    reason=reason,
                    file_orders=(),
                )
            else:
                yield each

    def _outputs(
        self, session_names: tuple[str, ...], outdated: Mapping[str, OutdatedOutput]
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
        found = difference(dataset, before, self._plan.request.repository_name)
        verdict = DatasetVerdict.CHANGED if found.kind else DatasetVerdict.KNOWN
        return DatasetChange(
            dataset, self._name, session_names, verdict, found.kind, found.reason, found.registered
        )

    def _order(self, sessions: Sequence[SessionChange]) -> tuple[str, ...]:
        starts = {each.session_name: each.start for each in (self._known.sessions if self._known else ())}
        starts |= {each.session.session_name: each.session.start for each in sessions}
        return tuple(sorted(starts, key=lambda name: (starts[name], name)))

    def _option_set(self) -> OptionSetChange | None:
        """Return the change of the option set; sets are compared by content, and None changes nothing."""
        wanted, known = self._plan.request.ops_name, self._known
        if wanted is None or (known is not None and known.settings_hash == self._plan.settings_hash):
            return None
        return OptionSetChange(self._name, known.ops_name if known else None, wanted)

    def _of_old_set(self, option_set: OptionSetChange | None) -> Iterator[Finding]:
        if option_set is not None and option_set.old_name is not None:
            met = " + ".join(match.planned.timeseries_name for match in self._open)
            message = f"of {met}: {option_set.new_name}, no longer {option_set.old_name}"
            yield Finding(FindingKind.OPTION_SET, None, message)

    def _of_another(self) -> Iterator[Finding]:
        """Tell whose it is where somebody else asks: colleagues curate, so that it is not theirs by that."""
        known, username = self._known, self._plan.request.username
        if known is not None and known.username != username:
            row = {"metasession_name": known.metasession_name, "username": username}
            message = (
                f"{known.metasession_name} is registered as {known.username}'s and stays so; to correct the"
                f" experimenter: imaging.MetaSession.update1({row})"
            )
            yield Finding(FindingKind.OTHER_PERSON, None, message)

    def _gone_outputs(
        self, outputs: Sequence[DatasetChange], outdated: Mapping[str, OutdatedOutput]
    ) -> Iterator[Finding]:
        """Tell of registered output that is no longer there, or no longer whole; its rows stay."""
        if self._known is None or len(self._open) < len(self._match.sessions):
            return
        present = {each.dataset.bundle for each in outputs} | set(outdated)
        for dataset in self._known.datasets:
            if dataset.bundle not in present:
                message = f"the Suite2p output {dataset.bundle} is not there as it was; its rows stay"
                yield Finding(FindingKind.GONE, None, message)
