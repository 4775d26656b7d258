"""Searching for new jobs: keys of which the table has no row and its job table no job.

DataJoint's own search compares all keys there ever were, whenever a worker is idle, and deletes jobs outside
a restriction. Here a table is searched where something changed that its jobs may follow from, as workers and
registrations count it, and from time to time for what people insert by hand; and a restriction holds.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from imaging_pipeline.schemas.jobs.job_tables import Populated
from imaging_pipeline.schemas.jobs.new_jobs import delete_obsolete_jobs, insert_new_jobs
from imaging_pipeline.schemas.jobs.sql import Sql
from imaging_pipeline.schemas.table_changes import counts, read_by


class NewJobs:
    """Keeps the job table of one table up to date.

    Parameters
    ----------
    target
        The table instance.
    changes
        The table ``TableChange``.
    within
        SQL condition on keys, for a worker that is restricted: other rows are left alone. Empty for all.
    full_search_s
        Between two searches where nothing is recorded as changed.
    """

    def __init__(self, target: Any, changes: Any, within: str, full_search_s: float) -> None:
        self._target = target
        self._changes = changes
        self._within = within
        self._full_search_s = full_search_s
        self._counted: Mapping[str, int] | None = None
        self._searched = float("-inf")
        self._jobs = Populated.of(target, target.key_source)

    def search(self) -> None:
        """Enter jobs that are new, or whose rows were purged, and drop those of keys that went.

        Does nothing where nothing has changed since the last search that succeeded.
        """
        now, counted = time.monotonic(), self._relevant_counts()
        if counted == self._counted and now - self._searched < self._full_search_s:
            return
        insert_new_jobs(self._target.connection, self._jobs, Sql(self._within))
        # A key that is gone may have belonged to anybody: a restricted worker drops none.
        if not self._within:
            delete_obsolete_jobs(self._target.connection, self._jobs)
        # The time before the search: what is inserted meanwhile may have been missed.
        self._searched, self._counted = now, counted

    @cached_property
    def _read_by(self) -> frozenset[str]:
        return read_by(self._target.key_source)

    def _relevant_counts(self) -> dict[str, int]:
        # Read for each table anew: what the job before it changed is not to be missed.
        counted = counts(self._changes)
        return {changed: number for changed, number in counted.items() if changed in self._read_by}
