"""What registering a folder will change in the database."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from imaging_pipeline.ingest.records import DatasetRecord, MetaSessionRecord, SessionRecord


class SessionVerdict(StrEnum):
    """What a session is to the database."""

    NEW = "new"
    JOINED = "joined"
    KNOWN = "known"


class DatasetVerdict(StrEnum):
    """What a dataset is to the database."""

    NEW = "new"
    KNOWN = "known"
    CHANGED = "changed"


class Difference(StrEnum):
    """How the files of a dataset differ from the stored ones.

    ``LOCATION``: the same content at another path or time; rows of files change, nothing derived does.
    ``CURATION``: only ``iscell.npy`` differs; the cells decide what is derived anew.
    ``CONTENT``: what is derived from the dataset is out of date.
    """

    LOCATION = "location"
    CURATION = "curation"
    CONTENT = "content"


class FindingKind(StrEnum):
    """What a person should know."""

    GONE = "gone"
    MOVED = "moved"
    COPIED = "copied"
    LATE = "late"
    CONFLICT = "conflict"
    OTHER_ANIMAL = "other animal"
    OTHER_LABEL = "other label"
    OTHER_PERSON = "other person"
    OPTION_SET = "option set"
    DAMAGED = "damaged"
    LOST_FRAMES = "lost frames"
    OUTPUT = "output"


@dataclass(frozen=True)
class SessionChange:
    """A session of the folder; ``session`` has the names under which it is stored."""

    session: SessionRecord
    metasession_name: str
    verdict: SessionVerdict


@dataclass(frozen=True)
class RefusedSession:
    """A session of the folder that is not registered, because a person has to decide first.

    Attributes
    ----------
    session, metasession_name
        As planned.
    kind
        The kind of the finding that says what to decide.
    """

    session: SessionRecord
    metasession_name: str
    kind: FindingKind


@dataclass(frozen=True)
class DatasetChange:
    """A dataset of the folder.

    Attributes
    ----------
    dataset
        The dataset as it is now, with the name under which it is stored.
    metasession_name, session_names
        To which it belongs: one session, or all of the meta-session for Suite2p output.
    verdict, difference, reason
        What it is to the database; ``difference`` is None unless it changed.
    file_orders
        Where the content is the stored one: the stored order of each file.
    has_no_session
        Whether its row is there although no session has it any more, because a person deleted that.
    """

    dataset: DatasetRecord
    metasession_name: str
    session_names: tuple[str, ...]
    verdict: DatasetVerdict
    difference: Difference | None = None
    reason: str = ""
    file_orders: tuple[int, ...] = ()
    has_no_session: bool = False


class PurgeSeed(StrEnum):
    """Where a purge starts: everything below is deleted, and for the last three kinds the seed as well.

    ``LINKS``: a dataset's links to some sessions.
    ``FILES``: the files of a dataset.
    ``RUN``: a meta-session's option set, below which its Suite2p run lies.
    ``DATASET``: a dataset that is out of date.
    ``SESSIONS``, ``METASESSION``: what a person retires; a registration never starts there.
    """

    LINKS = "links"
    FILES = "files"
    RUN = "run"
    DATASET = "dataset"
    SESSIONS = "sessions"
    METASESSION = "metasession"


@dataclass(frozen=True)
class Purge:
    """What is to be deleted because it is out of date.

    Attributes
    ----------
    seed
        Where it starts.
    metasession_name, session_names, dataset_name
        What is purged; no sessions and no dataset for a run or a meta-session.
    reason
        Why, for the report.
    """

    seed: PurgeSeed
    metasession_name: str
    reason: str
    session_names: tuple[str, ...] = ()
    dataset_name: str | None = None


@dataclass(frozen=True)
class Curation:
    """A choice of cells that differs from the one that was imported for a session.

    Attributes
    ----------
    metasession_name, session_name, dataset_name, bundle
        The session, and its Suite2p output.
    added, removed
        Numbers of the regions that became cells, and of those that no longer are cells.
    """

    metasession_name: str
    session_name: str
    dataset_name: str
    bundle: str
    added: tuple[int, ...]
    removed: tuple[int, ...]

    @property
    def reason(self) -> str:
        """Why what was imported is purged."""
        return f"'{self.bundle}' curated: {len(self.added)} cells added, {len(self.removed)} removed"


@dataclass(frozen=True)
class OptionSetChange:
    """A meta-session's Suite2p option set, before and after."""

    metasession_name: str
    old_name: str | None
    new_name: str


@dataclass(frozen=True)
class MissedFile:
    """A stored file that was gone before its folder was moved, and the path that it would have now."""

    dataset_name: str
    file_order: int
    path: str
    part: str


@dataclass(frozen=True)
class Relocation:
    """A meta-session whose folder was moved.

    Attributes
    ----------
    repository_name, folder, suite2p_folder
        Where it is now; the folders are paths below the repository.
    missed
        Files that were gone before.
    """

    metasession_name: str
    repository_name: str
    folder: str
    suite2p_folder: str
    missed: tuple[MissedFile, ...] = ()


@dataclass(frozen=True)
class Finding:
    """What a person should know, about which session if about one."""

    kind: FindingKind
    session_name: str | None
    message: str


@dataclass(frozen=True)
class FolderChanges:
    """The difference between plan and database: all that a registration does and reports.

    Attributes
    ----------
    new_metasessions
        Meta-sessions to insert; their sessions and datasets are among those below.
    sessions, datasets
        All of the folder that may be written, with those that are stored already.
    refused
        Sessions of the folder of which nothing is written.
    session_order
        For meta-sessions that get a session: the names of all their sessions by start.
    purges
        What is out of date; deleted before anything is written.
    curations
        Cells that a person chose anew.
    option_sets
        Option sets to set.
    relocations
        Meta-sessions of moved folders.
    findings
        What a person should know.
    """

    new_metasessions: tuple[MetaSessionRecord, ...] = ()
    sessions: tuple[SessionChange, ...] = ()
    datasets: tuple[DatasetChange, ...] = ()
    refused: tuple[RefusedSession, ...] = ()
    session_order: tuple[tuple[str, tuple[str, ...]], ...] = ()
    purges: tuple[Purge, ...] = ()
    curations: tuple[Curation, ...] = ()
    option_sets: tuple[OptionSetChange, ...] = ()
    relocations: tuple[Relocation, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def metasession_names(self) -> tuple[str, ...]:
        """The names of the meta-sessions of all sessions and datasets."""
        of_sessions = {each.metasession_name for each in self.sessions}
        return tuple(sorted(of_sessions | {each.metasession_name for each in self.datasets}))

    @property
    def is_empty(self) -> bool:
        """Whether nothing is written or deleted, apart from the report of the request."""
        return not (
            self.new_metasessions
            or any(each.verdict is not SessionVerdict.KNOWN for each in self.sessions)
            or any(each.verdict is not DatasetVerdict.KNOWN for each in self.datasets)
            or self.session_order
            or self.purges
            or self.curations
            or self.option_sets
            or self.relocations
        )
