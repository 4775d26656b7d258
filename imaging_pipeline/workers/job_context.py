"""What the tables of a job process share."""

from __future__ import annotations

import pkgutil
import time
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from imaging_pipeline.lanes import Lane
from imaging_pipeline.schemas.table_changes import read_by
from imaging_pipeline.workers.abilities import Abilities
from imaging_pipeline.workers.messages import Able, Fate
from imaging_pipeline.workers.new_jobs import Search
from imaging_pipeline.workers.pipe import Line
from imaging_pipeline.workers.pipeline_tables import Wiring
from imaging_pipeline.workers.policies.policy import Verdict, first_verdict, load_policies
from imaging_pipeline.workers.settings import Settings
from imaging_pipeline.workers.timing import Timing

_ABILITIES_S = 30.0


@dataclass(frozen=True)
class Assignment:
    """What a job process is told when it starts.

    Attributes
    ----------
    wiring
        The tables.
    config
        What the wiring connects with.
    lanes
        Of the worker, in the order of work.
    settings
        Which jobs it does.
    worker
        Its name.
    timing
        How long to wait for what.
    """

    wiring: Wiring
    config: Any
    lanes: tuple[Lane, ...]
    settings: Settings
    worker: str
    timing: Timing


class Workshop:
    """Policies, abilities and the search for new jobs, for all tables of a connected job process."""

    def __init__(self, assignment: Assignment, line: Line) -> None:
        self.assignment = assignment
        self.line = line
        self.search = Search(assignment.wiring.changes, assignment.timing.full_look_s)
        self._policies = load_policies(assignment.settings)
        self._abilities: Abilities | None = None
        self._found = float("-inf")

    @property
    def abilities(self) -> Abilities:
        """What this machine can do now, or could half a minute ago; the supervisor is told of a change."""
        if time.monotonic() - self._found > _ABILITIES_S * self.assignment.timing.patience:
            wiring, config = self.assignment.wiring, self.assignment.config
            found = wiring.abilities(config, self.assignment.lanes)
            if found != self._abilities:
                self.line.send(Able(found))
            self._abilities, self._found = found, time.monotonic()
        assert self._abilities is not None
        return self._abilities

    @cached_property
    def depended_on(self) -> frozenset[str]:
        """Names of the tables that the keys of other tables of any lane come from."""
        found: set[str] = set()
        for table in (name for lane in self.assignment.wiring.lanes for name in lane.tables):
            found |= read_by(pkgutil.resolve_name(table)().key_source)
        return frozenset(found)

    def judge(self, error: BaseException) -> Verdict:
        """Ask the policies what becomes of a job that raised; an error that none knows is kept."""
        verdict = first_verdict((policy.judge(error) for policy in self._policies), Verdict(Fate.ERROR))
        patience = self.assignment.timing.patience
        return replace(verdict, pauses_s=tuple(pause_s * patience for pause_s in verdict.pauses_s))
