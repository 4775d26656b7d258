"""One table in the job process: which job of it is next, and making that."""

from __future__ import annotations

import pkgutil

from imaging_pipeline import progress
from imaging_pipeline.lanes import Lane
from imaging_pipeline.schemas.table_changes import plain_name
from imaging_pipeline.workers.abilities import Abilities
from imaging_pipeline.workers.candidates import Candidates
from imaging_pipeline.workers.insertion import fence
from imaging_pipeline.workers.job_context import JobContext
from imaging_pipeline.workers.messages import Key, Order, Outcome
from imaging_pipeline.workers.new_jobs import NewJobs
from imaging_pipeline.workers.pipe import Reporter, SupervisorPipe
from imaging_pipeline.workers.reservation import FencedJobs


class JobTable:
    """Makes the jobs of one table, one an order.

    Parameters
    ----------
    name
        ``module:Class``.
    lane
        The lane that it belongs to.
    context
        What it shares with other tables.
    pipe
        To the supervisor.

    Attributes
    ----------
    jobs
        Its job rows; they know what became of the last job.
    """

    def __init__(self, name: str, lane: Lane, context: JobContext, pipe: SupervisorPipe) -> None:
        self._lane, self._context = lane, context
        tables, settings, timing = context.tables, context.settings, context.timing
        self._target = target = pkgutil.resolve_name(name)()
        self._reporter = Reporter(pipe, name)
        # Only changes of such tables are counted: no jobs follow from the others.
        is_source = plain_name(target.full_table_name) in context.depended_on
        within, first = (
            tables.keys_condition(target, condition) if condition else ""
            for condition in (settings.restriction, settings.first)
        )
        self.jobs = FencedJobs(
            target,
            context.worker,
            context.decide,
            self._reporter.begin,
            tables.check_version,
            tables.changes if is_source else None,
        )
        fence(target, self.jobs, context.decide)
        self._candidates = Candidates(self.jobs, within, first, settings.priority, timing.patience)
        self._new_jobs = NewJobs(target, tables.changes, within, timing.full_search_s)
        self._unmounted: tuple[str, ...] = ()
        self._reachable = ""

    def make_one(self, order: Order, abilities: Abilities) -> tuple[Outcome, str]:
        """Make the next job, if there is one for this machine, and return what became of it."""
        self.jobs.reset()
        if order.search:
            self._candidates.forget()
            self._new_jobs.search()
        # Only after the search: the jobs that it enters are for other machines, too.
        if (lack := abilities.lacking(self._lane)) is not None:
            return Outcome.UNABLE, f"{lack.reason}. What to do: {lack.remedy}"
        context = self._context
        for key in self._candidates.keys(
            only_first=order.only_first, reachable=self._reachable_condition(abilities)
        ):
            if reason := context.tables.no_room_reason(self._lane, key, abilities):
                self._candidates.postpone(key, reason)
                continue
            with context.tables.run_lock(self._lane, context.config, context.settings) as is_ours:
                if not is_ours:
                    return Outcome.BUSY, ""
                if self._make(key):
                    return self._outcome(key)
        reason = self._candidates.skip_reason or self._unreachable_reason(abilities)
        return (Outcome.UNABLE, reason) if reason else (Outcome.NOTHING, "")

    def _unreachable_reason(self, abilities: Abilities) -> str:
        """Return why files of pending jobs are not on this machine; nothing where all are."""
        condition = self._reachable_condition(abilities)
        if not condition or not self.jobs.has_pending(f"NOT {condition}"):
            return ""
        return "; ".join(lack.reason for lack in abilities.lacks if lack.name in abilities.unmounted)

    def _reachable_condition(self, abilities: Abilities) -> str:
        """Return the condition on the jobs whose files this machine reaches, which is costly to make."""
        if abilities.unmounted != self._unmounted:
            self._reachable = self._context.tables.reachable_condition(self._lane, self._target, abilities)
            self._unmounted = abilities.unmounted
        return self._reachable

    def _make(self, key: Key) -> bool:
        """Make a job; return False if another worker was faster."""
        with progress.listening(self._reporter.advance):
            # `populate` would choose the next key itself, without our restrictions and this machine's lacks.
            self._target._populate1(
                dict(key), jobs=self.jobs, suppress_errors=True, return_exception_objects=False
            )
        if self.jobs.reservation is None:
            self._candidates.lost()
            return False
        return True

    def _outcome(self, key: Key) -> tuple[Outcome, str]:
        outcome = self.jobs.outcome
        if outcome is Outcome.ELSEWHERE:
            self._candidates.postpone(key, self.jobs.message)
        return outcome, self._reporter.result if outcome is Outcome.DONE else self.jobs.message
