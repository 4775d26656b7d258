"""The files of a session from which its imaging stack is read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class StackFile:
    """A file on this machine, the acquisition that it is of, and what of the file where it is not all."""

    path: Path
    acquisition: int
    part: str = ""


@dataclass(frozen=True)
class StackFiles:
    """A dataset of tifs, and what was recorded with it.

    Attributes
    ----------
    datasettype
        What the tifs are.
    timeseries_name
        The session's.
    tifs
        The dataset's files in order.
    primary
        The files of the session's primary dataset in order; it may be the same dataset.
    """

    datasettype: str
    timeseries_name: str
    tifs: tuple[StackFile, ...]
    primary: tuple[StackFile, ...]
