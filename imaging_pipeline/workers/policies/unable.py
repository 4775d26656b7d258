"""What cannot be done on this machine is left to other machines, and becomes no error."""

from __future__ import annotations

from imaging_pipeline.errors import MissingPackageError, NotHereError, Responsible
from imaging_pipeline.workers.messages import Fate, Finished
from imaging_pipeline.workers.policies.policy import Policy, Verdict
from imaging_pipeline.workers.settings import Settings


class Unable(Policy):
    """A job that lacks a package makes this worker leave the whole table alone, another one only that job."""

    def __init__(self, settings: Settings | None = None) -> None:
        super().__init__(settings)
        self._reasons: dict[str, str] = {}

    def judge(self, error: BaseException) -> Verdict | None:
        """Return the job back for another machine."""
        if isinstance(error, MissingPackageError):
            return Verdict(Fate.UNABLE)
        if isinstance(error, NotHereError) and error.responsible is not Responsible.RETRY:
            return Verdict(Fate.ELSEWHERE)
        return None

    def after_job(self, finished: Finished) -> None:
        """Remember the table, of which a job was begun: what is found before that may pass."""
        if finished.fate is Fate.UNABLE and finished.key is not None:
            self._reasons[finished.table] = finished.message

    def why_not(self, table: str) -> str | None:
        """Name the missing package."""
        return self._reasons.get(table)
