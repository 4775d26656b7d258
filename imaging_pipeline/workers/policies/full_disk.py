"""A disk that is full has room again when others have finished, or somebody made some."""

from __future__ import annotations

from imaging_pipeline.errors import PipelineError, Responsible
from imaging_pipeline.suite2p_runner.scratch import is_full
from imaging_pipeline.workers.messages import Fate
from imaging_pipeline.workers.policies.policy import LATER, Policy, Verdict, cause

_REMEDY = "Make room on the disk that it names, or on the disk with the temporary files where it names none."


class FullDisk(Policy):
    """The system's own error, or one of ours that was raised from it and says otherwise."""

    def judge(self, error: BaseException) -> Verdict | None:
        """Leave the job alone for a while."""
        found = cause(error)
        if not isinstance(found, OSError) or not is_full(found):
            return None
        if not isinstance(error, PipelineError):
            return Verdict(Fate.WAITING, remedy=_REMEDY, pauses_s=LATER)
        return None if error.responsible is Responsible.RETRY else Verdict(Fate.WAITING, pauses_s=LATER)
