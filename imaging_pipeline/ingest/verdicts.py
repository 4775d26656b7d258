"""What became of every file and every output of a folder, and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


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
    """An output in the folder, by its path below the repository, and what it is.

    Attributes
    ----------
    remarks
        What a person should know of an output that is imported, or would be, and what to do.
    """

    path: str
    verdict: OutputVerdict
    metasession_name: str | None
    ops_name: str | None
    reason: str
    datasettype: str
    remarks: tuple[str, ...] = ()
