"""Finished runs on their way from the scratch disk to their place.

A run takes hours and the copy minutes, in which the share may be away or an older output open. So a run
that is finished leaves its own folder at once for one that outlives its process. Whoever does the same run
on this machine next copies what lies there.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from imaging_pipeline import names
from imaging_pipeline.suite2p_runner.publish import MOVIE_SUFFIX, rename_patiently

_PREFIX = "suite2p-finished"
_DAYS = 7
"""Within which a run is copied, or was done by another machine or is wanted no more."""


def kept_folder(scratch: Path, description: Mapping[str, Any]) -> Path:
    """Return the folder in which the finished run of a description is kept."""
    return scratch / f"{_PREFIX}-{names.hash16(json.dumps(description, sort_keys=True))}"


def keep(output: Path, kept: Path) -> None:
    """Take a finished output out of its run's folder, without its movie."""
    for movie in output.rglob(f"*{MOVIE_SUFFIX}"):
        movie.unlink()
    drop(kept)
    rename_patiently(output, kept)


def drop(kept: Path) -> None:
    """Remove a kept run, if there is one."""
    shutil.rmtree(kept, ignore_errors=True)


def drop_forgotten(scratch: Path) -> None:
    """Remove the kept runs that nobody came back for."""
    for kept in scratch.glob(f"{_PREFIX}-*"):
        with suppress(FileNotFoundError):  # another process was faster
            if time.time() - kept.stat().st_mtime > _DAYS * 86400:
                drop(kept)
