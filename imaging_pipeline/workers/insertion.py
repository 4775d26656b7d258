"""Inserting what a job computed: while the job is ours, and again where the database failed."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any

from datajoint.errors import DataJointError
from deepdiff import DeepHash

from imaging_pipeline.server.connection_errors import is_loss
from imaging_pipeline.server.session_settings import is_alive
from imaging_pipeline.workers.connection import reconnect
from imaging_pipeline.workers.reservation import Decide, FencedJobs

# A computed result of hours waits for a server that is being repaired.
_RECONNECT_FOR_S = 86_400.0

# Of one insertion; after the last, policies decide about the job.
_MAX_ATTEMPTS = 5
_PAUSE_S = 0.1


def fence(table: Any, jobs: FencedJobs, decide: Decide) -> None:
    """Make a table instance populate through ``jobs``, and insert only what is still ours.

    What was computed is not computed again while its transaction is repeated, after a deadlock or on a new
    connection.

    Parameters
    ----------
    table
        The instance; its class stays as it is.
    jobs
        Its job rows.
    decide
        Returns what becomes of a job that raised.
    """
    # DataJoint keeps the job table of an instance here, and makes its own only where there is none.
    table._jobs = jobs
    if not hasattr(table, "make_insert"):
        # What one function computes and inserts cannot be repeated in part, only as a whole job.
        table.make = _then(table.make, jobs.mark_made)
        return
    insertion = _Insertion(table, _then(table.make_insert, jobs.mark_made), decide)
    table.make_fetch = insertion.fetch
    # DataJoint fetches again before it inserts: a connection may have been lost in the hours between.
    table.make_compute = _finally(table.make_compute, functools.partial(_reconnect_if_lost, jobs.connection))
    table.make_insert = insertion.insert


class _Insertion:
    """Inserts for one table, and remembers what the job was made from."""

    def __init__(self, table: Any, insert: Callable[..., None], decide: Decide) -> None:
        self._connection = table.connection
        self._fetch = table.make_fetch
        self._insert = insert
        self._decide = decide
        self._fetched: Any = None

    def fetch(self, key: dict[str, Any]) -> Any:
        self._fetched = self._fetch(key)
        return self._fetched

    def insert(self, key: dict[str, Any], *computed: Any) -> None:
        for attempt in range(1, _MAX_ATTEMPTS + 1):
            try:
                self._insert(key, *computed)
            except Exception as error:
                if attempt == _MAX_ATTEMPTS or not self._may_pass(error):
                    raise
            else:
                return
            # Each time longer, so that two which deadlocked do not meet again.
            time.sleep(_PAUSE_S * attempt)
            self._begin_again(key)

    def _may_pass(self, error: Exception) -> bool:
        return is_loss(error) or self._decide(error).keeps_result

    def _begin_again(self, key: dict[str, Any]) -> None:
        """Open a new transaction, in which what the job was made from must be what it was.

        Raises
        ------
        DataJointError
            In DataJoint's words, where it is not.
        """
        try:
            self._connection.cancel_transaction()
        except Exception:  # each driver has its own classes for an absent server
            reconnect(self._connection, _RECONNECT_FOR_S)
        self._connection.start_transaction()
        # DataJoint compares only once, before the first attempt; its words are what policies recognise.
        before = _hash(self._fetched)
        if _hash(self.fetch(key)) != before:
            raise DataJointError("Referential integrity failed! The `make_fetch` data has changed")


def _hash(fetched: Any) -> str:
    """Return the hash by which DataJoint compares what was fetched."""
    return str(DeepHash(fetched, ignore_iterable_order=False)[fetched])


def _then(step: Callable[..., Any], after: Callable[[], None]) -> Callable[..., Any]:
    @functools.wraps(step)
    def both(*args: Any, **kwargs: Any) -> Any:
        result = step(*args, **kwargs)
        after()
        return result

    return both


def _finally(step: Callable[..., Any], after: Callable[[], None]) -> Callable[..., Any]:
    @functools.wraps(step)
    def both(*args: Any, **kwargs: Any) -> Any:
        try:
            return step(*args, **kwargs)
        finally:
            after()

    return both


def _reconnect_if_lost(connection: Any) -> None:
    if not is_alive(connection):
        reconnect(connection, _RECONNECT_FOR_S)
