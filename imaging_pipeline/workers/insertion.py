"""Inserting what a job computed: while the job is ours, and again where the database stood in the way."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any

from datajoint.errors import DataJointError
from deepdiff import DeepHash

from imaging_pipeline.server.database_errors import is_loss
from imaging_pipeline.server.session_settings import is_alive
from imaging_pipeline.workers.connection import revive
from imaging_pipeline.workers.reservation import FencedJobs, Judge

# A computed result of hours waits for a server that is being repaired.
_PATIENCE_S = 86_400.0

_MAX_ATTEMPTS = 5
_PAUSE_S = 0.1


def fence(table: Any, jobs: FencedJobs, judge: Judge) -> None:
    """Make a table instance populate through ``jobs``, and insert only what is still ours.

    What was computed is kept while the transaction that inserts it is run again, after a deadlock or on a new
    connection.

    Parameters
    ----------
    table
        The instance; its class stays as it is.
    jobs
        Its job rows.
    judge
        Says what becomes of an error.
    """
    table._jobs = jobs
    if not hasattr(table, "make_insert"):
        table.make = _then(table.make, jobs.conclude)
        return
    insertion = _Insertion(table, _then(table.make_insert, jobs.conclude), judge)
    table.make_fetch = insertion.fetch
    table.make_compute = _finally(table.make_compute, functools.partial(_renew, jobs.connection))
    table.make_insert = insertion.insert


class _Insertion:
    """Inserts for one table, and remembers what the job was made from."""

    def __init__(self, table: Any, insert: Callable[..., None], judge: Judge) -> None:
        self._connection = table.connection
        self._fetch = table.make_fetch
        self._insert = insert
        self._judge = judge
        self._fetched: Any = None

    def fetch(self, key: dict[str, Any]) -> Any:
        self._fetched = self._fetch(key)
        return self._fetched

    def insert(self, key: dict[str, Any], *computed: Any) -> None:
        for attempt in range(1, _MAX_ATTEMPTS + 1):
            try:
                self._insert(key, *computed)
            except Exception as error:
                if attempt == _MAX_ATTEMPTS or not self._is_passing(error):
                    raise
            else:
                return
            time.sleep(_PAUSE_S * attempt)
            self._begin_again(key)

    def _is_passing(self, error: Exception) -> bool:
        return is_loss(error) or self._judge(error).keeps_result

    def _begin_again(self, key: dict[str, Any]) -> None:
        """Open a new transaction, in which what the job was made from must be what it was.

        Raises
        ------
        DataJointError
            In DataJoint's words where it is not.
        """
        try:
            self._connection.cancel_transaction()
        except Exception:  # each driver has its own classes for an absent server
            revive(self._connection, _PATIENCE_S)
        self._connection.start_transaction()
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


def _renew(connection: Any) -> None:
    if not is_alive(connection):
        revive(connection, _PATIENCE_S)
