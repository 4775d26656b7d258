"""Which stored sessions the planned ones are, though name or path may differ.

A recording that is registered already is never registered a second time: not when its folder was
moved or copied, and not when an earlier acquisition arrived late and gave it another start.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from imaging_pipeline.ingest.folder_changes import Finding, FindingKind
from imaging_pipeline.ingest.records import (
    FileRecord,
    MetaSessionRecord,
    Plan,
    SessionRecord,
)


@dataclass(frozen=True)
class SessionMatch:
    """A planned session and the stored one that it is.

    Attributes
    ----------
    planned, stored
        The session as planned, and as stored; None where it is new.
    owner
        The meta-session of the stored one.
    refusal
        Kind of the finding for which a person has to decide before anything is done; None if there is none.
    has_moved
        Whether all its recorded files have another path than the stored one.
    findings
        What to report.
    """

    planned: SessionRecord
    stored: SessionRecord | None = None
    owner: MetaSessionRecord | None = None
    refusal: FindingKind | None = None
    has_moved: bool = False
    findings: tuple[Finding, ...] = ()

    @property
    def is_refused(self) -> bool:
        """Whether nothing is done before a person has decided."""
        return self.refusal is not None


@dataclass(frozen=True)
class MetaSessionMatch:
    """A planned meta-session, the stored one that it is or None, and its sessions."""

    planned: MetaSessionRecord
    stored: MetaSessionRecord | None
    sessions: tuple[SessionMatch, ...]


class StoredSessions:
    """The stored sessions, indexed by name, path and content.

    A planned session may be a stored one of the request's label. One of the other label is another session
    of the same files, and so must be of the same animal.

    Parameters
    ----------
    plan
        What is compared with them.
    stored
        The stored meta-sessions.
    primary
        The dataset type by whose files a session is recognised.
    """

    def __init__(self, plan: Plan, stored: Sequence[MetaSessionRecord], primary: str) -> None:
        self._request = plan.request
        self._primary = primary
        self._metasessions = [each for each in stored if each.request.label == plan.request.label]
        self._owners: dict[str, tuple[MetaSessionRecord, SessionRecord]] = {}
        self._by_file: dict[tuple[str, str] | tuple[int, str], set[str]] = {}
        for owner in stored:
            for session in owner.sessions:
                self._owners[session.session_name] = owner, session
                for file in self._recorded(session):
                    for key in (file.location, file.content):
                        self._by_file.setdefault(key, set()).add(session.session_name)

    def match_all(self, metasessions: Sequence[MetaSessionRecord]) -> list[MetaSessionMatch]:
        """Return the stored meta-session and sessions of each planned meta-session."""
        matches = [[self._match_session(session) for session in each.sessions] for each in metasessions]
        names = [match.stored.session_name for each in matches for match in each if match.stored]
        # Two names in the folder whose files belong to one stored session.
        doubled = {name for name in names if names.count(name) > 1}
        return [
            self._match(metasession, [_without_doubles(match, doubled) for match in each])
            for metasession, each in zip(metasessions, matches, strict=True)
        ]

    def _match(self, planned: MetaSessionRecord, matches: list[SessionMatch]) -> MetaSessionMatch:
        owners = {
            match.owner.metasession_name: match.owner
            for match in matches
            if match.owner is not None and not match.is_refused
        }
        if len(owners) > 1:
            reason = _several_owners(list(owners.values()))
            matches = [_refused(match, FindingKind.CONFLICT, reason) for match in matches]
        # A combined MetaSession is named after its folder, so that one without sessions is found.
        by_name = (each for each in self._metasessions if each.metasession_name == planned.metasession_name)
        stored = next(iter(owners.values()), None) or next(by_name, None)
        if stored is not None and self._is_of_other_type(stored):
            reason = self._of_other_type(stored)
            matches = [_refused(match, FindingKind.CONFLICT, reason) for match in matches]
        # Registered without the refused session, it would be analysed now and again later.
        if any(match.is_refused for match in matches) and stored is None:
            matches = [_refused(match, FindingKind.CONFLICT, _WITH_REFUSED) for match in matches]
        return MetaSessionMatch(planned, stored, tuple(matches))

    def _match_session(self, planned: SessionRecord) -> SessionMatch:
        files = self._recorded(planned)
        # By path and by content: a replaced file keeps the one, a moved or copied file the other.
        candidates = {planned.session_name} & set(self._owners)
        for file in files:
            for key in (file.location, file.content):
                candidates |= self._by_file.get(key, set())
        label = self._request.label
        names = {name for name in candidates if self._owners[name][0].request.label == label}
        if not names:
            return self._other_label(
                SessionMatch(planned), [self._owners[name] for name in sorted(candidates)]
            )
        if len(names) > 1:
            reason = (
                f"its files are in {len(names)} registered sessions; to join them: {_retire(*sorted(names))}"
            )
            return _refused(SessionMatch(planned), FindingKind.CONFLICT, reason)
        owner, stored = self._owners[names.pop()]
        return self._compared(SessionMatch(planned, stored, owner), owner, stored)

    def _other_label(
        self, match: SessionMatch, others: Sequence[tuple[MetaSessionRecord, SessionRecord]]
    ) -> SessionMatch:
        """Add a finding for each session of the other label with files of a new one."""
        findings = []
        for owner, stored in others:
            if owner.request.animal != self._request.animal:
                return _refused(match, FindingKind.OTHER_ANIMAL, self._of_other_animal(owner, stored))
            reason = (
                f"it is session {stored.session_name} ({owner.request.label}) too;"
                f" if that was a mistake: {RETIRE} {owner.metasession_name}"
            )
            findings.append(_finding(match, FindingKind.OTHER_LABEL, reason))
        return replace(match, findings=tuple(findings))

    def _is_of_other_type(self, owner: MetaSessionRecord) -> bool:
        """Return True if the type differs: other files would be analysed than those with stored results."""
        return owner.request.experiment_type != self._request.experiment_type

    def _of_other_type(self, owner: MetaSessionRecord) -> str:
        requested, stored = self._request, owner.request
        instead = f"or to have it as '{requested.experiment_type}' instead: {_retire(owner.metasession_name)}"
        if stored.location == requested.location:
            return f"it is registered as '{stored.experiment_type}'; register it as that again, {instead}"
        return (
            "a session of this animal and start is registered as"
            f" '{stored.experiment_type}' in {_folder(owner)}; leave it at that, {instead}"
        )

    def _of_other_animal(self, owner: MetaSessionRecord, stored: SessionRecord) -> str:
        return (
            f"it is registered as session {stored.session_name} of animal {owner.request.animal_id}; if that"
            f" is the wrong animal: {_retire(owner.metasession_name)}"
        )

    def _compared(self, match: SessionMatch, owner: MetaSessionRecord, stored: SessionRecord) -> SessionMatch:
        """Return a match as refused where it contradicts the stored session, else with its findings."""
        planned = match.planned
        if owner.request.animal != self._request.animal:
            return _refused(match, FindingKind.OTHER_ANIMAL, self._of_other_animal(owner, stored))
        if self._is_of_other_type(owner):
            return _refused(match, FindingKind.CONFLICT, self._of_other_type(owner))
        locations = {file.location for file in self._recorded(planned)}
        recorded = self._recorded(stored)
        # A folder that was moved leaves no file at its former path, while one of several may be renamed.
        has_moved = not any(file.location in locations for file in recorded)
        if has_moved and not all(file.is_gone for file in recorded):
            reason = (
                f"it is registered in {_folder(owner)}, and still there; leave one of the two, or to register"
                f" this one instead: {_retire(owner.metasession_name)}"
            )
            return _refused(match, FindingKind.COPIED, reason)
        findings = []
        if has_moved:
            findings.append(_finding(match, FindingKind.MOVED, f"it was registered in {_folder(owner)}"))
        # Where only the name differs, it was registered before names told repeated hours apart.
        if planned.session_name != stored.session_name and planned.start != stored.start:
            reason = f"registered with a start of {stored.start}, the files begin at {planned.start}"
            findings.append(_finding(match, FindingKind.LATE, reason))
        return replace(match, has_moved=has_moved, findings=tuple(findings))

    def _recorded(self, session: SessionRecord) -> list[FileRecord]:
        return [
            file
            for dataset in session.datasets
            if dataset.datasettype == self._primary
            for file in dataset.files
        ]


RETIRE = "imaging-pipeline retire"

_WITH_REFUSED = "another session of the folder needs a person's decision first"


def _retire(*names: str) -> str:
    """Return what to do so that stored sessions are replaced; the command takes one name."""
    return f"{' and '.join(f'{RETIRE} {name}' for name in names)}, then register the folder again"


def _folder(owner: MetaSessionRecord) -> str:
    return f"{owner.request.folder} of {owner.request.repository_name}"


def _several_owners(owners: Sequence[MetaSessionRecord]) -> str:
    names = sorted(owner.metasession_name for owner in owners)
    return f"the folder's sessions are in {len(names)} combined recordings; to join them: {_retire(*names)}"


def _without_doubles(match: SessionMatch, doubled: set[str]) -> SessionMatch:
    if match.stored is not None and match.stored.session_name in doubled:
        reason = (
            "its files and those of another name in the folder are registered as one session; give them one"
            f" name again, or to have them apart: {_retire(match.stored.session_name)}"
        )
        return _refused(replace(match, refusal=None), FindingKind.CONFLICT, reason)
    return match


def _finding(match: SessionMatch, kind: FindingKind, reason: str) -> Finding:
    name = match.planned.session_name if match.stored is None else match.stored.session_name
    return Finding(kind, name, f"'{match.planned.timeseries_name}': {reason}")


def _refused(match: SessionMatch, kind: FindingKind, reason: str) -> SessionMatch:
    """Return a match as refused, with a finding that says why; the first reason is kept."""
    if match.is_refused:
        return match
    return replace(match, refusal=kind, findings=(_finding(match, kind, reason),))
