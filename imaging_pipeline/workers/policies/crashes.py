"""A job that keeps killing its process is not tried for ever."""

from __future__ import annotations

from imaging_pipeline.errors import Move
from imaging_pipeline.workers.messages import Fate
from imaging_pipeline.workers.policy import Death, Policy, Verdict

_MAX_DEATHS = 3


class Crashes(Policy):
    """The third death of a job is kept as its error, whichever workers died of it."""

    def judge_death(self, death: Death) -> Verdict | None:
        """Give the job back twice, then keep an error."""
        if death.number < _MAX_DEATHS:
            return Verdict(
                Fate.CRASHED,
                f"{death.cause}.",
                f"Nothing yet; after {_MAX_DEATHS} deaths it becomes an error.",
            )
        return Verdict(
            Fate.ERROR,
            f"{death.cause}, {death.number} times in a row.",
            "See whether the machine's memory is enough for it and what the system's log says of the process,"
            " then have the job tried again.",
            Move.ADMINISTRATOR,
        )
