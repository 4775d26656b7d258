"""A worker that is told to stop gives its job back."""

from __future__ import annotations

from imaging_pipeline.workers.messages import Fate
from imaging_pipeline.workers.pipe import STOPPED, SUPERVISOR_GONE
from imaging_pipeline.workers.policies.policy import Policy, Verdict

_STOPS = frozenset({STOPPED, SUPERVISOR_GONE})


class Interrupted(Policy):
    """To be stopped says nothing about the job; a library that calls `sys.exit` is an error of it."""

    def judge(self, error: BaseException) -> Verdict | None:
        """Return the job back at once."""
        if isinstance(error, KeyboardInterrupt) or (isinstance(error, SystemExit) and error.code in _STOPS):
            return Verdict(Fate.INTERRUPTED)
        return None
