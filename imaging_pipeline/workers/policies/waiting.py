"""What solves itself is tried again later."""

from __future__ import annotations

import errno

from imaging_pipeline.errors import MissingWeightsError, Move, NotMountedError, PipelineError
from imaging_pipeline.workers.messages import Fate
from imaging_pipeline.workers.policy import Policy, Verdict

_DELAY_S = 60.0

# What is not here may be elsewhere, or here in a while; the table's other jobs need not wait for it.
_NOT_HERE = (NotMountedError, MissingWeightsError)

# A share or its network is away. Not what a person must solve: ENOENT, EACCES, ENOSPC and their like.
_SHARE_AWAY = frozenset(
    getattr(errno, name)
    for name in (
        *("EIO", "EREMOTEIO", "ESTALE", "ENOTCONN", "ESHUTDOWN", "ETIMEDOUT"),
        *("ENETDOWN", "ENETUNREACH", "ENETRESET", "EHOSTDOWN", "EHOSTUNREACH"),
        *("ECONNABORTED", "ECONNREFUSED", "ECONNRESET"),
    )
    if hasattr(errno, name)  # each system has its own
)

# Windows' numbers for the same (System Error Codes): remote computer off, path not found, busy, device
# gone, unexpected error, name deleted, time over, unreachable (three), connection aborted.
_SHARE_AWAY_WINDOWS = frozenset({51, 53, 54, 55, 59, 64, 121, 1231, 1232, 1233, 1236})


class Waiting(Policy):
    """Errors whose move is nobody's, such as files that are still being copied."""

    def judge(self, error: BaseException) -> Verdict | None:
        """Leave the job alone for a minute."""
        is_passing = isinstance(error, PipelineError) and error.move is Move.RETRY
        if is_passing or isinstance(error, _NOT_HERE) or _is_share_away(error):
            return Verdict(Fate.WAITING, delay_s=_DELAY_S)
        return None


def _is_share_away(error: BaseException | None) -> bool:
    """Look through our errors at what they were raised from."""
    while isinstance(error, PipelineError):
        error = error.__cause__
    if not isinstance(error, OSError):
        return False
    return error.errno in _SHARE_AWAY or getattr(error, "winerror", None) in _SHARE_AWAY_WINDOWS
