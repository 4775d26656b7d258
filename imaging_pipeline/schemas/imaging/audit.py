"""What people did to what is registered, in plain names: it outlives the rows that it tells of."""

from __future__ import annotations

import datajoint as dj

from imaging_pipeline.schemas.imaging.schema import schema

__all__ = ["Change", "Curation", "Retirement"]


@schema
class Change(dj.Manual):
    """What people changed by the web page, and accounts by commands."""

    definition = """
    change_id : varchar(16)  # drawn at random
    ---
    change_time : datetime(6)  # UTC
    change_username : varchar(64)  # who; of a command the account of the machine
    change_action : varchar(64)  # what was done, such as: added the option set
    change_subject : varchar(255)  # to what: a name or number
    change_details : json  # the values that were given; never a password
    INDEX (change_time)
    """


@schema
class Curation(dj.Manual):
    """Another choice of cells than the one imported, found when the folder was registered again."""

    definition = """
    curation_request : int32  # basefolder_id of the request
    curated_dataset : varchar(16)  # dataset_name of the Suite2p output
    curated_session : varchar(16)  # session_name; an output of several sessions has a row for each
    ---
    curated_metasession : varchar(16)
    curated_bundle : varchar(255)  # option set and plane
    curation_username : varchar(64)  # who made the request
    cells_added : json  # cell_id of each region that became a cell, ascending
    cells_removed : json  # cell_id of each region that is a cell no more, ascending
    curation_time=CURRENT_TIMESTAMP(6) : datetime(6)
    """


@schema
class Retirement(dj.Manual):
    """Sessions that a person had deleted, with all that was derived of them."""

    definition = """
    retirement_id : int32  # from 0, in order of time
    ---
    retirement_username : varchar(64)  # who asked for it
    retirement_reason : varchar(1024)
    retirement_time=CURRENT_TIMESTAMP(6) : datetime(6)
    """

    class Session(dj.Part):
        """The sessions, as they were registered."""

        definition = """
        -> master
        retired_session : varchar(16)
        ---
        retired_metasession : varchar(16)
        retired_timeseries : varchar(255)
        retired_start : datetime(6)  # wall time of the lab's zone
        retired_combined : enum('yes', 'no')
        retired_animal : varchar(36)  # animal_id
        retired_datasource : int32
        retired_repository : varchar(64)
        retired_folder : varchar(1024)  # relative to the repository
        """

    class Note(dj.Part):
        """What people had noted of the sessions, which `imaging-pipeline restore-notes` inserts again."""

        definition = """
        -> master
        note_number : int32  # from 0
        ---
        noted_session="" : varchar(16)  # retired session; empty where it was noted of its MetaSession
        noted_table : varchar(64)  # such as Session.SessionType
        noted_row : json  # its columns, without those that name session and MetaSession
        """

    class Purge(dj.Part):
        """Rows that were deleted, by table."""

        definition = """
        -> master
        retired_table : varchar(128)
        ---
        num_rows_retired : int32
        """
