"""A worker that was given a number of jobs, or of hours, begins no more after them."""

from __future__ import annotations

import time

from imaging_pipeline.workers.messages import Fate, Finished
from imaging_pipeline.workers.policies.policy import Policy
from imaging_pipeline.workers.settings import Settings

_NOT_MADE_HERE = frozenset({Fate.RACED, Fate.ELSEWHERE, Fate.UNABLE, Fate.GONE})


class Limits(Policy):
    """Counts the jobs that were tried here, whatever became of them."""

    def __init__(self, settings: Settings | None = None) -> None:
        super().__init__(settings)
        self._begun = time.monotonic()
        self._num_jobs = 0

    def after_job(self, finished: Finished) -> None:
        """Count a job."""
        self._num_jobs += finished.key is not None and finished.fate not in _NOT_MADE_HERE

    def enough(self, num_running: int) -> str | None:
        """Compare with what the worker was given."""
        jobs, hours = self.settings.max_jobs, self.settings.max_hours
        if jobs is not None and self._num_jobs + num_running >= jobs:
            return f"--max-jobs {jobs}"
        if hours is not None and time.monotonic() - self._begun >= hours * 3600:
            return f"--max-hours {hours:g}"
        return None
