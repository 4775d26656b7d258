"""What the parts of a job process share."""

from __future__ import annotations

import pkgutil
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from imaging_pipeline.lanes import Lane
from imaging_pipeline.schemas.table_changes import read_by
from imaging_pipeline.workers.messages import Outcome
from imaging_pipeline.workers.pipeline_tables import PipelineTables
from imaging_pipeline.workers.policies.policy import Policy, RetryDecision, first_decision, load_policies
from imaging_pipeline.workers.settings import Settings, Timing


@dataclass(frozen=True)
class JobContext:
    """What the supervisor passes to a job process, pickled, and what follows from it there.

    Attributes
    ----------
    tables
        What is populated.
    config
        What ``tables`` connects with.
    lanes
        Of the worker, in the order of work.
    settings
        Which jobs it does.
    worker
        Its name.
    timing
        How long to wait for what.
    """

    tables: PipelineTables
    config: Any
    lanes: tuple[Lane, ...]
    settings: Settings
    worker: str
    timing: Timing

    @cached_property
    def policies(self) -> tuple[Policy, ...]:
        """The policies of this process."""
        return load_policies(self.settings, tuple(self.config.repositories.values()))

    @cached_property
    def depended_on(self) -> frozenset[str]:
        """Names of the tables that the keys of other tables of any lane come from."""
        names: set[str] = set()
        # Of all lanes: what this worker makes may lead to jobs of other workers.
        for table in (name for lane in self.tables.lanes for name in lane.tables):
            names |= read_by(pkgutil.resolve_name(table)().key_source)
        return frozenset(names)

    def decide(self, error: BaseException) -> RetryDecision:
        """Return what becomes of a job that raised; where no policy applies, its error stays."""
        decisions = (policy.decide(error) for policy in self.policies)
        decision = first_decision(decisions, RetryDecision(Outcome.ERROR))
        patience = self.timing.patience
        return replace(decision, pauses_s=tuple(pause_s * patience for pause_s in decision.pauses_s))
