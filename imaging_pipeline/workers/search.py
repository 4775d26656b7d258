"""Looking for new jobs: keys of which the table has no row and its job table no job.

DataJoint's own look compares all keys there ever were, whenever a worker is idle, and deletes jobs outside a
restriction. Here a table is looked at where something changed that its jobs may follow from, as workers and
registrations count it, and from time to time for what people insert by hand; and a restriction holds.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from imaging_pipeline.schemas.jobs.job_tables import Populated
from imaging_pipeline.schemas.jobs.new_jobs import delete_obsolete_jobs, insert_new_jobs
from imaging_pipeline.schemas.jobs.sql import Sql
from imaging_pipeline.schemas.table_changes import counts, read_by


class Search:
    """Says of which tables new jobs may have come.

    Parameters
    ----------
    changes
        The table ``TableChange``.
    full_look_s
        Between two looks at a table of which nothing is known to have changed.
    """

    def __init__(self, changes: Any, full_look_s: float) -> None:
        self._changes = changes
        self._full_look_s = full_look_s
        self._read_by: dict[str, frozenset[str]] = {}
        self._seen: dict[str, tuple[float, Mapping[str, int]]] = {}

    def is_due(self, name: str, target: Any) -> bool:
        """Return True if a table is to be looked at, and take it that it is looked at now."""
        now = time.monotonic()
        if name not in self._read_by:
            self._read_by[name] = read_by(target.key_source)
        # Asked for each table anew: what the job before it asked for is not to be missed.
        counted = counts(self._changes)
        relevant = {changed: number for changed, number in counted.items() if changed in self._read_by[name]}
        looked, seen = self._seen.get(name, (float("-inf"), {}))
        if seen == relevant and now - looked < self._full_look_s:
            return False
        self._seen[name] = now, relevant
        return True

    def forget(self, name: str) -> None:
        """Look at a table again the next time, because the last look failed."""
        self._seen.pop(name, None)


class Look:
    """Brings the job table of one table up to date.

    Parameters
    ----------
    target
        The table instance.
    within
        SQL condition on keys, for a worker that is restricted: other rows are left alone. Empty for all.
    """

    def __init__(self, target: Any, within: str) -> None:
        self._connection = target.connection
        self._within = within
        self._jobs = Populated.of(target, target.key_source)

    def __call__(self) -> None:
        """Enter jobs that are new, or whose rows were purged, and drop those of keys that went.

        A key that is gone may have belonged to anybody: a restricted worker drops none.
        """
        insert_new_jobs(self._connection, self._jobs, Sql(self._within))
        if not self._within:
            delete_obsolete_jobs(self._connection, self._jobs)
