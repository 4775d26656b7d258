"""A table whose package is not installed here is left to other machines."""

from __future__ import annotations

from imaging_pipeline.errors import MissingPackageError
from imaging_pipeline.workers.messages import Fate, Finished
from imaging_pipeline.workers.policy import Policy, Verdict


class Unable(Policy):
    """The first job that lacks a package makes this worker leave the whole table alone."""

    def __init__(self) -> None:
        self._reasons: dict[str, str] = {}

    def judge(self, error: BaseException) -> Verdict | None:
        """Give the job back for another machine."""
        return Verdict(Fate.UNABLE) if isinstance(error, MissingPackageError) else None

    def after_job(self, finished: Finished) -> None:
        """Remember the table."""
        if finished.fate is Fate.UNABLE:
            self._reasons[finished.table] = finished.message

    def why_not(self, table: str) -> str | None:
        """Name the missing package."""
        return self._reasons.get(table)
