"""What registering a folder will change in the database."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from imaging_pipeline.ingest.records import PlannedDataset, PlannedMetaSession, PlannedSession


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
    """How the files of a dataset differ from the registered ones.

    ``PLACE``: the same content at another place or time; rows of files change, nothing derived does.
    ``CURATION``: only ``iscell.npy`` differs; the cells decide what is derived anew.
    ``CONTENT``: what is derived from the dataset is out of date.
    """

    PLACE = "place"
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


@dataclass(frozen=True)
class SessionChange:
    """A session that the request met; ``session`` carries the names that the database knows it by."""

    session: PlannedSession
    metasession_name: str
    verdict: SessionVerdict


@dataclass(frozen=True)
class RefusedSession:
    """A session of the folder that is not registered before a person has decided.

    Attributes
    ----------
    session, metasession_name
        As planned.
    kind
        Of the finding that says what there is to decide.
    """

    session: PlannedSession
    metasession_name: str
    kind: FindingKind


@dataclass(frozen=True)
class DatasetChange:
    """A dataset that the request met.

    Attributes
    ----------
    dataset
        The dataset as it shall be, under the name that the database knows it by.
    metasession_name, session_names
        Whose it is: one session, or all of the meta-session for Suite2p output.
    verdict, difference, reason
        What it is to the database; ``difference`` is None unless it changed.
    file_orders
        Where the content is the registered one: the registered order of each file.
    """

    dataset: PlannedDataset
    metasession_name: str
    session_names: tuple[str, ...]
    verdict: DatasetVerdict
    difference: Difference | None = None
    reason: str = ""
    file_orders: tuple[int, ...] = ()


class PurgeSeed(StrEnum):
    """What a purge starts at: everything below it goes; of the last three kinds the seed too.

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
        Whose it is; no sessions and no dataset for a run or a meta-session.
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
    """Another choice of cells than the one that was imported of a Suite2p output for a session.

    Attributes
    ----------
    metasession_name, session_name, dataset_name, bundle
        Whose it is.
    added, removed
        Numbers of the regions that became cells, and of those that are none any more.
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
        return f"curated: {len(self.added)} cells added, {len(self.removed)} removed"


@dataclass(frozen=True)
class OptionSetChange:
    """A meta-session's Suite2p option set, before and after."""

    metasession_name: str
    old_name: str | None
    new_name: str


@dataclass(frozen=True)
class MissedFile:
    """A registered file that was gone before its folder was moved, and where it would lie now."""

    dataset_name: str
    file_order: int
    path: str
    part: str


@dataclass(frozen=True)
class Relocation:
    """A meta-session whose folder was moved.

    Attributes
    ----------
    metasession_name
        Which.
    repository_name, folder, suite2p_folder
        Where it is now, paths below the repository.
    missed
        Files that did not arrive there.
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
class Changes:
    """Plan against database: all that a registration does, and all that it tells.

    Attributes
    ----------
    new_metasessions
        Meta-sessions to make; their sessions and datasets are below.
    sessions, datasets
        All that the request met and that may be touched.
    refused
        Sessions of the folder of which nothing is written.
    session_order
        For meta-sessions that get a session: all their sessions' names by start.
    purges
        What is out of date; done before anything is written.
    curations
        Cells that a person chose anew.
    option_sets
        Option sets to set.
    relocations
        Meta-sessions of moved folders.
    findings
        What a person should know.
    """

    new_metasessions: tuple[PlannedMetaSession, ...] = ()
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
    def has_effects(self) -> bool:
        """Whether anything is written or deleted, beside the request's report."""
        seldom = (self.new_metasessions, self.purges, self.curations, self.option_sets, self.relocations)
        return (
            any(seldom)
            or any(each.verdict != "known" for each in self.sessions)
            or any(each.verdict != "known" for each in self.datasets)
        )

    @property
    def metasession_names(self) -> tuple[str, ...]:
        """The names of all meta-sessions that the request met."""
        of_sessions = {each.metasession_name for each in self.sessions}
        return tuple(sorted(of_sessions | {each.metasession_name for each in self.datasets}))

    @property
    def are_any(self) -> bool:
        """Whether the database is to be another one: all that is met may be there as it should be."""
        return bool(
            self.new_metasessions
            or any(each.verdict is not SessionVerdict.KNOWN for each in self.sessions)
            or any(each.verdict is not DatasetVerdict.KNOWN for each in self.datasets)
            or self.session_order
            or self.purges
            or self.curations
            or self.option_sets
            or self.relocations
        )
