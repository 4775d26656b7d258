"""What is known of a folder: the request, and its sessions with their files.

The same records hold what is planned, what the database stores and what is written to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import PurePosixPath

from imaging_pipeline.ingest.damaged_tifs import DamagedTifs
from imaging_pipeline.ingest.verdicts import FileReport, OutputReport
from imaging_pipeline.segmentation.package import Labelled


@dataclass(frozen=True)
class Request:
    """A person's request to register a folder; a stored MetaSession has the one that made it.

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
        The Suite2p option set, or None where there is none.
    username
        The experimenter.
    damaged_tifs
        What becomes of tifs that are new and damaged.
    """

    repository_name: str
    folder: str
    experiment_type: str
    combined: bool
    animal_id: str
    datasource_id: int
    ops_name: str | None = None
    username: str = ""
    damaged_tifs: DamagedTifs = DamagedTifs.REFUSE

    @property
    def label(self) -> str:
        """The label in the names of the sessions."""
        return "combined" if self.combined else "split"

    @property
    def animal(self) -> tuple[str, int]:
        """The key of the animal."""
        return self.animal_id, self.datasource_id

    @property
    def location(self) -> tuple[str, str]:
        """The repository, and the folder below it."""
        return self.repository_name, self.folder

    def below_repository(self, path: str) -> str:
        """Return the path below the repository of a path below the folder."""
        return f"{self.folder}/{path}" if self.folder else path

    def location_of(self, path: str) -> tuple[str, str]:
        """Return the repository, and the path below it of a path below the folder."""
        return self.repository_name, self.below_repository(path)


def address_of(path: str, part: str) -> str:
    """Return where a file is, or a part of it, as if the file were a folder of its parts."""
    return f"{path}/{part}" if part else path


def moment_of(start: datetime) -> tuple[datetime, int, datetime]:
    """Return what orders wall times, also within the hour that a night of autumn has twice."""
    return start.replace(minute=0, second=0, microsecond=0), start.fold, start


@dataclass(frozen=True)
class FileRecord:
    """A file of a dataset, or a part of a file that holds several recordings.

    Attributes
    ----------
    repository_name, path
        Where it is; ``path`` is below the repository, with forward slashes.
    size_bytes, modified
        As the folder shows them; ``modified`` is UTC without a zone.
    fingerprint
        Sixteen characters of the content of the file, or of the part.
    part
        Which part of the file this is, where the file holds several recordings.
    acquisition
        The acquisition that the file belongs to; 0 where that has no meaning, as for Suite2p output.
    parts
        All parts of such a file: name → empty, or why it is no recording.
    pages_taken
        How many pages are taken of a damaged tif; None where all are there.
    content_hash
        Of all the content of a large array of an output; empty where it is not known.
    session_start
        Lab wall time at which the session started, where this file says so and was read for it.
    is_gone
        Whether a stored file is no longer there.
    """

    repository_name: str
    path: str
    size_bytes: int
    modified: datetime
    fingerprint: str
    part: str = ""
    acquisition: int = 0
    parts: Mapping[str, str] = field(default_factory=dict)
    pages_taken: int | None = None
    content_hash: str = ""
    session_start: datetime | None = field(default=None, compare=False)
    is_gone: bool = False

    @property
    def name(self) -> str:
        """The file's name without folders, and its part."""
        return address_of(PurePosixPath(self.path).name, self.part)

    @property
    def address(self) -> str:
        """The path, and below it the part."""
        return address_of(self.path, self.part)

    @property
    def location(self) -> tuple[str, str]:
        """The repository, and the address below it."""
        return self.repository_name, self.address

    @property
    def content(self) -> tuple[int, str]:
        """Size and fingerprint, by which a file is recognised whatever its name."""
        # The size of a container says nothing of a part: the file grows with each further recording.
        return (0 if self.part else self.size_bytes), self.fingerprint


# Stored files of a folder, in sessions of the request's label, by their address.
StoredFiles = Mapping[str, FileRecord]


def stored_below_folder(request: Request, stored: StoredFiles) -> dict[str, FileRecord]:
    """Return the stored files of a request's folder by their path below the folder."""
    prefix, name = request.below_repository(""), request.repository_name
    # What is left of a folder that was moved here may be stored under its former repository.
    return {
        address.removeprefix(prefix): file
        if file.repository_name == name
        else replace(file, repository_name=name)
        for address, file in stored.items()
        if address.startswith(prefix)
    }


@dataclass(frozen=True)
class ImportedCells:
    """The regions of a Suite2p output that are cells of a session, by Suite2p's numbers."""

    session_name: str
    cell_ids: frozenset[int]


@dataclass(frozen=True)
class DatasetRecord:
    """Files that are one thing, ordered by acquisition and file number.

    Attributes
    ----------
    labels
        Of a planned output whose labels are new: which regions are cells.
    imported, measured_hashes
        Of the stored output that it replaces: the cells of each session for which it was imported,
        and the hashes of what was measured.
    """

    dataset_name: str
    datasettype: str
    filetype: str
    bundle: str
    files: tuple[FileRecord, ...]
    labels: Labelled | None = None
    imported: tuple[ImportedCells, ...] = ()
    measured_hashes: frozenset[str] = frozenset()


@dataclass(frozen=True)
class SessionRecord:
    """One activity of the animal under one timeseries name.

    Attributes
    ----------
    start
        The lab's wall time.
    lost_frames
        How many frames its new files lack and what that means; empty where none is missing.
    """

    session_name: str
    timeseries_name: str
    start: datetime
    datasets: tuple[DatasetRecord, ...]
    lost_frames: str = field(default="", compare=False)


@dataclass(frozen=True)
class MetaSessionRecord:
    """Sessions that are analysed together.

    Attributes
    ----------
    metasession_name
        Equal to the session's name where sessions are not combined.
    request
        The folder, animal, experiment type, option set and experimenter with which it is registered.
    sessions
        Ordered by their start.
    datasets
        Finished Suite2p output; each belongs to every session.
    suite2p_folder
        Path below the repository in which runs get a folder of their option set's name.
    """

    metasession_name: str
    request: Request
    sessions: tuple[SessionRecord, ...]
    datasets: tuple[DatasetRecord, ...]
    suite2p_folder: str


@dataclass(frozen=True)
class Plan:
    """Everything that a folder means, before it is compared with the database.

    Attributes
    ----------
    request
        The request that the plan is for.
    metasessions
        What the folder holds.
    files
        Every file of the folder.
    outputs
        Every Suite2p output of the folder.
    gone
        Stored recording files that are no longer there; the sessions above still hold them.
    equal_options
        Names of the option sets that mean the same as the requested one, itself included; empty without one.
    """

    request: Request
    metasessions: tuple[MetaSessionRecord, ...]
    files: tuple[FileReport, ...]
    outputs: tuple[OutputReport, ...] = ()
    gone: tuple[str, ...] = ()
    equal_options: frozenset[str] = frozenset()
