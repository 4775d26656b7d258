"""What may pass by itself is tried again later."""

from __future__ import annotations

from imaging_pipeline.errors import PipelineError, Responsible
from imaging_pipeline.share_away import is_share_away
from imaging_pipeline.suite2p_runner.scratch import is_full
from imaging_pipeline.workers.messages import Outcome
from imaging_pipeline.workers.policies.policy import LATER, Policy, RetryDecision, system_cause

_SHARE = "See whether the share that it names is there; at first it may be away for a moment."
_DISK = "Make room on the disk that it names, or on the disk with the temporary files where it names none."


class Waiting(Policy):
    """Files that are still being copied, a share that is away, and a disk that is full.

    The last two are also recognised where one of our errors was raised from the system's and says otherwise.
    """

    def decide(self, error: BaseException) -> RetryDecision | None:
        """Leave the job alone for a while, longer each time."""
        is_ours = isinstance(error, PipelineError)
        if isinstance(error, PipelineError) and error.responsible is Responsible.RETRY:
            return RetryDecision(Outcome.WAITING, pauses_s=LATER)
        cause = system_cause(error)
        if is_share_away(cause):
            return RetryDecision(Outcome.WAITING, remedy="" if is_ours else _SHARE, pauses_s=LATER)
        if isinstance(cause, OSError) and is_full(cause):
            return RetryDecision(Outcome.WAITING, remedy="" if is_ours else _DISK, pauses_s=LATER)
        return None
