"""One table in the job process: which job of it is next, and doing that."""

from __future__ import annotations

import pkgutil

from imaging_pipeline import progress
from imaging_pipeline.lanes import Lane
from imaging_pipeline.schemas.table_changes import plain_name
from imaging_pipeline.workers.abilities import Abilities
from imaging_pipeline.workers.candidates import Candidates, Choice
from imaging_pipeline.workers.insertion import fence
from imaging_pipeline.workers.job_context import Workshop
from imaging_pipeline.workers.messages import Fate, Key, Order
from imaging_pipeline.workers.new_jobs import Look
from imaging_pipeline.workers.reporting import Reporter
from imaging_pipeline.workers.reservation import Duties, FencedJobs


class JobTable:
    """Does the jobs of one table, one an order.

    Parameters
    ----------
    name
        ``module:Class``.
    lane
        To which it belongs.
    workshop
        What it shares with other tables.

    Attributes
    ----------
    jobs
        Its job rows; they know what came of the last job.
    """

    def __init__(self, name: str, lane: Lane, workshop: Workshop) -> None:
        self._name, self._lane, self._workshop = name, lane, workshop
        wiring, settings = workshop.assignment.wiring, workshop.assignment.settings
        self._target = target = pkgutil.resolve_name(name)()
        self._reporter = Reporter(workshop.line, name)
        is_source = plain_name(target.full_table_name) in workshop.depended_on
        within, first = (
            wiring.meant(target, condition) if condition else ""
            for condition in (settings.restriction, settings.first)
        )
        self.jobs = FencedJobs(
            target,
            Duties(
                workshop.assignment.worker,
                workshop.judge,
                self._reporter.begin,
                wiring.changes if is_source else None,
            ),
        )
        fence(target, self.jobs, workshop.judge)
        choice = Choice(within, first, settings.priority)
        self._candidates = Candidates(self.jobs, choice, workshop.assignment.timing.patience)
        self._look = Look(target, within)
        self._here: tuple[tuple[str, ...], str] = ((), "")

    def do_one(self, order: Order) -> tuple[Fate, str]:
        """Do the next job, if there is one for this machine; say what came of it."""
        self.jobs.begin()
        abilities = self._workshop.abilities
        if order.look:
            self._candidates.forget()
            self._look_for_new()
        if (lack := abilities.lacking(self._lane)) is not None:
            return Fate.UNABLE, f"{lack.reason}. What to do: {lack.remedy}"
        for key in self._candidates.each(only_first=order.only_first, here=self._condition()):
            assignment = self._workshop.assignment
            if why_not := assignment.wiring.why_not_here(self._lane, key, abilities):
                self._candidates.leave(key, why_not)
                continue
            with assignment.wiring.turn(self._lane, assignment.config, assignment.settings) as is_ours:
                if not is_ours:
                    return Fate.BUSY, ""
                if self._is_done(key):
                    return self._outcome(key)
        why_passed = self._candidates.why_passed or self._left_elsewhere(abilities)
        return (Fate.UNABLE, why_passed) if why_passed else (Fate.NOTHING, "")

    def _left_elsewhere(self, abilities: Abilities) -> str:
        """Return why files of pending jobs are not found on this machine; nothing where all are."""
        condition = self._condition()
        if not condition or not self.jobs.has_pending(f"NOT {condition}"):
            return ""
        return "; ".join(lack.reason for lack in abilities.lacks if lack.name in abilities.unmounted)

    def _look_for_new(self) -> None:
        if self._workshop.search.is_due(self._name, self._target):
            try:
                self._look()
            except BaseException:
                self._workshop.search.forget(self._name)
                raise

    def _condition(self) -> str:
        """Return the condition on the jobs whose files are here, which is costly to make."""
        abilities = self._workshop.abilities
        if abilities.unmounted != self._here[0]:
            condition = self._workshop.assignment.wiring.here(self._lane, self._target, abilities)
            self._here = abilities.unmounted, condition
        return self._here[1]

    def _is_done(self, key: Key) -> bool:
        """Do a job; say whether it was ours to do."""
        with progress.listening(self._reporter.advance):
            self._target._populate1(
                dict(key), jobs=self.jobs, suppress_errors=True, return_exception_objects=False
            )
        if self.jobs.reservation is None:
            self._candidates.lost()
            return False
        return True

    def _outcome(self, key: Key) -> tuple[Fate, str]:
        fate = self.jobs.fate
        if fate is Fate.ELSEWHERE:
            self._candidates.leave(key, self.jobs.message)
        return fate, self._reporter.outcome if fate is Fate.DONE else self.jobs.message
