"""A worker with a number of jobs, or of hours, begins no more after them."""

from __future__ import annotations

import time
from collections.abc import Collection
from pathlib import Path

from imaging_pipeline.workers.messages import Finished, Outcome
from imaging_pipeline.workers.policies.policy import Policy
from imaging_pipeline.workers.settings import Settings

_NOT_MADE_HERE = frozenset({Outcome.RACED, Outcome.ELSEWHERE, Outcome.UNABLE, Outcome.GONE})


class Limits(Policy):
    """Counts the jobs that were tried here, whatever became of them."""

    def __init__(self, settings: Settings | None = None, repositories: Collection[Path] = ()) -> None:
        super().__init__(settings, repositories)
        self._started = time.monotonic()
        self._num_jobs = 0

    def after_job(self, finished: Finished) -> None:
        """Count a job."""
        self._num_jobs += finished.key is not None and finished.outcome not in _NOT_MADE_HERE

    def end_reason(self, num_running: int) -> str | None:
        """Return the option that is exhausted, if one is."""
        jobs, hours = self.settings.max_jobs, self.settings.max_hours
        # What runs counts as made, or several processes would together make too many.
        if jobs is not None and self._num_jobs + num_running >= jobs:
            return f"--max-jobs {jobs}"
        if hours is not None and time.monotonic() - self._started >= hours * 3600:
            return f"--max-hours {hours:g}"
        return None
