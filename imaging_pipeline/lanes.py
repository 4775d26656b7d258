"""Which tables a kind of worker fills, and in which order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from imaging_pipeline.choices import near
from imaging_pipeline.errors import InputError


class Need(StrEnum):
    """What a machine must have for the jobs of a lane."""

    REPOSITORY = "repository"
    STORE = "store"
    SUITE2P = "suite2p"


@dataclass(frozen=True)
class PeriodicTask:
    """Something that is done from time to time, by one worker of its lane or another.

    Attributes
    ----------
    function
        ``module:function``, resolved once the worker has connected. It takes the `schemas.tables.Tables`,
        decides itself whether it is time, since other workers do the same, and returns what it did, or an
        empty text. It runs in the job process; an error of it is logged, and it is called again as usual.
    every_s
        How often each worker calls it.
    """

    function: str
    every_s: float


@dataclass(frozen=True)
class Lane:
    """A kind of work.

    Attributes
    ----------
    name
        What the command line calls it.
    tables
        ``module:Class`` of each table that is populated, in order; resolved once the worker has
        connected, so that importing this module declares nothing.
    needs
        What a machine must have; where it lacks it, jobs are left to other workers.
    periodic_tasks
        What is done beside the tables.
    """

    name: str
    tables: tuple[str, ...] = ()
    needs: frozenset[Need] = frozenset()
    periodic_tasks: tuple[PeriodicTask, ...] = ()


# Names, not classes: importing these would import DataJoint, which commands that list lanes do not need.
_IMAGING = "imaging_pipeline.schemas.imaging"

LANES = (
    Lane(
        "mlims",
        periodic_tasks=(PeriodicTask("imaging_pipeline.colony.sync:compare_when_due", every_s=60.0),),
    ),
    Lane("ingest", (f"{_IMAGING}:MakeDatasetSessions",), frozenset({Need.REPOSITORY})),
    Lane(
        "imported",
        (
            f"{_IMAGING}:Tif",
            f"{_IMAGING}:Mesc",
            f"{_IMAGING}:ImagingAnalysis",
            f"{_IMAGING}:Projection",
            f"{_IMAGING}:Cell",
        ),
        frozenset({Need.REPOSITORY, Need.STORE}),
    ),
    Lane(
        "suite2p",
        ("imaging_pipeline.schemas.suite2p_jobs:Suite2Py",),
        frozenset({Need.REPOSITORY, Need.SUITE2P}),
    ),
    Lane(
        "computed",
        (
            f"{_IMAGING}:FilteredSpikes",
            f"{_IMAGING}:SNR",
        ),
        frozenset({Need.STORE}),
    ),
)


def lanes_named(names: Iterable[str]) -> tuple[Lane, ...]:
    """Return the lanes of these names in the order in which work flows; all where none is named.

    Raises
    ------
    InputError
        A name is no lane's.
    """
    requested = set(names)
    existing = [lane.name for lane in LANES]
    for name in sorted(requested.difference(existing)):
        alike = near(name, existing)
        raise InputError(
            "There is no such lane",
            found=name,
            allowed=", ".join(existing),
            remedy=f"Did you mean {alike[0]}?" if alike else "Name some of these, or none for all.",
        )
    return tuple(lane for lane in LANES if not requested or lane.name in requested)


def short_name(table: str) -> str:
    """Return ``imaging.Tif`` for ``imaging_pipeline.schemas.imaging:Tif``."""
    module, _, name = table.partition(":")
    return f"{module.rpartition('.')[2]}.{name}"
