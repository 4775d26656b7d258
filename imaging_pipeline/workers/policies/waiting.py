"""What solves itself is tried again later."""

from __future__ import annotations

from imaging_pipeline.errors import MissingWeightsError, Move, NotMountedError, PipelineError
from imaging_pipeline.share_away import is_share_away
from imaging_pipeline.workers.messages import Fate
from imaging_pipeline.workers.policy import Policy, Verdict

_DELAY_S = 60.0

# What is not here may be elsewhere, or here in a while; the table's other jobs need not wait for it.
_NOT_HERE = (NotMountedError, MissingWeightsError)


class Waiting(Policy):
    """Errors whose move is nobody's, such as files that are still being copied."""

    def judge(self, error: BaseException) -> Verdict | None:
        """Leave the job alone for a minute."""
        is_passing = isinstance(error, PipelineError) and error.move is Move.RETRY
        if is_passing or isinstance(error, _NOT_HERE) or is_share_away(_cause(error)):
            return Verdict(Fate.WAITING, delay_s=_DELAY_S)
        return None


def _cause(error: BaseException | None) -> BaseException | None:
    """Look through our errors at what they were raised from."""
    while isinstance(error, PipelineError):
        error = error.__cause__
    return error
