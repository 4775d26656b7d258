"""What a job is made from may be registered again, or purged, while the job is being made."""

from __future__ import annotations

from datajoint.errors import DataJointError

from imaging_pipeline.workers.messages import Outcome
from imaging_pipeline.workers.policies.policy import KeyGoneError, Policy, RetryDecision

# DataJoint raises its base class for this, so that only the words tell it from other errors.
_CHANGED = "The `make_fetch` data has changed"

# A `make_fetch` that never returns the same twice is an error of the table.
_MAX_ATTEMPTS = 5


class Changed(Policy):
    """The job is made again from what there is now, or dropped where nothing is left."""

    def decide(self, error: BaseException) -> RetryDecision | None:
        """Try again at once, or drop the job."""
        if isinstance(error, KeyGoneError):
            return RetryDecision(Outcome.GONE)
        if isinstance(error, DataJointError) and _CHANGED in str(error):
            return RetryDecision(
                Outcome.WAITING,
                "What it was made from changed meanwhile.",
                "Nothing: it is made from what there is now.",
                max_attempts=_MAX_ATTEMPTS,
            )
        return None
