"""A job is given back when its process is told to stop; one that keeps killing it is not tried for ever."""

from __future__ import annotations

from imaging_pipeline.errors import ProcessKilledError, Responsible
from imaging_pipeline.workers.messages import Outcome
from imaging_pipeline.workers.pipe import STOPPED, SUPERVISOR_GONE
from imaging_pipeline.workers.policies.policy import Death, Policy, RetryDecision

_STOPS = frozenset({STOPPED, SUPERVISOR_GONE})
_MAX_DEATHS = 3
_REMEDY = f"Nothing yet; after {_MAX_DEATHS} deaths it becomes an error."


class StoppedProcess(Policy):
    """To be stopped says nothing about the job. Its third death is its error, whichever workers died of it.

    The process in which an analysis program runs counts as its job's: where memory is short, the system
    kills the larger of the two.
    """

    def decide(self, error: BaseException) -> RetryDecision | None:
        """Give the job back at once, or count the death of a process that the job had started."""
        if isinstance(error, KeyboardInterrupt):
            return RetryDecision(Outcome.INTERRUPTED)
        # A library that calls `sys.exit` raises the same class: that is an error of the job.
        if isinstance(error, SystemExit) and error.code in _STOPS:
            return RetryDecision(Outcome.INTERRUPTED)
        if isinstance(error, ProcessKilledError):
            return RetryDecision(Outcome.CRASHED, remedy=_REMEDY, max_deaths=_MAX_DEATHS)
        return None

    def decide_death(self, death: Death) -> RetryDecision | None:
        """Give the job back twice, then record an error."""
        if death.number < _MAX_DEATHS:
            return RetryDecision(Outcome.CRASHED, f"{death.cause}.", _REMEDY)
        return RetryDecision(
            Outcome.ERROR,
            f"{death.cause}, {death.number} times in a row.",
            "See whether the machine's memory is enough for it and what the system's log says of the process,"
            " then have the job tried again.",
            Responsible.ADMINISTRATOR,
        )
