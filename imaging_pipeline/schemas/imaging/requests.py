"""Requests to look at a folder, and what was made of them."""

from __future__ import annotations

from functools import partial
from typing import Any

import datajoint as dj

from imaging_pipeline.errors import InputError
from imaging_pipeline.schemas import mlims, plain_rows, tables
from imaging_pipeline.schemas.imaging.hardware import Scope
from imaging_pipeline.schemas.imaging.parameters import Suite2pyOps
from imaging_pipeline.schemas.imaging.reference import ExperimentType, Repository, SessionType, User
from imaging_pipeline.schemas.imaging.schema import schema
from imaging_pipeline.schemas.jobs import withdrawal
from imaging_pipeline.schemas.key_source import KeySource
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.schemas.register import pending_animals, preview, registration, requests
from imaging_pipeline.schemas.register.decision import Decision
from imaging_pipeline.schemas.register.folder_request import FolderRequest
from imaging_pipeline.schemas.register.preview import Preview
from imaging_pipeline.schemas.table_changes import count_change

__all__ = [
    "BaseFolder",
    "ExperimentType",
    "MakeDatasetSessions",
    "Repository",
    "Scope",
    "SessionType",
    "Suite2pyOps",
    "User",
    "mlims",
]


@schema
class BaseFolder(dj.Manual):
    """Requests to look at a folder; the same folder may be requested again and again.

    One without an animal waits for it to come from the colony system.
    """

    definition = """
    basefolder_id : int32  # given by the database, in order of request
    ---
    -> User
    path : varchar(1024)  # as typed
    -> Repository
    folder : varchar(1024)  # relative to the repository, forward slashes
    -> [nullable] mlims.Animal
    awaited_animal=null : json  # what was typed of an animal that was not here yet, and was waited for
    -> ExperimentType
    combined : enum('yes', 'no')  # all sessions of the folder as one MetaSession
    setup=null : varchar(64)  # name of a Setup; each MetaSession takes the calibration of its day
    -> [nullable] Scope
    -> [nullable] Suite2pyOps
    -> [nullable] SessionType
    register_uncurated=0 : bool  # register again by itself when Suite2p has run
    damaged_tifs="refuse" : enum('refuse', 'cut', 'leave out')  # cut: take the frames before the damage
    base_folder_note="" : varchar(4096)
    consent=null : json  # by table, the most rows that may be deleted; null: what is out of date
    basefolder_entry_time=CURRENT_TIMESTAMP(6) : datetime(6)
    """

    def insert(self, rows: Any, **kwargs: Any) -> None:
        """Check and complete requests, then insert them; `add` documents the columns."""
        if kwargs:
            raise InputError(
                "A request is inserted without options",
                found=", ".join(kwargs),
                remedy="Leave them out: each request becomes a row of its own.",
            )
        handle = tables.default_tables()
        # Below `insert1`, by which nearly all requests are made.
        requests.insert(handle, rows, on_wait=partial(pending_animals.warn, stacklevel=5))

    @classmethod
    def add(
        cls,
        *,
        username: str,
        path: str,
        animal: str,
        experiment_type: str,
        combined: bool | str,
        setup: str | None = None,
        scope_name: str | None = None,
        ops_name: str | None = None,
        sessiontype: str | None = None,
        register_uncurated: bool = False,
        damaged_tifs: str = "refuse",
        base_folder_note: str = "",
    ) -> int:
        r"""Request that a folder is looked at, and return the identifier of the request.

        Parameters
        ----------
        username
            Who asks; a row of ``User``.
        path
            The folder as you see it, for example ``N:\moser\90218\2026-03-14``.
        animal
            Name or identifier of the animal.
        experiment_type
            Which files mean what; a row of ``ExperimentType``.
        combined
            Whether all sessions of the folder are analysed as one long recording.
        setup
            Name of the ``Setup``; the calibration of the day is taken.
        scope_name
            The microscope head.
        ops_name
            Suite2p option set to run with.
        sessiontype
            What the animal did, in all sessions that are new.
        register_uncurated
            Register the folder again by itself as soon as Suite2p has run.
        damaged_tifs
            What becomes of a tif that is damaged, also at the microscope: ``refuse`` the folder, ``cut`` the
            file to the frames before the damage, or ``leave out`` the file.
        base_folder_note
            Anything worth keeping.

        Warns
        -----
        PendingAnimalWarning
            The animal is not here yet: the request waits for it to come from the colony system.

        Raises
        ------
        InputError
            A value is not known; it lists those that look like it.
        PathError
            The folder lies in no repository, or in two.
        """
        # First of all, while the arguments are the only local variables.
        inputs = {name: value for name, value in locals().items() if name != "cls"}
        handle = tables.default_tables()
        # The warning is about the line that called this method.
        return requests.insert(handle, [inputs], on_wait=partial(pending_animals.warn, stacklevel=4))[0]

    @classmethod
    def preview(
        cls,
        *,
        username: str,
        path: str,
        animal: str,
        experiment_type: str,
        combined: bool | str,
        setup: str | None = None,
        scope_name: str | None = None,
        ops_name: str | None = None,
        sessiontype: str | None = None,
        register_uncurated: bool = False,
        damaged_tifs: str = "refuse",
        base_folder_note: str = "",
    ) -> Preview:
        """Return what a request would do if it were carried out now; writes nothing.

        The arguments are those of `add`. The folder must be mounted on this machine. The result is a
        text when it is printed.

        Raises
        ------
        InputError, PathError
            The request could not be added.
        NotMountedError, NothingFoundError, NamingError, FormatError, StillCopyingError
            The request could not be carried out.
        """
        # First of all, while the arguments are the only local variables.
        inputs = {name: value for name, value in locals().items() if name != "cls"}
        return preview.preview(tables.default_tables(), inputs)

    @classmethod
    def withdraw(cls, basefolder_id: int, *, username: str | None = None, reason: str = "") -> None:
        """Withdraw a request that waits for its animal, as `schemas.jobs.withdrawal.withdraw` does."""
        withdrawal.withdraw(tables.default_tables(), basefolder_id, username=username, reason=reason)


@schema
class MakeDatasetSessions(dj.Imported):
    """What was made of a request; its report holds plain names, so that it survives a purge."""

    # A request whose animal is not here yet waits for it.
    key_source = KeySource(lambda handle: pending_animals.ready(handle.imaging.BaseFolder()))
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
        reported_start : datetime(6)  # wall time of the lab's zone
        session_verdict : enum('new', 'known', 'joined', 'refused')  # refused: nothing is written of it
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

        # Numbered, because paths are too long for a key on MySQL.
        definition = """
        -> master
        reported_file : int32  # from 0, in order of path
        ---
        reported_path : varchar(1024)  # relative to the repository
        file_verdict : enum('used', 'ignored', 'unknown')
        file_reason : varchar(1024)  # dataset type, rule, or why it is not known
        """

    class Output(dj.Part):
        """Every output of a segmentation program in the folder, and what it is to the sessions."""

        definition = """
        -> master
        output_number : int32  # from 0, in order of path
        ---
        output_path : varchar(1024)  # relative to the repository
        output_datasettype : varchar(32)
        output_verdict : enum('finished', 'incomplete', 'superseded', 'foreign')
        output_reason : varchar(1024)  # why, and what to do about it
        output_metasession="" : varchar(16)  # whose it is, where that is known
        output_ops_name="" : varchar(255)  # option set, as the output or its folder has it
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

    def make_fetch(self, key: Row) -> tuple[()]:
        """Fetch nothing: a request whose animal is here is not changed any more."""
        return ()

    def make_compute(self, key: Row) -> tuple[registration.Planned, Decision]:
        """Scan the folder, plan what it holds, and compare that with the database."""
        # A request that was withdrawn has a job; where that is tried again, it waits for its animal again.
        handle, request = tables.default_tables(), (BaseFolder() & key).fetch1()
        if (reason := pending_animals.why_waiting(handle, request)) is not None:
            raise reason
        planned = registration.plan(handle, FolderRequest.from_row(request))
        return planned, registration.decide(handle, planned)

    def make_insert(self, key: Row, planned: registration.Planned, decision: Decision) -> None:
        """Apply the changes and report them."""
        handle = tables.default_tables()
        report = registration.apply(handle, planned, decision)
        plain_rows.insert(self, [{**key, **report.row}])
        for part, rows in report.parts.items():
            plain_rows.insert(getattr(self, part), ({**key, **row} for row in rows))
        # Last, because others wait for the lock on the count.
        if report.has_effects:
            count_change(
                tables.default_tables().imaging.TableChange, tables.default_tables().imaging.MetaSession
            )
