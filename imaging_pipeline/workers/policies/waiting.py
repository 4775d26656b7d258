"""What solves itself is tried again later."""

from __future__ import annotations

from imaging_pipeline.errors import Move, PipelineError
from imaging_pipeline.workers.messages import Fate
from imaging_pipeline.workers.policy import Policy, Verdict

_DELAY_S = 60.0


class Waiting(Policy):
    """Errors whose move is nobody's, such as files that are still being copied."""

    def judge(self, error: BaseException) -> Verdict | None:
        """Leave the job alone for a minute."""
        if isinstance(error, PipelineError) and error.move is Move.RETRY:
            return Verdict(Fate.WAITING, delay_s=_DELAY_S)
        return None
