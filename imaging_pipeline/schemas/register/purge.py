"""Deleting what is derived from data that changed; the only module that does.

The seed of a registration is always a dataset, its link to a session, its files, or the option set of a
MetaSession; only who retires a session starts at it. The cascade finds children in private schemas too,
whether this process knows them or not. What is counted and what is deleted are the same restricted tables.

Objects in the store stay until `store_sweep` finds that no row names them any more: a purge may
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
class Doomed:
    """What some purges take with them: found once, since that takes longer than to delete it."""

    _cascades: tuple[_Cascade, ...]

    @cached_property
    def counted(self) -> tuple[Purged, ...]:
        """The rows that `delete` would delete when it was first asked, by table."""
        return _told(self._cascades, _counts(self._cascades))

    @property
    def reached(self) -> dict[str, set[str]]:
        """Every table below the seeds, with rows there or without, and of which MetaSessions."""
        found: dict[str, set[str]] = {}
        for cascade in self._cascades:
            for table in cascade.tables:
                found.setdefault(table.full_table_name, set()).update(cascade.metasession_names)
        return found

    def remove(self) -> tuple[Purged, ...]:
        """Delete the rows within the open transaction, and give how many there were by table.

        Raises
        ------
        DatabaseError
            Rows lie in a private schema where this account may not delete.
        """
        # Before: PostgreSQL answers no question after it has refused to delete.
        counted = self.counted
        deleted: Counter[str] = Counter()
        try:
            for cascade in self._cascades:
                for table in reversed(cascade.tables):
                    deleted[table.full_table_name] += table.delete_quick(get_count=True)
        except dj.errors.AccessError as error:
            raise DatabaseError(
                "Rows below what changed may not be deleted by this account",
                found=", ".join(f"{each.num_rows} in {each.table}" for each in counted),
                remedy="Ask the owners of these schemas to delete the rows, or let a worker's account do it.",
                responsible=Responsible.ADMINISTRATOR,
            ) from error
        return _told(self._cascades, deleted)


def find(tables: Tables, purges: Iterable[Purge]) -> Doomed:
    """Find all rows below what is out of date, also in private schemas."""
    return Doomed(tuple(_cascades(tables, purges)))


def _cascades(tables: Tables, purges: Iterable[Purge]) -> list[_Cascade]:
    """Return what each reason takes with it; private tables may have been declared a moment ago."""
    together: dict[tuple[PurgeSeed, str], list[Purge]] = {}
    for each in purges:
        together.setdefault((each.seed, each.reason), []).append(each)
    if together:
        tables.connection.dependencies.clear()
    return [_cascade(tables, seed, reason, group) for (seed, reason), group in together.items()]


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
    found = dj.Diagram.cascade(seed, part_integrity=_PART_INTEGRITY)
    return tuple(table for table in found if with_seed or table.full_table_name != seed.full_table_name)


def _counts(cascades: Iterable[_Cascade]) -> Counter[str]:
    """Count rows by table, each once where several reasons meet at it."""
    by_name: dict[str, list[Any]] = {}
    for cascade in cascades:
        for table in cascade.tables:
            by_name.setdefault(table.full_table_name, []).append(table)
    return Counter({name: len(_any_of(restricted)) for name, restricted in by_name.items()})


def _any_of(restricted: Sequence[Any]) -> Any:
    first, *others = restricted
    if not others:
        return first
    everything = dj.FreeTable(first.connection, first.full_table_name)
    return everything & [dj.AndList(table.restriction) for table in restricted]


def _told(cascades: Sequence[_Cascade], counts: Counter[str]) -> tuple[Purged, ...]:
    """Return the tables that lose rows, children first, each with all reasons that meet at it."""
    reasons: dict[str, list[str]] = {}
    for cascade in cascades:
        for table in reversed(cascade.tables):
            reasons.setdefault(table.full_table_name, []).extend(cascade.reason.split("; "))
    return tuple(
        Purged(name, counts[name], "; ".join(dict.fromkeys(why)))
        for name, why in reasons.items()
        if counts[name]
    )
