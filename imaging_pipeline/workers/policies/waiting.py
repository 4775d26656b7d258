"""What may pass by itself is tried again later."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from imaging_pipeline.errors import NotHereError, PipelineError, Responsible
from imaging_pipeline.share_away import is_share_away
from imaging_pipeline.suite2p_runner.scratch import is_full
from imaging_pipeline.workers.messages import Outcome
from imaging_pipeline.workers.policies.policy import LATER, Policy, RetryDecision, system_cause

_SHARE = "See whether the share that it names is there; at first it may be away for a moment."
_DISK = "Make room on the disk that it names, or on the disk with the temporary files where it names none."


class Waiting(Policy):
    """Files that are still being copied, a share that is away, and a disk that is full.

    The last two are also recognised where one of our errors was raised from the system's and says otherwise.
    A share that goes away in the middle of a job makes files look removed, so that whatever names one of
    them waits.
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
        # Of a repository that was never here, its own error says so.
        if not isinstance(error, NotHereError) and (repository := self._unmounted(error)):
            what = f"The repository was unmounted in the middle of the job ({repository})."
            return RetryDecision(Outcome.WAITING, what, _SHARE, Responsible.RETRY, LATER)
        return None

    def _unmounted(self, error: BaseException) -> Path | None:
        """Return the repository that an error names a file of, if its folder is gone or empty."""
        for path in _paths(error):
            for repository in self.repositories:
                if path.is_relative_to(repository) and not _has_content(repository):
                    return repository
        return None


def _paths(error: BaseException | None) -> Iterator[Path]:
    """Yield the files that an error, and those that it was raised from, name."""
    while error is not None:
        for name in (getattr(error, "path", None), getattr(error, "filename", None)):
            if isinstance(name, (str, Path)):
                yield Path(name)
        error = error.__cause__ or error.__context__


def _has_content(folder: Path) -> bool:
    # Of a share that is away, Linux leaves the empty folder that it was mounted on.
    return folder.is_dir() and any(folder.iterdir())
