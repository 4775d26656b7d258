"""The key that signs cookies: created once for each user of a machine, and readable by that user alone."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import platformdirs

from imaging_pipeline.errors import Responsible, StoreError

_NAME = "secret_key"


def default_folder() -> Path:
    """Return the folder of the key, which is not in the database because every analyst may read that."""
    return platformdirs.user_data_path("imaging-pipeline-web", appauthor=False)


def secret_key(folder: Path) -> str:
    """Return the key in a folder; create it where there is none.

    Raises
    ------
    StoreError
        The folder cannot be written to.
    """
    path = folder / _NAME
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _make(path)
        return path.read_text(encoding="ascii")
    except OSError as error:
        raise StoreError(
            "The web page's key cannot be kept",
            path=path,
            found=error.strerror,
            remedy="Let this account write to the folder.",
            responsible=Responsible.ADMINISTRATOR,
        ) from error


def _make(path: Path) -> None:
    """Write a key in one step, or leave the one that another process wrote meanwhile."""
    # Linked only when it is complete: no process reads half a key.
    partial = path.with_name(f"{_NAME}.{secrets.token_hex(4)}")
    # Mode 600 from the start: nobody can open it before it is restricted.
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_hex(32))
    try:
        os.link(partial, path)
    except FileExistsError:
        return
    finally:
        partial.unlink()
