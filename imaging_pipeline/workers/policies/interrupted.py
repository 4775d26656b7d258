"""A worker that is told to stop gives its job back."""

from __future__ import annotations

from imaging_pipeline.workers.messages import Fate
from imaging_pipeline.workers.policy import Policy, Verdict


class Interrupted(Policy):
    """SIGTERM arrives as SystemExit; it says nothing about the job and is no error of it."""

    def judge(self, error: BaseException) -> Verdict | None:
        """Give the job back at once."""
        return Verdict(Fate.INTERRUPTED) if isinstance(error, SystemExit | KeyboardInterrupt) else None
