"""Folders for embedded servers of the test session."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from contextlib import closing
from pathlib import Path

import psycopg2

from imaging_pipeline.server import embedded


def make_server_folder() -> Path:
    """Make a folder that goes when the process ends, after the servers in it were stopped.

    Pytest's own folders would not do: for root they are closed to the account that the server runs as,
    and they may be gone before the server is stopped, which then runs on.
    """
    folder = tempfile.mkdtemp(prefix="imaging-pipeline-")
    # What is registered first is done last.
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def hurry(folder: Path) -> None:
    """Let a folder's server not wait for the disk: what a test wrote need not outlive a power cut."""
    server = embedded.start(folder)
    account = {"host": server.host, "port": server.port, "user": server.user, "password": "unused"}
    with closing(psycopg2.connect(**account, dbname="postgres")) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            cursor.execute(f"ALTER SYSTEM SET {setting} = off")
        cursor.execute("SELECT pg_reload_conf()")
