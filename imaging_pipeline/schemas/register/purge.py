"""Deletes what is derived from data that changed; no other module does.

The seed of a registration is always a dataset, its link to a session, its files, or the option set of a
MetaSession; only retiring starts at a session. The cascade finds children in private schemas too,
whether this process knows them or not. What is counted and what is deleted are the same restricted tables.

Objects in the store stay until `store_sweep` finds that no row refers to them any more: a purge may
still be rolled back, and a reader may have an array open.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import datajoint as dj

from imaging_pipeline.errors import DatabaseError, Responsible
from imaging_pipeline.ingest.folder_changes import Purge, PurgeSeed
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.schemas.tables import Tables

# DataJoint's "cascade" would delete the sessions that a dataset is linked to.
_PART_INTEGRITY = "ignore"

# Of other seeds only what lies below is deleted; the seed itself stays, or registering replaces it.
_WITH_SEED = (PurgeSeed.DATASET, PurgeSeed.SESSIONS, PurgeSeed.METASESSION)


@dataclass(frozen=True)
class Purged:
    """Rows of one table that a purge deletes, and why."""

    table: str
    num_rows: int
    reason: str


@dataclass(frozen=True)
class _Cascade:
    """The restricted tables below the seeds that are purged for one reason, parents first."""

    reason: str
    metasession_names: frozenset[str]
    tables: tuple[Any, ...]


@dataclass(frozen=True)
class RowsToDelete:
    """All rows below some seeds; they are found once, because finding takes longer than deleting."""

    _cascades: tuple[_Cascade, ...]

    @cached_property
    def counted(self) -> tuple[Purged, ...]:
        """The rows that `delete_rows` would have deleted at the first use, by table."""
        return _purged(self._cascades, _counts(self._cascades))

    @property
    def reached(self) -> dict[str, set[str]]:
        """Full name of every table below the seeds → names of MetaSessions, also where it has no rows."""
        reached: dict[str, set[str]] = {}
        for cascade in self._cascades:
            for table in cascade.tables:
                reached.setdefault(table.full_table_name, set()).update(cascade.metasession_names)
        return reached

    def delete_rows(self) -> tuple[Purged, ...]:
        """Delete the rows within the open transaction; return how many there were by table.

        Raises
        ------
        DatabaseError
            Rows lie in a private schema where this account may not delete.
        """
        # Counted before, since PostgreSQL answers no query after it has refused to delete.
        counted = self.counted
        deleted: Counter[str] = Counter()
        try:
            for cascade in self._cascades:
                for table in reversed(cascade.tables):
                    # Not `delete`, which would look for the rows below once more.
                    deleted[table.full_table_name] += table.delete_quick(get_count=True)
        except dj.errors.AccessError as error:
            raise DatabaseError(
                "Rows below what changed may not be deleted by this account",
                found=", ".join(f"{each.num_rows} in {each.table}" for each in counted),
                remedy="Ask the owners of these schemas to delete the rows, or let a worker's account do it.",
                responsible=Responsible.ADMINISTRATOR,
            ) from error
        return _purged(self._cascades, deleted)


def find(tables: Tables, purges: Iterable[Purge]) -> RowsToDelete:
    """Return all rows below what is out of date, also in private schemas."""
    return RowsToDelete(tuple(_cascades(tables, purges)))


def _cascades(tables: Tables, purges: Iterable[Purge]) -> list[_Cascade]:
    """Return the rows below the seeds, reason by reason."""
    groups: dict[tuple[PurgeSeed, str], list[Purge]] = {}
    for each in purges:
        groups.setdefault((each.seed, each.reason), []).append(each)
    if groups:
        # Private tables may have been declared a moment ago.
        tables.connection.dependencies.clear()
    return [_cascade(tables, seed, reason, group) for (seed, reason), group in groups.items()]


def _cascade(tables: Tables, seed: PurgeSeed, reason: str, group: Sequence[Purge]) -> _Cascade:
    keys = [key for each in group for key in _keys(each)]
    restricted = _restricted(_seed_table(tables, seed) & keys, with_seed=seed in _WITH_SEED)
    return _Cascade(reason, frozenset(each.metasession_name for each in group), restricted)


def _keys(purge: Purge) -> list[Row]:
    metasession = {"metasession_name": purge.metasession_name}
    dataset = {"dataset_name": purge.dataset_name}
    if purge.seed in (PurgeSeed.RUN, PurgeSeed.METASESSION):
        return [metasession]
    if purge.seed is PurgeSeed.SESSIONS:
        return [{**metasession, "session_name": name} for name in purge.session_names]
    if purge.seed is PurgeSeed.LINKS:
        return [{**metasession, **dataset, "session_name": name} for name in purge.session_names]
    return [dataset]


def _seed_table(tables: Tables, seed: PurgeSeed) -> Any:
    imaging = tables.imaging
    return {
        PurgeSeed.DATASET: imaging.Dataset,
        PurgeSeed.LINKS: imaging.Session.Data,
        PurgeSeed.FILES: imaging.PhysicalFile,
        PurgeSeed.RUN: imaging.MetaSession.Suite2pyOps,
        PurgeSeed.SESSIONS: imaging.Session,
        PurgeSeed.METASESSION: imaging.MetaSession,
    }[seed]


def _restricted(seed: Any, *, with_seed: bool) -> tuple[Any, ...]:
    cascade = dj.Diagram.cascade(seed, part_integrity=_PART_INTEGRITY)
    return tuple(table for table in cascade if with_seed or table.full_table_name != seed.full_table_name)


def _counts(cascades: Iterable[_Cascade]) -> Counter[str]:
    """Return the number of rows by table; a row that several cascades reach counts once."""
    by_name: dict[str, list[Any]] = {}
    for cascade in cascades:
        for table in cascade.tables:
            by_name.setdefault(table.full_table_name, []).append(table)
    return Counter({name: len(_any_of(restricted)) for name, restricted in by_name.items()})


def _any_of(restricted: Sequence[Any]) -> Any:
    first, *others = restricted
    if not others:
        return first
    table = dj.FreeTable(first.connection, first.full_table_name)
    # In DataJoint a list of conditions is an OR, an AndList an AND.
    return table & [dj.AndList(each.restriction) for each in restricted]


def _purged(cascades: Sequence[_Cascade], counts: Counter[str]) -> tuple[Purged, ...]:
    """Return the tables that lose rows, children first, each with all reasons."""
    reasons: dict[str, list[str]] = {}
    for cascade in cascades:
        for table in reversed(cascade.tables):
            reasons.setdefault(table.full_table_name, []).extend(cascade.reason.split("; "))
    return tuple(
        Purged(name, counts[name], "; ".join(dict.fromkeys(each)))
        for name, each in reasons.items()
        if counts[name]
    )
