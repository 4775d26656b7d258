"""What solves itself is tried again later."""

from __future__ import annotations

from imaging_pipeline.errors import Move, NotMountedError, PipelineError
from imaging_pipeline.workers.messages import Fate
from imaging_pipeline.workers.policy import Policy, Verdict

_DELAY_S = 60.0


class Waiting(Policy):
    """Errors whose move is nobody's, such as files that are still being copied.

    A share that is not mounted here may be mounted elsewhere, or here in a while.
    """

    def judge(self, error: BaseException) -> Verdict | None:
        """Leave the job alone for a minute."""
        is_passing = isinstance(error, PipelineError) and error.move is Move.RETRY
        if is_passing or isinstance(error, NotMountedError):
            return Verdict(Fate.WAITING, delay_s=_DELAY_S)
        return None
