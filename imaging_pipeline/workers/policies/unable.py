"""What cannot be done on this machine is left to other machines, and becomes no error."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from imaging_pipeline.errors import MissingPackageError, NotHereError, OtherVersionError, Responsible
from imaging_pipeline.workers.messages import Finished, Outcome
from imaging_pipeline.workers.policies.policy import Policy, RetryDecision
from imaging_pipeline.workers.settings import Settings


class Unable(Policy):
    """A missing package makes this worker leave the whole table alone, anything else only the job."""

    def __init__(self, settings: Settings | None = None, repositories: Collection[Path] = ()) -> None:
        super().__init__(settings, repositories)
        self._reasons: dict[str, str] = {}

    def decide(self, error: BaseException) -> RetryDecision | None:
        """Give the job back for another machine."""
        if isinstance(error, MissingPackageError):
            return RetryDecision(Outcome.UNABLE)
        # The worker ends with its next order: the job is for one of the newer version.
        if isinstance(error, OtherVersionError):
            return RetryDecision(Outcome.ELSEWHERE)
        # The same class says that files are not there yet, where waiting helps.
        if isinstance(error, NotHereError) and error.responsible is not Responsible.RETRY:
            return RetryDecision(Outcome.ELSEWHERE)
        return None

    def after_job(self, finished: Finished) -> None:
        """Record the table if a job of it was begun: a lack that was noticed before that may pass."""
        if finished.outcome is Outcome.UNABLE and finished.key is not None:
            self._reasons[finished.table] = finished.message

    def skip_reason(self, table: str) -> str | None:
        """Return which package is missing, if one is."""
        return self._reasons.get(table)
