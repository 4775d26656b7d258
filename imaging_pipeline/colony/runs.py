"""Runs: each is a row, and one at a time goes on, whoever makes it.

A run is alive as long as it renews its row. One that is silent for too long was killed, or its machine
is away: the next one begins in its place, and whatever the silent one still wanted to write is refused.
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
from imaging_pipeline.schemas.inserting import alone
from imaging_pipeline.schemas.tables import Tables

# Longer than any source may be silent.
SILENT_S = 300
_EVERY_S = 5.0
# Below a server's limit of one statement, whatever the notes.
_ROWS_A_STATEMENT = 500
_MAX_ERROR = 2048
_KILLED = "It ended without a word: its process was killed, or its machine went away."


@dataclass
class Counts:
    """What a run did so far, named as the columns of ``Sync``."""

    num_animals: int = 0
    num_added: int = 0
    num_changed: int = 0
    num_gone: int = 0
    num_returned: int = 0
    num_rows_skipped: int = 0


class GoesOnError(ColonyError):
    """Another run goes on."""


class Run:
    """A run that has begun.

    Parameters
    ----------
    tables
        The database.
    source
        What is read.
    is_whole
        Whether an animal that it lacks is gone.

    Raises
    ------
    GoesOnError
    """

    def __init__(self, tables: Tables, source: Source, *, is_whole: bool) -> None:
        self._tables = tables
        self._sync = tables.mlims.Sync
        self._num_changes = 0
        self._begun = self._renewed = time.monotonic()
        with alone(tables):
            self._end_silent_ones()
            newest = f"SELECT COALESCE(MAX(sync_id), -1) FROM {self._sync.full_table_name}"
            ((number,),) = plain_rows.fetch(tables.connection, newest)
            self._key = {"sync_id": int(number) + 1}
            self._sync.insert1(
                {
                    **self._key,
                    "sync_source": source.name[:512],
                    "sync_datasource": source.datasource_id or 0,
                    "sync_is_whole": is_whole,
                    "sync_host": platform.node(),
                }
            )

    def alive(self) -> None:
        """Renew the row, if it was not renewed just now."""
        if time.monotonic() - self._renewed >= _EVERY_S:
            self.claim()

    def claim(self) -> None:
        """Renew the row; within a transaction nobody else can begin until that ends.

        Raises
        ------
        ColonyError
            Another run has begun, since this one seemed to be dead.
        """
        query = (
            f"UPDATE {self._sync.full_table_name} SET sync_alive = CURRENT_TIMESTAMP(6)"
            " WHERE sync_id = %s AND sync_duration_s IS NULL"
        )
        if not self._tables.connection.query(query, args=(self._key["sync_id"],)).rowcount:
            raise ColonyError(
                "Another comparison with the colony has begun, since this one was silent for too long",
                found=f"nothing heard of it for {SILENT_S / 60:.0f} minutes",
                remedy="Nothing: the other one goes on.",
                responsible=Responsible.RETRY,
            )
        self._renewed = time.monotonic()

    def log(self, changed: Iterable[FieldChange]) -> None:
        """Keep changes with the run, within the open transaction."""
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
        for first in range(0, len(rows), _ROWS_A_STATEMENT):
            plain_rows.insert(self._sync.Change, rows[first : first + _ROWS_A_STATEMENT])
        self._num_changes += len(rows)

    def end(self, counts: Counts, problems: Sequence[RowProblem]) -> None:
        """Keep what came of the run, within the open transaction."""
        self.claim()
        datasource = self._sync & self._key
        of_colony = self._sync & f"sync_datasource = {int(datasource.fetch1('sync_datasource'))}"
        # Those of earlier runs are of no use any more.
        (self._sync.Problem & of_colony.proj()).delete_quick()
        plain_rows.insert(self._sync.Problem, _problem_rows(self._key, problems))
        self._close(counts, "")

    def fail(self, counts: Counts, error: BaseException) -> None:
        """Keep why the run broke off, if the database is there to keep it."""
        told = str(error) if isinstance(error, PipelineError) else f"{type(error).__name__}: {error}"
        try:
            self._close(counts, told)
        except Exception as refusal:  # each driver has its own classes
            error.add_note(f"That could not be kept: {refusal}")

    def _close(self, counts: Counts, error: str) -> None:
        values = {
            **vars(counts),
            "sync_duration_s": time.monotonic() - self._begun,
            "sync_error": error[:_MAX_ERROR],
        }
        assigned = ", ".join(f"{name} = %s" for name in values)
        query = (
            f"UPDATE {self._sync.full_table_name} SET {assigned}"
            " WHERE sync_id = %s AND sync_duration_s IS NULL"
        )
        self._tables.connection.query(query, args=(*values.values(), self._key["sync_id"]))

    def _end_silent_ones(self) -> None:
        """End runs that are silent for too long; raise where one goes on."""
        ago = self._tables.connection.adapter.interval_expr(SILENT_S, "second")
        going_on = self._sync & "sync_duration_s IS NULL"
        living = (going_on & f"sync_alive > CURRENT_TIMESTAMP(6) - {ago}").to_dicts()
        if living:
            raise _goes_on(living[0])
        query = (
            f"UPDATE {self._sync.full_table_name} SET sync_error = %s, sync_duration_s = 0"
            " WHERE sync_duration_s IS NULL"
        )
        self._tables.connection.query(query, args=(_KILLED,))


def _goes_on(row: dict[str, Any]) -> GoesOnError:
    return GoesOnError(
        "Another comparison with the colony goes on",
        found=f"one of {row['sync_source']}, begun on {row['sync_host']} on"
        f" {row['sync_started']:%Y-%m-%d at %H:%M:%S}",
        remedy="wait until it has ended; one that was killed is forgotten after"
        f" {SILENT_S / 60:.0f} minutes of silence.",
        responsible=Responsible.RETRY,
    )


def _problem_rows(key: dict[str, int], problems: Sequence[RowProblem]) -> list[dict[str, Any]]:
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
