"""Runs of the comparison: each is a row of ``Sync``, and only one at a time is under way.

A run renews its row as a heartbeat. One without a heartbeat was killed, or lost its machine: the next run
closes it and begins, and if the lost one comes back, its writes are refused.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from imaging_pipeline.colony.comparison import FieldChange
from imaging_pipeline.colony.sources.contract import Source
from imaging_pipeline.colony.sources.record import RowProblem
from imaging_pipeline.errors import ColonyError, PipelineError, Responsible
from imaging_pipeline.schemas import plain_rows
from imaging_pipeline.schemas.checked_rows import exclusive, next_number
from imaging_pipeline.schemas.tables import Tables

# Longer than any source may be silent: `timeout_s` of a database is 120 s at most.
HEARTBEAT_TIMEOUT_S = 300
_HEARTBEAT_INTERVAL_S = 5.0
# A server limits the size of a statement; so many rows fit, whatever the length of their notes.
_ROWS_PER_STATEMENT = 500
# Length of the column sync_error, in characters.
_MAX_ERROR_LENGTH = 2048
_KILLED = "It ended without a word: its process was killed, or its machine went away."


@dataclass
class Counts:
    """What a run did so far; the names are columns of ``Sync``."""

    num_animals: int = 0
    num_added: int = 0
    num_changed: int = 0
    num_gone: int = 0
    num_returned: int = 0
    num_rows_skipped: int = 0


class AlreadyRunningError(ColonyError):
    """Another run is under way."""


class Run:
    """A run that has begun.

    Parameters
    ----------
    tables
        The database.
    source
        The source of animals.
    is_whole
        Whether an animal that is not in the source is gone.

    Raises
    ------
    AlreadyRunningError
        Another run is under way.
    """

    def __init__(self, tables: Tables, source: Source, *, is_whole: bool) -> None:
        self._tables = tables
        self._sync = tables.mlims.Sync
        self._num_changes = 0
        self._begun = self._renewed = time.monotonic()
        with exclusive(tables):
            self._close_dead_runs()
            self._key = {"sync_id": next_number(tables, "sync_id", self._sync.full_table_name)}
            self._sync.insert1(
                {
                    **self._key,
                    # The length of the column.
                    "sync_source": source.name[:512],
                    "sync_datasource": source.datasource_id or 0,
                    "sync_is_whole": is_whole,
                    "sync_host": platform.node(),
                }
            )

    def renew_if_due(self) -> None:
        """Renew the row, unless that was done just now."""
        if time.monotonic() - self._renewed >= _HEARTBEAT_INTERVAL_S:
            self.renew()

    def renew(self) -> None:
        """Renew the row; it is then locked, so that no other run begins before the transaction ends.

        Raises
        ------
        ColonyError
            Another run has begun, since this one seemed to be dead.
        """
        query = (
            f"UPDATE {self._sync.full_table_name} SET sync_alive = CURRENT_TIMESTAMP(6)"
            " WHERE sync_id = %s AND sync_duration_s IS NULL"
        )
        # No row is left to renew if another run has closed this one.
        if not self._tables.connection.query(query, args=(self._key["sync_id"],)).rowcount:
            raise ColonyError(
                "Another comparison with the colony has begun, since this one was silent for too long",
                found=f"nothing heard of it for {HEARTBEAT_TIMEOUT_S / 60:.0f} minutes",
                remedy="Nothing: the other one goes on.",
                responsible=Responsible.RETRY,
            )
        self._renewed = time.monotonic()

    def record(self, changed: Iterable[FieldChange]) -> None:
        """Record changes of the run, within the open transaction."""
        rows = [
            {
                **self._key,
                "change_number": self._num_changes + number,
                "changed_animal": change.key.animal_id,
                "changed_datasource": change.key.datasource_id,
                "changed_field": change.field,
                "value_before": change.before,
                "value_after": change.after,
            }
            for number, change in enumerate(changed)
        ]
        for first in range(0, len(rows), _ROWS_PER_STATEMENT):
            plain_rows.insert(self._sync.Change, rows[first : first + _ROWS_PER_STATEMENT])
        self._num_changes += len(rows)

    def end(self, counts: Counts, problems: Sequence[RowProblem]) -> None:
        """Close the run and record its result, within the open transaction."""
        self.renew()
        datasource_id = int((self._sync & self._key).fetch1("sync_datasource"))
        of_colony = self._sync & f"sync_datasource = {datasource_id}"
        # The rows that earlier runs skipped were read again by this one.
        (self._sync.Problem & of_colony.proj()).delete_quick()
        plain_rows.insert(self._sync.Problem, _problem_rows(self._key, problems))
        self._close(counts, "")

    def fail(self, counts: Counts, error: BaseException) -> None:
        """Close the run and record why it broke off, if the database answers."""
        message = str(error) if isinstance(error, PipelineError) else f"{type(error).__name__}: {error}"
        try:
            self._close(counts, message)
        except Exception as database_error:  # each driver has its own classes
            error.add_note(f"That could not be recorded: {database_error}")

    def _close(self, counts: Counts, error: str) -> None:
        values = {
            **vars(counts),
            "sync_duration_s": time.monotonic() - self._begun,
            "sync_error": error[:_MAX_ERROR_LENGTH],
        }
        assigned = ", ".join(f"{name} = %s" for name in values)
        # A run that another one has closed keeps what that one wrote.
        query = (
            f"UPDATE {self._sync.full_table_name} SET {assigned}"
            " WHERE sync_id = %s AND sync_duration_s IS NULL"
        )
        self._tables.connection.query(query, args=(*values.values(), self._key["sync_id"]))

    def _close_dead_runs(self) -> None:
        """Close runs without a heartbeat; raise if another run is under way."""
        ago = self._tables.connection.adapter.interval_expr(HEARTBEAT_TIMEOUT_S, "second")
        unfinished = self._sync & "sync_duration_s IS NULL"
        # By the server's clock, as the rows are: machines' clocks differ.
        running = (unfinished & f"sync_alive > CURRENT_TIMESTAMP(6) - {ago}").to_dicts()
        if running:
            raise _already_running(running[0])
        query = (
            f"UPDATE {self._sync.full_table_name} SET sync_error = %s, sync_duration_s = 0"
            " WHERE sync_duration_s IS NULL"
        )
        self._tables.connection.query(query, args=(_KILLED,))


def _already_running(row: dict[str, Any]) -> AlreadyRunningError:
    return AlreadyRunningError(
        "Another comparison with the colony goes on",
        found=f"one of {row['sync_source']}, begun on {row['sync_host']} on"
        f" {row['sync_started']:%Y-%m-%d at %H:%M:%S}",
        remedy="wait until it has ended; one that was killed is forgotten after"
        f" {HEARTBEAT_TIMEOUT_S / 60:.0f} minutes of silence.",
        responsible=Responsible.RETRY,
    )


def _problem_rows(key: dict[str, int], problems: Sequence[RowProblem]) -> list[dict[str, Any]]:
    # Cut to the lengths of the columns: a server refuses longer texts, or cuts them itself.
    return [
        {
            **key,
            "problem_number": number,
            "problem_row": problem.row[:64],
            "problem_animal": problem.animal_id[:255],
            "problem_what": problem.what[:255],
            "problem_found": problem.found[:1024],
            "problem_allowed": problem.allowed[:1024],
        }
        for number, problem in enumerate(problems)
    ]
