"""A job that keeps killing its process is not tried for ever."""

from __future__ import annotations

import signal
from collections import Counter

from imaging_pipeline.workers.messages import Fate, Finished, Key
from imaging_pipeline.workers.policy import Death, Policy, Verdict

_MAX_DEATHS = 3

# Jobs that somebody else finished are never heard of again; the oldest are forgotten.
_MAX_JOBS = 1000

_Job = tuple[str, frozenset[tuple[str, object]]]


class Crashes(Policy):
    """The third death of a job under one worker is kept as its error."""

    def __init__(self) -> None:
        self._deaths: Counter[_Job] = Counter()

    def judge_death(self, death: Death) -> Verdict | None:
        """Give the job back twice, then keep an error."""
        job = _job(death.table, death.key)
        self._deaths[job] += 1
        if len(self._deaths) > _MAX_JOBS:
            del self._deaths[next(iter(self._deaths))]
        cause = f"The job's process died ({_cause(death.exit_code)})"
        if self._deaths[job] < _MAX_DEATHS:
            return Verdict(Fate.CRASHED, message=f"{cause}.")
        return Verdict(
            Fate.ERROR,
            message=f"{cause}, {_MAX_DEATHS} times in a row. What to do: See whether the machine's memory"
            " is enough for it, then clear the error.",
        )

    def after_job(self, finished: Finished) -> None:
        """Count anew for a job that was made, or whose error is kept."""
        if finished.key is not None and finished.fate in (Fate.DONE, Fate.ERROR):
            self._deaths.pop(_job(finished.table, finished.key), None)


def _job(table: str, key: Key) -> _Job:
    return table, frozenset(key.items())


def _cause(exit_code: int) -> str:
    if exit_code >= 0:
        return f"exit code {exit_code}"
    try:
        return signal.Signals(-exit_code).name
    except ValueError:
        return f"signal {-exit_code}"
