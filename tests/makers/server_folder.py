"""Folders for embedded servers of the test session."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from pathlib import Path


def make_server_folder() -> Path:
    """Make a folder that goes when the process ends, after the servers in it were stopped.

    Pytest's own folders would not do: for root they are closed to the account that the server runs as,
    and they may be gone before the server is stopped, which then runs on.
    """
    folder = tempfile.mkdtemp(prefix="imaging-pipeline-")
    # What is registered first is done last.
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)
