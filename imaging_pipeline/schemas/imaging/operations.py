"""Who works on the database at the moment, what workers have to look at, and what people did with jobs."""

from __future__ import annotations

import datajoint as dj

from imaging_pipeline.schemas.imaging.schema import schema

__all__ = ["JobAction", "Store", "TableChange", "Upgrade", "Worker"]


@schema
class Worker(dj.Manual):
    """Running workers; a row goes when its worker ends, or when others find that it gave no sign of life."""

    definition = """
    worker_name : varchar(64)
    ---
    worker_host : varchar(255)
    worker_machine : varchar(16)  # hash that tells machines and containers of one name apart
    worker_pid : int64  # of the supervisor
    worker_version : varchar(32)  # of imaging-pipeline
    worker_lanes : varchar(255)  # comma-separated
    worker_restriction="" : varchar(1024)  # SQL condition: it does jobs of these sessions only
    worker_started : datetime(6)  # UTC, by the server's clock
    worker_heartbeat : datetime(6)  # UTC, by the server's clock
    worker_silent_after : float64  # s without a heartbeat after which others take its jobs
    worker_scratch_bytes=null : int64  # free for runs of Suite2p
    worker_memory_bytes=null : int64  # free
    """

    class Process(dj.Part):
        """The processes of a worker that make rows; reservations in job tables name their host and pid."""

        definition = """
        -> master
        process_pid : int64
        ---
        process_doing="" : varchar(255)  # the running job and how far it is
        """

    class Lack(dj.Part):
        """What a worker's machine, or the worker itself, lacks; jobs that need it are left to others."""

        definition = """
        -> master
        lack_kind : varchar(16)  # repository, store or suite2p; priority, that its jobs have at least
        lack_name : varchar(64)  # which one
        ---
        lack_reason : varchar(1024)
        lack_remedy : varchar(1024)
        """


@schema
class TableChange(dj.Manual):
    """How often rows came or went that new jobs may follow from, so that workers need not search all."""

    definition = """
    changed_table : varchar(160)  # its name in the database
    ---
    num_changes : int64
    """


@schema
class JobAction(dj.Manual):
    """What a person did with jobs, in plain names: it outlives the jobs that it tells of."""

    definition = """
    jobaction_id : int32  # from 0, in order of time
    ---
    jobaction : enum('retry', 'ignore', 'prioritise')
    jobaction_priority=null : int8  # that the jobs got, lower is sooner
    jobaction_who : varchar(255)  # who was named, else the account of the database
    jobaction_account : varchar(255)  # of the database
    jobaction_reason="" : varchar(1024)
    jobaction_time=CURRENT_TIMESTAMP(6) : datetime(6)
    """

    class Job(dj.Part):
        """The jobs, as they were before."""

        definition = """
        -> master
        acted_table : varchar(128)  # imaging.Tif
        acted_hash : varchar(16)  # of table and key
        ---
        acted_key : json
        acted_status : varchar(16)  # pending, later, error or ignore
        acted_priority : int16
        INDEX (acted_hash)
        """


@schema
class Store(dj.Manual):
    """The stores of arrays that belong to this database; a file in each of them says the same."""

    definition = """
    store_name : varchar(64)  # in the configuration
    ---
    store_identity : varchar(32)  # drawn at random when the database took the store
    store_state : int64  # how often it was renewed; in the store, it is never higher
    store_server : varchar(16)  # hash that tells the server from one that the database was copied to
    store_claimed=CURRENT_TIMESTAMP(6) : datetime(6)
    """


@schema
class Upgrade(dj.Manual):
    """Upgrades of the tables to a newer schema version; one without an end goes on, or was interrupted."""

    definition = """
    upgrade_id : int32  # from 0, in order of time
    ---
    upgrade_from : int32  # schema version before
    upgrade_to : int32  # schema version afterwards
    upgrade_reached : int32  # the version up to which the tables are changed
    upgrade_program : varchar(32)  # version of imaging-pipeline
    upgrade_account : varchar(255)  # of the database
    upgrade_time=CURRENT_TIMESTAMP(6) : datetime(6)  # start; rows from before are of the old version
    upgrade_finished=null : datetime(6)  # UTC
    """
