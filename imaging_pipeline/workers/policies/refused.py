"""What only the machine or the account stands in the way of is the administrator's move."""

from __future__ import annotations

from datajoint.errors import AccessError

from imaging_pipeline.errors import Responsible
from imaging_pipeline.share_away import is_share_away
from imaging_pipeline.workers.messages import Fate
from imaging_pipeline.workers.policies.policy import Policy, Verdict

_MEMORY = (
    "Do it on a machine with more memory, or with fewer processes at a time; then have the job tried again."
)


class Refused(Policy):
    """Errors of libraries and of the system, which do not say themselves what to do."""

    def judge(self, error: BaseException) -> Verdict | None:
        """Keep the error, and say what to do."""
        if isinstance(error, MemoryError):
            return _kept(_MEMORY, "The machine had not enough memory.")
        if isinstance(error, AccessError):
            return _kept("Give the worker's account the right, then have the job tried again.")
        if isinstance(error, PermissionError) and not is_share_away(error):
            return _kept("Let the worker's account read and write there, then have the job tried again.")
        return None


def _kept(remedy: str, what: str = "") -> Verdict:
    return Verdict(Fate.ERROR, what, remedy, Responsible.ADMINISTRATOR)
