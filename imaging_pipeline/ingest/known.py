"""What the database holds that a plan must be held against."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from imaging_pipeline.ingest.records import address_of, content_of


@dataclass(frozen=True)
class KnownFile:
    """A registered file, or a part of one, by repository and path.

    Attributes
    ----------
    part
        What of the file it is, where that holds several recordings.
    is_gone
        Whether it is no longer there; the caller looks, for files that the plan does not have.
    """

    repository_name: str
    path: str
    size_bytes: int
    modified: datetime
    fingerprint: str
    part: str = ""
    is_gone: bool = False

    @property
    def place(self) -> tuple[str, str]:
        """Where it is registered."""
        return self.repository_name, self.address

    @property
    def address(self) -> str:
        """The path, and below it the part."""
        return address_of(self.path, self.part)

    @property
    def content(self) -> tuple[int, str]:
        """What is in it, whatever its name."""
        return content_of(self.size_bytes, self.part, self.fingerprint)


@dataclass(frozen=True)
class ImportedCells:
    """The regions of a Suite2p output that are cells of a session, by Suite2p's numbers."""

    session_name: str
    cell_ids: frozenset[int]


@dataclass(frozen=True)
class KnownDataset:
    """A registered dataset with its files in order.

    Attributes
    ----------
    imported
        Of an output that the plan has with other labels: the cells of each session for which it was
        imported.
    measured_hashes
        Of the same, by what file of labels it was imported, as in `PlannedDataset`.
    """

    dataset_name: str
    datasettype: str
    bundle: str
    files: tuple[KnownFile, ...]
    imported: tuple[ImportedCells, ...] = ()
    measured_hashes: frozenset[str] = frozenset()


@dataclass(frozen=True)
class KnownSession:
    """A registered session with what was recorded of it."""

    session_name: str
    timeseries_name: str
    start: datetime
    datasets: tuple[KnownDataset, ...]


@dataclass(frozen=True)
class KnownMetaSession:
    """A registered meta-session.

    Attributes
    ----------
    metasession_name, label
        Its name, and whether its sessions are ``combined`` or ``split``.
    animal_id, datasource_id
        The animal.
    experiment_type
        As which it was registered.
    repository_name, folder
        Where it was registered.
    sessions
        All its sessions.
    datasets
        Its Suite2p output.
    ops_name, settings_hash
        The option set that it has and the hash of its settings; None where it has none.
    suite2p_folder
        Path below the repository in which its runs get a folder each.
    username
        Whose it is.
    """

    metasession_name: str
    label: str
    animal_id: str
    datasource_id: int
    experiment_type: str
    repository_name: str
    folder: str
    sessions: tuple[KnownSession, ...]
    datasets: tuple[KnownDataset, ...] = ()
    ops_name: str | None = None
    settings_hash: str | None = None
    suite2p_folder: str = ""
    username: str = ""


@dataclass(frozen=True)
class Known:
    """Every meta-session that the plan may meet, of either label.

    These are the ones of the plan's names, the ones with a session of the plan's names, and the
    ones with a file of the same place or the same size and fingerprint as one of the plan's.
    """

    metasessions: tuple[KnownMetaSession, ...] = ()
