"""What is known of a session, or of a folder that is no session yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from imaging_pipeline.errors import ParsedMessage
from imaging_pipeline.explaining.job import Job
from imaging_pipeline.living_worker import LivingWorker


@dataclass(frozen=True)
class SessionNames:
    """The names of a session.

    Attributes
    ----------
    session_name, metasession_name, timeseries_name
        As in the tables.
    start
        Wall time of the lab.
    """

    session_name: str
    metasession_name: str
    timeseries_name: str
    start: datetime


@dataclass(frozen=True)
class RequestFacts:
    """A request for the folder.

    Attributes
    ----------
    number
        Its ``basefolder_id``.
    path
        As typed.
    username
        Who made it.
    entered
        When it was made.
    register_uncurated
        Whether the folder is registered again by itself when Suite2p has run.
    waiting_reason
        Why it waits for its animal; None where that is here.
    setup, scope_name, ops_name, sessiontype
        What else was typed; None where nothing was.
    damaged_tifs
        What becomes of damaged tifs.
    """

    number: int
    path: str
    username: str
    entered: datetime
    register_uncurated: bool
    waiting_reason: ParsedMessage | None = None
    setup: str | None = None
    scope_name: str | None = None
    ops_name: str | None = None
    sessiontype: str | None = None
    damaged_tifs: str = "refuse"


@dataclass(frozen=True)
class OutputFacts:
    """An output of a segmentation program, as the newest request that was carried out saw it.

    Attributes
    ----------
    path
        Below the repository.
    verdict
        Finished, incomplete, superseded or foreign.
    reason
        Why, and what to do about it.
    """

    path: str
    verdict: str
    reason: str


@dataclass(frozen=True)
class StoredRow:
    """A row that is stored.

    Attributes
    ----------
    description
        Which one, in people's words.
    entered
        When it was made.
    duration_s
        How long that took; None where no worker made it.
    number
        Of a request, its ``basefolder_id``; else 0.
    """

    description: str
    entered: datetime
    duration_s: float | None
    number: int = 0


@dataclass(frozen=True)
class Candidate:
    """A living worker, and why it cannot do a job and what to do; both are empty where it can."""

    worker: LivingWorker
    why_not: str = ""
    remedy: str = ""


@dataclass(frozen=True)
class TableFacts:
    """What a table has of the session.

    Attributes
    ----------
    table, lane
        ``imaging.Tif``, and the kind of worker that fills it.
    needs
        Tables that workers fill whose rows it is made from.
    rows
        Rows that are stored, the newest first.
    jobs
        What is still to be made.
    candidates
        The living workers, where something waits for one.
    """

    table: str
    lane: str
    needs: tuple[str, ...] = ()
    rows: tuple[StoredRow, ...] = ()
    jobs: tuple[Job, ...] = ()
    candidates: tuple[Candidate, ...] = ()


@dataclass(frozen=True)
class Facts:
    """All that is known of a session, or of a folder that is no session yet.

    Attributes
    ----------
    session
        None for a folder of which no session is registered.
    folder, repository_name
        Where its files are; ``folder`` is below the repository.
    animal_name, experiment_type, combined
        Of which animal and type, and whether all sessions of the folder are analysed as one long recording.
    requests
        For the folder, the newest first.
    ops_name
        The Suite2p option set that was requested, or None.
    setup_name
        The setup that is recorded, or None.
    outputs
        Of segmentation programs, as the newest request saw them.
    tables
        Those that workers fill, in the order in which work flows.
    tif_advice
        Where the session has no tifs that Suite2p takes, what a person does; else empty.
    """

    session: SessionNames | None
    folder: str
    repository_name: str
    animal_name: str
    experiment_type: str
    combined: bool
    requests: tuple[RequestFacts, ...] = ()
    ops_name: str | None = None
    setup_name: str | None = None
    outputs: tuple[OutputFacts, ...] = ()
    tables: tuple[TableFacts, ...] = ()
    tif_advice: str = ""
