"""A connection that was lost says nothing about the job."""

from __future__ import annotations

from datajoint.errors import LostConnectionError

from imaging_pipeline.workers.messages import Fate
from imaging_pipeline.workers.policy import Policy, Verdict


class Disconnected(Policy):
    """The job is taken up again when the database answers."""

    def judge(self, error: BaseException) -> Verdict | None:
        """Give the job back at once."""
        return Verdict(Fate.DISCONNECTED) if isinstance(error, LostConnectionError) else None
