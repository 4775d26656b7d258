"""A job that keeps killing its process is not tried for ever."""

from __future__ import annotations

from imaging_pipeline.errors import ProcessKilledError, Responsible
from imaging_pipeline.workers.messages import Fate
from imaging_pipeline.workers.policies.policy import Death, Policy, Verdict

_MAX_DEATHS = 3
_REMEDY = f"Nothing yet; after {_MAX_DEATHS} deaths it becomes an error."


class Crashes(Policy):
    """The third death of a job is kept as its error, whichever workers died of it.

    The process in which an analysis program runs counts as its job's: where memory is short, the system
    kills the larger of the two.
    """

    def judge(self, error: BaseException) -> Verdict | None:
        """Count the death of a process that the job had started."""
        if isinstance(error, ProcessKilledError):
            return Verdict(Fate.CRASHED, remedy=_REMEDY, max_deaths=_MAX_DEATHS)
        return None

    def judge_death(self, death: Death) -> Verdict | None:
        """Return the job back twice, then keep an error."""
        if death.number < _MAX_DEATHS:
            return Verdict(Fate.CRASHED, f"{death.cause}.", _REMEDY)
        return Verdict(
            Fate.ERROR,
            f"{death.cause}, {death.number} times in a row.",
            "See whether the machine's memory is enough for it and what the system's log says of the process,"
            " then have the job tried again.",
            Responsible.ADMINISTRATOR,
        )
