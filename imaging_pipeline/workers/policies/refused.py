"""What the machine or the account refuses is for the administrator to mend."""

from __future__ import annotations

from datajoint.errors import AccessError

from imaging_pipeline.errors import Responsible
from imaging_pipeline.share_away import is_share_away
from imaging_pipeline.workers.messages import Outcome
from imaging_pipeline.workers.policies.policy import Policy, RetryDecision

_MEMORY = (
    "Do it on a machine with more memory, or with fewer processes at a time; then have the job tried again."
)


class Refused(Policy):
    """Errors of libraries and of the system, which do not say themselves what to do."""

    def decide(self, error: BaseException) -> RetryDecision | None:
        """Record the error, and say what to do."""
        if isinstance(error, MemoryError):
            return _error(_MEMORY, "The machine had not enough memory.")
        if isinstance(error, AccessError):
            return _error("Give the worker's account the right, then have the job tried again.")
        if isinstance(error, PermissionError) and not is_share_away(error):
            return _error("Let the worker's account read and write there, then have the job tried again.")
        return None


def _error(remedy: str, what: str = "") -> RetryDecision:
    return RetryDecision(Outcome.ERROR, what, remedy, Responsible.ADMINISTRATOR)
