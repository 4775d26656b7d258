"""Who works on the database at the moment."""

from __future__ import annotations

import datajoint as dj

from .schema import schema

__all__ = ["Worker"]


@schema
class Worker(dj.Manual):
    """A running worker; its row goes when it ends, and stays without a heartbeat when it is killed."""

    definition = """
    worker_name : varchar(64)
    ---
    worker_host : varchar(255)
    worker_pid : int64  # of the supervisor
    worker_version : varchar(32)  # of imaging-pipeline
    worker_lanes : varchar(255)  # comma-separated
    worker_started=CURRENT_TIMESTAMP(6) : datetime(6)  # by the server's clock
    worker_heartbeat=CURRENT_TIMESTAMP(6) : datetime(6)  # by the server's clock, every ten seconds
    worker_doing="" : varchar(255)  # the running job and how far it is
    """
