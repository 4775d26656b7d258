"""What a folder means: sessions, datasets, files, and a word on every file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import PurePosixPath


@dataclass(frozen=True)
class Request:
    """A person's wish that a folder be looked at.

    Attributes
    ----------
    repository_name, folder
        Where it is; ``folder`` is the path below the repository with forward slashes.
    experiment_type
        Name of a registered experiment type.
    combined
        Whether all sessions of the folder are analysed as one long recording.
    animal_id, datasource_id
        The animal.
    ops_name
        The Suite2p option set, or None where the request names none.
    username
        Who asks.
    """

    repository_name: str
    folder: str
    experiment_type: str
    combined: bool
    animal_id: str
    datasource_id: int
    ops_name: str | None = None
    username: str = ""

    @property
    def label(self) -> str:
        """The label in the names of the sessions."""
        return "combined" if self.combined else "split"

    def place_of(self, path: str) -> str:
        """Return the path below the repository of a path below the folder."""
        return f"{self.folder}/{path}" if self.folder else path


@dataclass(frozen=True)
class Content:
    """What is known of a file without reading it again.

    Attributes
    ----------
    size_bytes, modified
        As the folder shows them; ``modified`` is UTC without a zone.
    fingerprint
        Sixteen characters of its content.
    session_start
        Lab wall time at which the file says that its session started, where it says so.
    part
        What of the file it is, where the file holds several recordings; ``fingerprint`` is then of that.
    parts
        Everything that such a file holds: by its name nothing, or why it is no recording.
    """

    size_bytes: int
    modified: datetime
    fingerprint: str
    session_start: datetime | None = None
    part: str = ""
    parts: Mapping[str, str] = field(default_factory=dict)


def address_of(path: str, part: str) -> str:
    """Return where a file is, or a part of it, as if the file were a folder of its parts."""
    return f"{path}/{part}" if part else path


def content_of(size_bytes: int, part: str, fingerprint: str) -> tuple[int, str]:
    """Return what a file or a part of it is known by; a part is the same when its file grows."""
    return (0 if part else size_bytes), fingerprint


# Files that the database holds for a folder, in sessions of the request's label, by their path below
# the repository; a part of a file by the path of the file, and its own below that.
KnownFiles = Mapping[str, Content]


@dataclass(frozen=True)
class PlannedFile:
    """A file of a dataset.

    Attributes
    ----------
    path
        Path below the repository with forward slashes.
    size_bytes, modified, fingerprint, part, parts
        As in `Content`.
    acquisition
        The acquisition that the file belongs to; 0 where that has no meaning, as for Suite2p output.
    """

    path: str
    size_bytes: int
    modified: datetime
    fingerprint: str
    acquisition: int = 0
    part: str = ""
    parts: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The file's name without folders, and its part."""
        return address_of(PurePosixPath(self.path).name, self.part)

    @property
    def address(self) -> str:
        """The path, and below it the part."""
        return address_of(self.path, self.part)

    @property
    def content(self) -> tuple[int, str]:
        """What is in it, whatever its name."""
        return content_of(self.size_bytes, self.part, self.fingerprint)


@dataclass(frozen=True)
class PlannedDataset:
    """Files that are one thing, ordered by acquisition and file number.

    Attributes
    ----------
    cell_ids
        Of an output whose labels are new: the numbers of the regions marked as cells.
    measured_hash
        Of the same, what `segmentation.package.Labelled` says of all else in the file of the labels.
    """

    dataset_name: str
    datasettype: str
    filetype: str
    bundle: str
    files: tuple[PlannedFile, ...]
    cell_ids: frozenset[int] | None = None
    measured_hash: str = ""


@dataclass(frozen=True)
class PlannedSession:
    """One activity of the animal under one timeseries name; ``start`` is the lab's wall time."""

    session_name: str
    timeseries_name: str
    start: datetime
    datasets: tuple[PlannedDataset, ...]


@dataclass(frozen=True)
class PlannedMetaSession:
    """Sessions that are analysed together.

    Attributes
    ----------
    metasession_name
        Equal to the session's name where sessions are not combined.
    sessions
        Ordered by their start.
    datasets
        Finished Suite2p output; each belongs to every session.
    suite2p_folder
        Path below the repository in which runs get a folder of their option set's name.
    """

    metasession_name: str
    sessions: tuple[PlannedSession, ...]
    datasets: tuple[PlannedDataset, ...]
    suite2p_folder: str


class FileVerdict(StrEnum):
    """What became of a file."""

    USED = "used"
    IGNORED = "ignored"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class FileReport:
    """What became of a file of the folder, and why."""

    path: str
    verdict: FileVerdict
    datasettype: str | None
    session_name: str | None
    reason: str


class OutputVerdict(StrEnum):
    """What a Suite2p output is to the sessions of the folder."""

    FINISHED = "finished"
    INCOMPLETE = "incomplete"
    SUPERSEDED = "superseded"
    FOREIGN = "foreign"


@dataclass(frozen=True)
class OutputReport:
    """An output that was found, by its path below the repository, and what it is."""

    path: str
    verdict: OutputVerdict
    metasession_name: str | None
    ops_name: str | None
    reason: str
    datasettype: str


@dataclass(frozen=True)
class Plan:
    """Everything that a folder means, before the database is asked.

    Attributes
    ----------
    request
        The wish that it answers.
    metasessions
        What is there.
    files
        Every file of the folder.
    outputs
        Every Suite2p output of the folder.
    gone
        Known recording files that are no longer there; the sessions above still hold them.
    settings_hash
        Hash of the settings of the requested option set, None where none is requested.
    """

    request: Request
    metasessions: tuple[PlannedMetaSession, ...]
    files: tuple[FileReport, ...]
    outputs: tuple[OutputReport, ...] = ()
    gone: tuple[str, ...] = ()
    settings_hash: str | None = None
