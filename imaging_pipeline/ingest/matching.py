"""Which registered sessions the planned ones are, though they may have another name or place.

A recording that is registered already is never registered a second time: not when its folder was
moved or copied, and not when an earlier acquisition arrived late and gave it another start.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from imaging_pipeline.ingest.folder_changes import Finding, FindingKind
from imaging_pipeline.ingest.known import Known, KnownFile, KnownMetaSession, KnownSession
from imaging_pipeline.ingest.records import Plan, PlannedFile, PlannedMetaSession, PlannedSession


@dataclass(frozen=True)
class SessionMatch:
    """A planned session and the registered one that it is.

    Attributes
    ----------
    planned, known
        The session as planned, and as registered; None where it is new.
    owner
        The meta-session of the registered one.
    refusal
        Of which kind the finding is without whose decision by a person nothing may be done, if any.
    has_moved
        Whether all its recorded files lie at another place than registered.
    findings
        What to tell.
    """

    planned: PlannedSession
    known: KnownSession | None = None
    owner: KnownMetaSession | None = None
    refusal: FindingKind | None = None
    has_moved: bool = False
    findings: tuple[Finding, ...] = ()

    @property
    def is_refused(self) -> bool:
        """Whether nothing is done without a person's decision."""
        return self.refusal is not None


@dataclass(frozen=True)
class MetaSessionMatch:
    """A planned meta-session, the registered one that it is or None, and its sessions."""

    planned: PlannedMetaSession
    known: KnownMetaSession | None
    sessions: tuple[SessionMatch, ...]


class Registered:
    """The registered sessions, to be found by name, place and content.

    Sessions of the request's label may be the planned ones. One of the other label never is, but shares
    its files, and so its animal.

    Parameters
    ----------
    plan
        What is held against them.
    known
        What the database holds.
    primary
        The dataset type by whose files a session is known.
    """

    def __init__(self, plan: Plan, known: Known, primary: str) -> None:
        self._request = plan.request
        self._primary = primary
        self._metasessions = [each for each in known.metasessions if each.label == plan.request.label]
        self._owners: dict[str, tuple[KnownMetaSession, KnownSession]] = {}
        self._by_file: dict[tuple[str, str] | tuple[int, str], set[str]] = {}
        for owner in known.metasessions:
            for session in owner.sessions:
                self._owners[session.session_name] = owner, session
                for file in self._recorded(session):
                    for key in (file.place, file.content):
                        self._by_file.setdefault(key, set()).add(session.session_name)

    def match_all(self, metasessions: Sequence[PlannedMetaSession]) -> list[MetaSessionMatch]:
        """Find the registered meta-sessions and sessions that the planned ones are."""
        matches = [[self._match_session(session) for session in each.sessions] for each in metasessions]
        names = [match.known.session_name for each in matches for match in each if match.known]
        doubled = {name for name in names if names.count(name) > 1}
        return [
            self._match(metasession, [_without_doubles(match, doubled) for match in each])
            for metasession, each in zip(metasessions, matches, strict=True)
        ]

    def _match(self, planned: PlannedMetaSession, matches: list[SessionMatch]) -> MetaSessionMatch:
        owners = {
            match.owner.metasession_name: match.owner
            for match in matches
            if match.owner is not None and not match.is_refused
        }
        if len(owners) > 1:
            reason = _several_owners(list(owners.values()))
            matches = [_refused(match, FindingKind.CONFLICT, reason) for match in matches]
        by_name = (each for each in self._metasessions if each.metasession_name == planned.metasession_name)
        known = next(iter(owners.values()), None) or next(by_name, None)
        if known is not None and self._is_of_other_type(known):
            reason = self._of_other_type(known)
            matches = [_refused(match, FindingKind.CONFLICT, reason) for match in matches]
        if any(match.is_refused for match in matches) and known is None:
            matches = [_refused(match, FindingKind.CONFLICT, _WITH_REFUSED) for match in matches]
        return MetaSessionMatch(planned, known, tuple(matches))

    def _match_session(self, planned: PlannedSession) -> SessionMatch:
        files = [
            file
            for dataset in planned.datasets
            if dataset.datasettype == self._primary
            for file in dataset.files
        ]
        met = {planned.session_name} & set(self._owners)
        for file in files:
            for key in self._keys(file):
                met |= self._by_file.get(key, set())
        names = {name for name in met if self._owners[name][0].label == self._request.label}
        if not names:
            return self._beside(SessionMatch(planned), [self._owners[name] for name in sorted(met)])
        if len(names) > 1:
            reason = (
                f"its files are in {len(names)} registered sessions; to join them: {_retire(*sorted(names))}"
            )
            return _refused(SessionMatch(planned), FindingKind.CONFLICT, reason)
        owner, known = self._owners[names.pop()]
        return self._compared(SessionMatch(planned, known, owner), files)

    def _beside(
        self, match: SessionMatch, others: Sequence[tuple[KnownMetaSession, KnownSession]]
    ) -> SessionMatch:
        """Tell of the sessions of the other label that a new one has its files in common with."""
        findings = []
        for owner, known in others:
            if not self._is_of_animal(owner):
                return _refused(match, FindingKind.OTHER_ANIMAL, self._of_other_animal(owner, known))
            reason = (
                f"it is session {known.session_name} ({owner.label}) too;"
                f" if that was a mistake: {RETIRE} {owner.metasession_name}"
            )
            findings.append(_finding(match, FindingKind.OTHER_LABEL, reason))
        return replace(match, findings=tuple(findings))

    def _is_of_animal(self, owner: KnownMetaSession) -> bool:
        request = self._request
        return (owner.animal_id, owner.datasource_id) == (request.animal_id, request.datasource_id)

    def _is_of_other_type(self, owner: KnownMetaSession) -> bool:
        """Return True if other files would be analysed than those of which the database holds the results."""
        return owner.experiment_type != self._request.experiment_type

    def _of_other_type(self, owner: KnownMetaSession) -> str:
        request = self._request
        instead = f"or to have it as '{request.experiment_type}' instead: {_retire(owner.metasession_name)}"
        if (owner.repository_name, owner.folder) == (request.repository_name, request.folder):
            return f"it is registered as '{owner.experiment_type}'; register it as that again, {instead}"
        return (
            "a session of this animal and start is registered as"
            f" '{owner.experiment_type}' in {_place(owner)}; leave it at that, {instead}"
        )

    def _of_other_animal(self, owner: KnownMetaSession, known: KnownSession) -> str:
        return (
            f"it is registered as session {known.session_name} of animal {owner.animal_id}; if that is the"
            f" wrong animal: {_retire(owner.metasession_name)}"
        )

    def _compared(self, match: SessionMatch, files: Sequence[PlannedFile]) -> SessionMatch:
        owner, known, planned, request = match.owner, match.known, match.planned, self._request
        if owner is None or known is None:
            return match
        if not self._is_of_animal(owner):
            return _refused(match, FindingKind.OTHER_ANIMAL, self._of_other_animal(owner, known))
        if self._is_of_other_type(owner):
            return _refused(match, FindingKind.CONFLICT, self._of_other_type(owner))
        places = {(request.repository_name, file.address) for file in files}
        registered = self._recorded(known)
        has_moved = not any(file.place in places for file in registered)
        if has_moved and not all(file.is_gone for file in registered):
            reason = (
                f"it is registered in {_place(owner)}, and still there; leave one of the two, or to register"
                f" this one instead: {_retire(owner.metasession_name)}"
            )
            return _refused(match, FindingKind.COPIED, reason)
        findings = []
        if has_moved:
            findings.append(_finding(match, FindingKind.MOVED, f"it was registered in {_place(owner)}"))
        if planned.session_name != known.session_name:
            reason = f"registered with a start of {known.start}, the files begin at {planned.start}"
            findings.append(_finding(match, FindingKind.LATE, reason))
        return SessionMatch(planned, known, owner, has_moved=has_moved, findings=tuple(findings))

    def _keys(self, file: PlannedFile) -> tuple[tuple[str, str], tuple[int, str]]:
        return (self._request.repository_name, file.address), file.content

    def _recorded(self, session: KnownSession) -> list[KnownFile]:
        return [
            file
            for dataset in session.datasets
            if dataset.datasettype == self._primary
            for file in dataset.files
        ]


RETIRE = "imaging-pipeline retire"

_WITH_REFUSED = "another session of the folder needs a person's decision first"


def _retire(*names: str) -> str:
    """Tell how registered ones give way; a command takes one name."""
    return f"{' and '.join(f'{RETIRE} {name}' for name in names)}, then register the folder again"


def _place(owner: KnownMetaSession) -> str:
    return f"{owner.folder} of {owner.repository_name}"


def _several_owners(owners: Sequence[KnownMetaSession]) -> str:
    names = sorted(owner.metasession_name for owner in owners)
    return f"the folder's sessions are in {len(names)} combined recordings; to join them: {_retire(*names)}"


def _without_doubles(match: SessionMatch, doubled: set[str]) -> SessionMatch:
    if match.known is not None and match.known.session_name in doubled:
        reason = (
            "its files and those of another name in the folder are registered as one session; give them one"
            f" name again, or to have them apart: {_retire(match.known.session_name)}"
        )
        return _refused(replace(match, refusal=None), FindingKind.CONFLICT, reason)
    return match


def _finding(match: SessionMatch, kind: FindingKind, reason: str) -> Finding:
    name = match.planned.session_name if match.known is None else match.known.session_name
    return Finding(kind, name, f"'{match.planned.timeseries_name}': {reason}")


def _refused(match: SessionMatch, kind: FindingKind, reason: str) -> SessionMatch:
    """Leave a session as it is registered, and say why; the first reason stands."""
    if match.is_refused:
        return match
    return replace(match, refusal=kind, findings=(_finding(match, kind, reason),))
