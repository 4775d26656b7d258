"""Requests, and the sessions, datasets and files that were made of them."""

from __future__ import annotations

from typing import Any

import datajoint as dj

from imaging_pipeline.errors import InputError
from imaging_pipeline.schemas import mlims, tables

from . import registration, request
from .hardware import Scope, Setup
from .reference import (
    Apparatus,
    ArenaObject,
    CueCard,
    DatasetType,
    ExperimentType,
    FileType,
    Intervention,
    Repository,
    SessionType,
    User,
)
from .schema import schema

__all__ = [
    "Apparatus",
    "ArenaObject",
    "BaseFolder",
    "CueCard",
    "Dataset",
    "DatasetType",
    "ExperimentType",
    "FileType",
    "Intervention",
    "MakeDatasetSessions",
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
class Suite2pyOps(dj.Manual):
    """Suite2p option sets by name; a set in use is never changed, another name is given instead."""

    definition = """
    ops_name : varchar(64)
    ---
    ops : json  # the set as it was given
    ops_settings : json  # the same as settings of Suite2p 1.x, only what differs from default
    ops_not_carried : json  # what Suite2p 1.x has no place for, with the reason
    ops_hash : varchar(16)  # of ops_settings: equal sets have equal hashes
    suite2pyops_entry_time=CURRENT_TIMESTAMP(6) : datetime(6)
    """


@schema
class BaseFolder(dj.Manual):
    """Requests to look at a folder; the same folder may be requested again and again."""

    definition = """
    basefolder_id : int32  # given by the database, in order of request
    ---
    -> User
    path : varchar(1024)  # as typed
    -> Repository
    folder : varchar(1024)  # relative to the repository, forward slashes
    -> mlims.Animal
    -> ExperimentType
    combined : enum('yes', 'no')  # all sessions of the folder as one MetaSession
    setup=null : varchar(64)  # name of a Setup; each MetaSession takes the calibration of its day
    -> [nullable] Scope
    -> [nullable] Suite2pyOps
    register_uncurated=0 : bool  # register again by itself when Suite2p has run
    base_folder_note="" : varchar(4096)
    basefolder_entry_time=CURRENT_TIMESTAMP(6) : datetime(6)
    """

    def insert(self, rows: Any, **kwargs: Any) -> None:
        """Check and complete requests, then insert them; `request.add` documents the columns."""
        if kwargs:
            raise InputError(
                "A request is inserted without options",
                found=", ".join(kwargs),
                remedy="Leave them out: each request becomes a row of its own.",
            )
        request.insert(tables.in_code(), rows)

    @classmethod
    def add(cls, **inputs: Any) -> int:
        """Request that a folder is looked at, and give its identifier; `request.add` documents the inputs."""
        return request.add(tables.in_code(), **inputs)


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

    definition = """
    -> Dataset
    file_order : int32  # from 0, by acquisition and file number
    ---
    acquisition : int32  # how often recording was started under this name; 0 where it has no meaning
    -> Repository
    file_path : varchar(1024)  # relative to the repository, forward slashes
    path_hash : varchar(16)  # of repository and path, to find a file quickly
    size_bytes : int64
    modified : datetime(6)  # UTC
    fingerprint : varchar(16)  # of the size and sampled blocks
    INDEX (path_hash)
    INDEX (fingerprint)
    """


@schema
class Session(dj.Manual):
    """Continuous activities of one animal under one timeseries name."""

    definition = """
    -> MetaSession
    session_name : varchar(16)  # hash, see docs/folder_rules.md
    ---
    session_order : int32  # in the MetaSession, by time, from 0
    session_timestamp : datetime(6)  # start, wall time of the lab's zone
    timeseries_name : varchar(255)
    session_entry_time=CURRENT_TIMESTAMP(6) : datetime(6)
    """

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


@schema
class MakeDatasetSessions(dj.Imported):
    """What was made of a request; its report holds plain names, so that it survives a purge."""

    definition = """
    -> BaseFolder
    ---
    num_sessions_new : int32
    num_sessions_known : int32
    num_files_used : int32
    num_files_ignored : int32
    num_files_unknown : int32
    makedatasetsessions_entry_time=CURRENT_TIMESTAMP(6) : datetime(6)
    """

    class Session(dj.Part):
        """Sessions that the request met."""

        definition = """
        -> master
        reported_session : varchar(16)
        ---
        reported_metasession : varchar(16)
        reported_timeseries : varchar(255)
        session_verdict : enum('new', 'known', 'joined')
        """

    class Dataset(dj.Part):
        """Datasets that the request met."""

        definition = """
        -> master
        reported_dataset : varchar(16)
        ---
        reported_bundle : varchar(255)
        reported_datasettype : varchar(32)
        dataset_verdict : enum('new', 'known', 'changed')
        dataset_reason="" : varchar(1024)
        """

    class File(dj.Part):
        """Every file of the folder."""

        definition = """
        -> master
        reported_file : int32  # from 0, in order of path
        ---
        reported_path : varchar(1024)  # relative to the repository
        file_verdict : enum('used', 'ignored', 'unknown')
        file_reason : varchar(1024)  # dataset type, rule, or why it is not known
        """

    class Purge(dj.Part):
        """Rows that were deleted, by table."""

        definition = """
        -> master
        purged_table : varchar(128)
        ---
        num_rows_purged : int32
        purge_reason : varchar(1024)
        """

    class Finding(dj.Part):
        """What a person should know."""

        definition = """
        -> master
        finding_number : int32
        ---
        finding : varchar(2048)
        """

    class JobReset(dj.Part):
        """Rows of job tables that were dropped, so that their keys are tried again."""

        definition = """
        -> master
        reset_table : varchar(128)
        ---
        num_jobs_reset : int32
        """

    def make_fetch(self, key: dict[str, Any]) -> tuple[dict[str, Any]]:
        """Fetch the request."""
        return ((BaseFolder() & key).fetch1(),)

    def make_compute(self, key: dict[str, Any], base_folder: dict[str, Any]) -> tuple[registration.Planned]:
        """Scan the folder and plan what it holds."""
        return (registration.plan(tables.in_code(), base_folder),)

    def make_insert(self, key: dict[str, Any], planned: registration.Planned) -> None:
        """Compare the plan with the database, apply the changes and report them."""
        report = registration.apply(tables.in_code(), planned)
        self.insert1({**key, **report.row})
        for part, rows in report.parts.items():
            getattr(self, part).insert({**key, **row} for row in rows)
