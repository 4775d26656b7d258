"""What the job process tells of the running job, not more often than a person can read."""

from __future__ import annotations

import os
import time

from imaging_pipeline.progress import Progress
from imaging_pipeline.workers.messages import Advanced, Key, Started
from imaging_pipeline.workers.pipe import Line

_EVERY_S = 0.2


class Reporter:
    """Sends the beginning and the progress of the jobs of one table.

    Attributes
    ----------
    outcome
        What came of the running job, by its own word.
    """

    def __init__(self, line: Line, table: str) -> None:
        self._line = line
        self._table = table
        self._key: Key = {}
        self._last = Progress("")
        self._sent = 0.0
        self.outcome = ""

    def begin(self, key: Key) -> None:
        """Tell that a job begins."""
        self._key, self._last, self.outcome = key, Progress(""), ""
        self._line.send(Started(self._table, key, os.getpid()))

    def advance(self, progress: Progress) -> None:
        """Tell of every new step and message, and of mere counts five times a second."""
        if progress.outcome:
            self.outcome = progress.outcome
            return
        now = time.monotonic()
        is_news = progress.message or progress.step != self._last.step or progress.done == progress.total
        if is_news or now - self._sent >= _EVERY_S:
            self._last, self._sent = progress, now
            self._line.send(Advanced(self._table, self._key, progress))
