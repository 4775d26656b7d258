"""Values that an older version got wrong: which rows they are, and what is deleted to import them again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from imaging_pipeline.ingest.folder_changes import Purge, PurgeSeed
from imaging_pipeline.schemas.tables import Tables
from imaging_pipeline.upgrade.changes.change import table_named

Key = tuple[str, str, str]
"""MetaSession, session and dataset: a row of ``Session.Data``."""

_KEY = ("metasession_name", "session_name", "dataset_name")


@dataclass(frozen=True)
class Correction:
    """Rows of one table whose values an older version got wrong.

    What was imported of their rows of ``Session.Data`` is deleted, all tables below included, so that workers
    import it again. Only rows from before the upgrade are looked at: no version gets the same wrong twice.

    Attributes
    ----------
    name
        Short, for lists.
    cause
        What was wrong, as the end of a sentence that begins with "because".
    table
        An imported or computed table below ``Session.Data``, such as ``imaging.Tif``.
    entry_time
        The column of that table that says when a row was entered.
    wrong
        Returns what DataJoint restricts the table by to get the rows that are, or may be, wrong. It may use
        only what the older version had.

    Raises
    ------
    ValueError
        The cause holds what separates causes in lists.
    """

    name: str
    cause: str
    table: str
    entry_time: str
    wrong: Callable[[Tables], Any]

    def __post_init__(self) -> None:
        if ";" in self.cause:
            raise ValueError(f"a cause without semicolons: {self.cause}")


@dataclass(frozen=True)
class Wrong:
    """The rows that a correction found.

    Attributes
    ----------
    correction
        Why they are wrong.
    keys
        Their rows of ``Session.Data``, sorted.
    """

    correction: Correction
    keys: tuple[Key, ...]

    def purge(self, key: Key) -> Purge:
        """Return what is deleted of one of the keys."""
        metasession, session, dataset = key
        return Purge(PurgeSeed.LINKS, metasession, self.correction.cause, (session,), dataset)


def find_wrong(
    tables: Tables, corrections: Iterable[Correction], before: datetime | None = None
) -> tuple[Wrong, ...]:
    """Return the rows that are wrong, of corrections that find any.

    Parameters
    ----------
    tables
        The database, of the older version or upgraded.
    corrections
        What is looked for.
    before
        When the upgrade began, in the zone of the server's sessions: later rows are right. None where it is
        still to come.
    """
    found = (Wrong(each, _keys(tables, each, before)) for each in corrections)
    return tuple(each for each in found if each.keys)


def _keys(tables: Tables, correction: Correction, before: datetime | None) -> tuple[Key, ...]:
    wrong = table_named(tables, correction.table) & correction.wrong(tables)
    if before is not None:
        wrong &= f"{correction.entry_time} < '{before}'"
    rows = wrong.proj().to_dicts()
    return tuple(sorted({(row[_KEY[0]], row[_KEY[1]], row[_KEY[2]]) for row in rows}))
