"""Compares a plan with the database: what is new, what has changed, what must be purged."""

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
    DatasetChange,
    DatasetVerdict,
    Difference,
    Finding,
    FindingKind,
    FolderChanges,
    OptionSetChange,
    RefusedSession,
    SessionChange,
    SessionVerdict,
)
from imaging_pipeline.ingest.matching import MetaSessionMatch, SessionMatch, StoredSessions
from imaging_pipeline.ingest.outdated import Outdated, OutdatedOutput
from imaging_pipeline.ingest.records import DatasetRecord, MetaSessionRecord, Plan, moment_of
from imaging_pipeline.ingest.relocation import relocations
from imaging_pipeline.ingest.stored_names import under_stored_names
from imaging_pipeline.wording import counted


def compare(plan: Plan, stored: Sequence[MetaSessionRecord]) -> FolderChanges:
    """Return what registering a folder changes; nothing where all of it is stored as it is.

    Parameters
    ----------
    plan
        What the folder means.
    stored
        Every stored meta-session, of either label, that has the name of a planned meta-session, a session
        of a planned name, or a file with the path or the content of a planned one.
    """
    experiment = experiment_type(plan.request.experiment_type)
    stored_sessions = StoredSessions(plan, stored, experiment.primary)
    matches = stored_sessions.match_all(plan.metasessions)
    parts = [_Comparison(plan, experiment, match).changes() for match in matches]
    return FolderChanges(
        new_metasessions=tuple(chain.from_iterable(part.new_metasessions for part in parts)),
        sessions=tuple(chain.from_iterable(part.sessions for part in parts)),
        datasets=tuple(chain.from_iterable(part.datasets for part in parts)),
        refused=tuple(chain.from_iterable(part.refused for part in parts)),
        session_order=tuple(chain.from_iterable(part.session_order for part in parts)),
        purges=tuple(chain.from_iterable(part.purges for part in parts)),
        curations=tuple(chain.from_iterable(part.curations for part in parts)),
        option_sets=tuple(chain.from_iterable(part.option_sets for part in parts)),
        relocations=tuple(chain.from_iterable(part.relocations for part in parts)),
        findings=(*chain.from_iterable(part.findings for part in parts), *_of_outputs(plan), *_gone(plan)),
    )


def _of_outputs(plan: Plan) -> Iterator[Finding]:
    for output in plan.outputs:
        for remark in output.remarks:
            yield Finding(
                FindingKind.OUTPUT, None, f"of the output in {output.path or 'the repository'}: {remark}"
            )


def _gone(plan: Plan) -> Iterator[Finding]:
    for path in plan.gone:
        message = (
            f"{path} is no longer there; what was registered of it stays, until you retire its session"
            " (imaging-pipeline retire) and register the folder again"
        )
        yield Finding(FindingKind.GONE, None, message)


def _with_stored_names(match: MetaSessionMatch) -> MetaSessionMatch:
    """Return a match with the outputs under the names that they are stored under."""
    if match.stored is None:
        return match
    outputs = under_stored_names(match.planned.datasets, match.stored.datasets)
    return replace(match, planned=replace(match.planned, datasets=outputs))


class _Comparison:
    """One planned meta-session, compared with the stored one that it matches."""

    def __init__(self, plan: Plan, experiment: ExperimentType, match: MetaSessionMatch) -> None:
        self._plan = plan
        self._experiment = experiment
        self._match = _with_stored_names(match)
        self._stored = match.stored
        # The stored name is kept, although another folder or start would make another name.
        self._name = (match.stored or match.planned).metasession_name
        self._accepted = [session for session in match.sessions if not session.is_refused]

    def changes(self) -> FolderChanges:
        """Return the changes of this meta-session."""
        findings = tuple(finding for session in self._match.sessions for finding in session.findings)
        refused = tuple(self._refused())
        if not self._accepted:
            return FolderChanges(refused=refused, findings=findings)
        sessions = [self._session(match) for match in self._accepted]
        recordings = [
            change
            for match, session in zip(self._accepted, sessions, strict=True)
            for change in self._recordings(match, session)
        ]
        order = self._order(sessions)
        option_set = self._option_set()
        outdated = Outdated(
            self._plan, self._experiment.analysed, self._match, sessions, recordings, option_set
        )
        outputs = list(self._outputs(order, outdated.outputs))
        purges = tuple(outdated.purges(order, (*recordings, *outputs)))
        # A session that began earlier than others changes the order of all.
        has_new = any(session.verdict is not SessionVerdict.KNOWN for session in sessions)
        return FolderChanges(
            new_metasessions=() if self._stored else (self._match.planned,),
            sessions=tuple(sessions),
            datasets=(*recordings, *outputs),
            refused=refused,
            session_order=((self._name, order),) if has_new else (),
            purges=purges,
            curations=tuple(outdated.curations(outputs)),
            option_sets=(option_set,) if option_set else (),
            relocations=tuple(relocations(self._plan.request, self._match, (*recordings, *outputs), purges)),
            findings=(
                *findings,
                *self._lost_frames(),
                *self._cut_files(),
                *self._other_person(),
                *self._replaced_option_set(option_set),
                *self._gone_outputs(outputs, outdated.outputs),
            ),
        )

    def _refused(self) -> Iterator[RefusedSession]:
        for match in self._match.sessions:
            if match.refusal is not None:
                yield RefusedSession(match.planned, self._match.planned.metasession_name, match.refusal)

    def _session(self, match: SessionMatch) -> SessionChange:
        if match.stored is None:
            verdict = SessionVerdict.JOINED if self._stored else SessionVerdict.NEW
            return SessionChange(match.planned, self._name, verdict)
        session = replace(match.planned, session_name=match.stored.session_name, start=match.stored.start)
        return SessionChange(session, self._name, SessionVerdict.KNOWN)

    def _recordings(self, match: SessionMatch, session: SessionChange) -> Iterator[DatasetChange]:
        """Yield the changes of a session's datasets; it has at most one stored dataset of a type."""
        owner = session.session.session_name
        stored = {dataset.datasettype: dataset for dataset in match.stored.datasets} if match.stored else {}
        changes = []
        for dataset in session.session.datasets:
            name = names.dataset_name(owner, dataset.datasettype, dataset.bundle)
            named = replace(dataset, dataset_name=name)
            changes.append(self._dataset(named, stored.get(dataset.datasettype), (owner,)))
        return self._with_headers(changes)

    def _with_headers(self, changes: Sequence[DatasetChange]) -> Iterator[DatasetChange]:
        """Yield the tifs as changed where the primary dataset is: it says how they were recorded."""
        primary_reasons = [
            each.reason
            for each in changes
            if each.dataset.datasettype == self._experiment.primary and each.difference is Difference.CONTENT
        ]
        for each in changes:
            if (
                primary_reasons
                and each.dataset.datasettype in TIFS
                and each.verdict is not DatasetVerdict.NEW
            ):
                reason = each.reason if each.difference is Difference.CONTENT else primary_reasons[0]
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
        # Output belongs to all sessions of a MetaSession: it waits as long as one of them is refused.
        if len(self._accepted) < len(self._match.sessions):
            return
        stored = {dataset.bundle: dataset for dataset in self._stored.datasets} if self._stored else {}
        for dataset in self._match.planned.datasets:
            if dataset.bundle in outdated:
                continue
            name = names.dataset_name(self._name, dataset.datasettype, dataset.bundle)
            named = replace(dataset, dataset_name=name)
            yield self._dataset(named, stored.get(dataset.bundle), session_names)

    def _dataset(
        self, dataset: DatasetRecord, stored: DatasetRecord | None, session_names: tuple[str, ...]
    ) -> DatasetChange:
        if stored is None:
            return DatasetChange(dataset, self._name, session_names, DatasetVerdict.NEW)
        # As stored: the bundle of a recording is its timeseries name, which changes when files are renamed.
        dataset = replace(dataset, dataset_name=stored.dataset_name, bundle=stored.bundle)
        change = difference(dataset, stored)
        verdict = DatasetVerdict.CHANGED if change.kind else DatasetVerdict.KNOWN
        return DatasetChange(
            dataset, self._name, session_names, verdict, change.kind, change.reason, change.file_orders
        )

    def _order(self, sessions: Sequence[SessionChange]) -> tuple[str, ...]:
        # With stored sessions that are not in the folder any more.
        starts = {each.session_name: each.start for each in (self._stored.sessions if self._stored else ())}
        starts |= {each.session.session_name: each.session.start for each in sessions}
        return tuple(sorted(starts, key=lambda name: (moment_of(starts[name]), name)))

    def _option_set(self) -> OptionSetChange | None:
        """Return the change of the option set; sets are compared by content, and None changes nothing."""
        requested, stored = self._plan.request.ops_name, self._stored
        if requested is None or (stored is not None and stored.request.ops_name in self._plan.equal_options):
            return None
        return OptionSetChange(self._name, stored.request.ops_name if stored else None, requested)

    def _replaced_option_set(self, option_set: OptionSetChange | None) -> Iterator[Finding]:
        if option_set is not None and option_set.old_name is not None:
            timeseries = " + ".join(match.planned.timeseries_name for match in self._accepted)
            message = f"of {timeseries}: {option_set.new_name}, no longer {option_set.old_name}"
            yield Finding(FindingKind.OPTION_SET, None, message)

    def _lost_frames(self) -> Iterator[Finding]:
        for match in self._accepted:
            planned = match.planned
            if planned.lost_frames:
                message = f"of {planned.timeseries_name}: {planned.lost_frames}"
                yield Finding(FindingKind.LOST_FRAMES, planned.session_name, message)

    def _cut_files(self) -> Iterator[Finding]:
        for match in self._accepted:
            files = (file for dataset in match.planned.datasets for file in dataset.files)
            for file in files:
                if file.pages_taken is not None:
                    taken = f"its first {counted(file.pages_taken, 'page')} of all channels are taken"
                    message = f"{file.path} is damaged: {taken}"
                    yield Finding(FindingKind.DAMAGED, match.planned.session_name, message)

    def _other_person(self) -> Iterator[Finding]:
        """Yield a finding where another person requests the folder.

        A colleague may do so to curate it, so that the experimenter stays the same.
        """
        stored, username = self._stored, self._plan.request.username
        if stored is not None and stored.request.username != username:
            owner = stored.request.username
            row = {"metasession_name": stored.metasession_name, "username": username}
            message = (
                f"{stored.metasession_name} is registered as {owner}'s and stays so; to correct the"
                f" experimenter: imaging.MetaSession.update1({row})"
            )
            yield Finding(FindingKind.OTHER_PERSON, None, message)

    def _gone_outputs(
        self, outputs: Sequence[DatasetChange], outdated: Mapping[str, OutdatedOutput]
    ) -> Iterator[Finding]:
        """Yield a finding for stored output that is no longer there, or no longer complete; its rows stay."""
        if self._stored is None or len(self._accepted) < len(self._match.sessions):
            return
        present = {each.dataset.bundle for each in outputs} | set(outdated)
        for dataset in self._stored.datasets:
            if dataset.bundle not in present:
                message = f"the Suite2p output {dataset.bundle} is not there as it was; its rows stay"
                yield Finding(FindingKind.GONE, None, message)
