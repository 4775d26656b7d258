"""What solves itself is tried again later."""

from __future__ import annotations

from imaging_pipeline.errors import PipelineError, Responsible
from imaging_pipeline.share_away import is_share_away
from imaging_pipeline.workers.messages import Fate
from imaging_pipeline.workers.policies.policy import LATER, Policy, Verdict, cause

_REMEDY = "See whether the share that it names is there; at first it may be away for a moment."


class Waiting(Policy):
    """Errors whose move is nobody's, such as files that are still being copied."""

    def judge(self, error: BaseException) -> Verdict | None:
        """Leave the job alone for a while, longer each time."""
        if isinstance(error, PipelineError) and error.responsible is Responsible.RETRY:
            return Verdict(Fate.WAITING, pauses_s=LATER)
        if is_share_away(cause(error)):
            remedy = "" if isinstance(error, PipelineError) else _REMEDY
            return Verdict(Fate.WAITING, remedy=remedy, pauses_s=LATER)
        return None
