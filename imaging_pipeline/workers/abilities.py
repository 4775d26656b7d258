"""What this machine can do: what it lacks for the jobs of some lanes, and what it has free."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import datajoint as dj
import psutil

from imaging_pipeline.checks.repositories import is_unmounted, why_not_readable
from imaging_pipeline.config.config import Config
from imaging_pipeline.config.stores import PIPELINE_STORE
from imaging_pipeline.lanes import Lane, Need
from imaging_pipeline.living_worker import Lack
from imaging_pipeline.schemas.tables import Tables
from imaging_pipeline.store.errors import is_away
from imaging_pipeline.suite2p_runner.run import is_available
from imaging_pipeline.suite2p_runner.scratch import free_bytes


@dataclass(frozen=True)
class Abilities:
    """What a machine can do.

    Attributes
    ----------
    lacks
        What it lacks; jobs that need it are left to other workers.
    scratch_bytes, memory_bytes
        What it has free; None where no lane runs Suite2p.
    """

    lacks: tuple[Lack, ...] = ()
    scratch_bytes: int | None = None
    memory_bytes: int | None = None

    def lacking(self, lane: Lane) -> Lack | None:
        """Return what prevents all jobs of a lane, or None."""
        # A repository that is away prevents only jobs with files in it; a condition on keys leaves these out.
        return next(
            (lack for lack in self.lacks if lack.kind in lane.needs and lack.kind is not Need.REPOSITORY),
            None,
        )

    @property
    def unmounted(self) -> tuple[str, ...]:
        """The repositories that this machine does not reach."""
        return tuple(lack.name for lack in self.lacks if lack.kind is Need.REPOSITORY)


def find_abilities(config: Config, tables: Tables, lanes: Sequence[Lane]) -> Abilities:
    """Return what this machine can do of some lanes; a share that hangs makes it wait."""
    needs = frozenset(need for lane in lanes for need in lane.needs)
    lacks = tuple(_lacks(config, tables, needs))
    if Need.SUITE2P not in needs:
        return Abilities(lacks)
    return Abilities(lacks, free_bytes(config.scratch), psutil.virtual_memory().available)


def _lacks(config: Config, tables: Tables, needs: frozenset[Need]) -> Iterator[Lack]:
    if Need.REPOSITORY in needs:
        for name in sorted(map(str, tables.imaging.Repository().to_arrays("repository_name"))):
            reason = _why_not_mounted(config, name)
            if reason:
                remedy = f"Mount it, and give its folder on that machine: custom.repositories, {name!r}."
                yield Lack(Need.REPOSITORY, name, f"The repository {name} {reason}", remedy)
    if Need.STORE in needs and is_away(spec := dj.config.get_store_spec(PIPELINE_STORE)):
        yield Lack(
            Need.STORE,
            PIPELINE_STORE,
            f"The store {PIPELINE_STORE} is not there: {spec['location']} is no folder",
            f"Mount its share, or correct stores.{PIPELINE_STORE}.location in the configuration.",
        )
    if Need.SUITE2P in needs and not is_available():
        yield Lack(
            Need.SUITE2P,
            "",
            "Suite2p 1.x with torch is not installed",
            "Install the extra imaging-pipeline[suite2p], where runs are to be done there.",
        )


def _why_not_mounted(config: Config, name: str) -> str:
    folder = config.repositories.get(name)
    if folder is None:
        return "is not in the configuration"
    reason = why_not_readable(folder)
    if reason:
        return f"is not there: {folder} {reason}"
    return f"is not mounted: {folder} is empty" if is_unmounted(folder) else ""


def describe_changes(before: Abilities, now: Abilities) -> Iterator[str]:
    """Yield a line for each thing that a machine lacks now and did not before, or the other way round."""
    for lack in now.lacks:
        if lack not in before.lacks:
            yield f"{lack.reason}. Jobs that need it are left to other workers. What to do: {lack.remedy}"
    # By kind and name: where only the reason changed, the thing is still not there.
    lacking = {(lack.kind, lack.name) for lack in now.lacks}
    for lack in before.lacks:
        if (lack.kind, lack.name) not in lacking:
            yield f"The {' '.join(filter(None, (lack.kind, lack.name)))} is there again."
