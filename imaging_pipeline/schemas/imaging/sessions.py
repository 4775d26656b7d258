"""MetaSessions, sessions, and the datasets and files that they consist of."""

from __future__ import annotations

from typing import Any

import datajoint as dj

from imaging_pipeline.explaining.explanation import Explanations
from imaging_pipeline.schemas import mlims, tables
from imaging_pipeline.schemas.imaging.arenas import Apparatus, ArenaObject, CueCard
from imaging_pipeline.schemas.imaging.hardware import Scope, Setup
from imaging_pipeline.schemas.imaging.parameters import Suite2pyOps
from imaging_pipeline.schemas.imaging.reference import (
    DatasetType,
    ExperimentType,
    FileType,
    Intervention,
    Repository,
    SessionType,
    User,
)
from imaging_pipeline.schemas.imaging.schema import schema
from imaging_pipeline.schemas.jobs import explaining
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.schemas.session_animals import animals_stay_equal

__all__ = [
    "Apparatus",
    "ArenaObject",
    "CueCard",
    "Dataset",
    "DatasetType",
    "ExperimentType",
    "FileType",
    "Intervention",
    "MetaSession",
    "PhysicalFile",
    "Repository",
    "Scope",
    "Session",
    "SessionType",
    "Setup",
    "Suite2pyOps",
    "User",
    "mlims",
]


@schema
class MetaSession(dj.Manual):
    """Sessions that are analysed as one long recording."""

    definition = """
    metasession_name : varchar(16)  # hash, see docs/folder_rules.md
    ---
    -> mlims.Animal
    -> User
    -> ExperimentType
    -> Repository
    metasession_folder : varchar(1024)  # relative to the repository
    suite2p_folder : varchar(1024)  # relative to the repository: outputs lie below, by option set
    combined : enum('yes', 'no')
    metasession_entry_time=CURRENT_TIMESTAMP(6) : datetime(6)
    """

    def update1(self, row: Row) -> None:
        """Update a row; its animal stays that of its sessions."""
        with animals_stay_equal(tables.default_tables()):
            super().update1(row)

    class Note(dj.Part):
        """Notes of people."""

        definition = """
        -> master
        note_hash : varchar(16)
        ---
        note : varchar(4096)
        entry_time_note=CURRENT_TIMESTAMP(6) : datetime(6)
        """

    class Scope(dj.Part):
        """The microscope head."""

        # Not this part: a definition refers to the tables of the module, also in the parts below.
        definition = """
        -> master
        -> Scope
        """

    class Setup(dj.Part):
        """The setup and its calibration of that day."""

        definition = """
        -> master
        -> Setup
        """

    class Suite2pyOps(dj.Part):
        """The Suite2p option set that is asked for."""

        definition = """
        -> master
        -> Suite2pyOps
        """


@schema
class Dataset(dj.Manual):
    """Files that are one thing, such as a tif stack that the microscope split."""

    definition = """
    dataset_name : varchar(16)  # hash of owner, type and bundle
    ---
    -> DatasetType
    -> FileType
    bundle : varchar(255)  # timeseries name, or option set and plane
    dataset_entry_time=CURRENT_TIMESTAMP(6) : datetime(6)
    """


@schema
class PhysicalFile(dj.Manual):
    """Files of a dataset, in order of acquisition."""

    # Paths are too long for an index on MySQL, hence the hash.
    definition = """
    -> Dataset
    file_order : int32  # from 0, by acquisition and file number
    ---
    acquisition : int32  # how often recording was started under this name; 0 where it has no meaning
    -> Repository
    file_path : varchar(1024)  # relative to the repository, forward slashes
    file_part="" : varchar(64)  # in a file of several recordings which one, such as MSession_0/MUnit_3
    file_parts=null : json  # all that such a file holds: part, and why it is no recording if it is none
    path_hash : varchar(16)  # of repository, path and part, to find a file quickly
    size_bytes : int64
    modified : datetime(6)  # UTC
    fingerprint : varchar(16)  # of the size and sampled blocks; of a part its settings and sampled data
    pages_taken=null : int64  # of a damaged tif, its first pages of all channels; null: it is whole
    content_hash=null : varchar(32)  # of all of a large array of an output, noted when it is imported
    INDEX (path_hash)
    INDEX (fingerprint)
    """


@schema
class Session(dj.Manual):
    """Continuous activities of one animal under one timeseries name."""

    # Keys, and so their indexes, begin with the MetaSession: the name has an index of its own.
    # The order changes when an earlier session is found later, so it is in no key.
    # The animal is that of the MetaSession: here as well, so that animals join sessions and their cells.
    definition = """
    -> MetaSession
    session_name : varchar(16)  # hash, see docs/folder_rules.md
    ---
    -> mlims.Animal
    session_order : int32  # in the MetaSession, by time, from 0
    session_timestamp : datetime(6)  # start, wall time of the lab's zone
    timeseries_name : varchar(255)
    session_entry_time=CURRENT_TIMESTAMP(6) : datetime(6)
    INDEX (session_name)
    """

    def insert(self, rows: Any, *args: Any, **kwargs: Any) -> None:
        """Insert rows; their animals are those of their MetaSessions."""
        with animals_stay_equal(tables.default_tables()):
            super().insert(rows, *args, **kwargs)

    def update1(self, row: Row) -> None:
        """Update a row; its animal stays that of its MetaSession."""
        with animals_stay_equal(tables.default_tables()):
            super().update1(row)

    @classmethod
    def explain(cls, wanted: str, table: str | None = None, *, animal: str | None = None) -> Explanations:
        """Return how far sessions are, and why they are not done; a text when it is printed.

        Parameters
        ----------
        wanted
            The name of a session or MetaSession, or its beginning; a timeseries; or a folder.
        table
            Only this table, such as ``Cell``, and those that it needs.
        animal
            Name or identifier, where several animals have a timeseries of that name.

        Raises
        ------
        InputError
            Nothing is known by this name, or more than one session; or there is no such table.
        """
        return explaining.explain(tables.default_tables(), wanted, table=table, animal=animal)

    class Data(dj.Part):
        """What was recorded or computed of a session; everything imported hangs below."""

        definition = """
        -> master
        -> Dataset
        """

    class SessionType(dj.Part):
        """What the animal did."""

        definition = """
        -> master
        -> SessionType
        ---
        sessiontype_note="" : varchar(1024)
        """

    class Apparatus(dj.Part):
        """Where the animal was."""

        definition = """
        -> master
        -> Apparatus
        """

    class ArenaObject(dj.Part):
        """Objects in the arena."""

        definition = """
        -> master
        -> ArenaObject
        ---
        obj_x_coord : float64  # mm
        obj_y_coord : float64  # mm
        obj_note="" : varchar(1024)
        """

    class CueCard(dj.Part):
        """Cards at the wall."""

        definition = """
        -> master
        -> CueCard
        ---
        card_position="" : varchar(64)
        card_note="" : varchar(1024)
        """

    class Intervention(dj.Part):
        """What was done to the animal."""

        definition = """
        -> master
        -> Intervention
        """
