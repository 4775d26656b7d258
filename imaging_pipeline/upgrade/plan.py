"""What an upgrade would do to a database; nothing is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from imaging_pipeline import database
from imaging_pipeline.schemas.plain_rows import fetch
from imaging_pipeline.schemas.register.purge import Purged
from imaging_pipeline.schemas.tables import Tables
from imaging_pipeline.upgrade import upgrade_rows
from imaging_pipeline.upgrade.changes import Change
from imaging_pipeline.upgrade.changes.change import table_named
from imaging_pipeline.upgrade.correction import Wrong, find_wrong
from imaging_pipeline.upgrade.reimport import counted
from imaging_pipeline.upgrade.standing import Standing, find_standing
from imaging_pipeline.upgrade.step import Step

# Roughly, on a small server: a change waits for locks and reads the server's catalogue; rows that are
# written, and rows that are deleted with all that is below.
_CHANGE_S, _ROW_S, _DELETED_ROW_S = 1.0, 5e-5, 5e-4
# Declaring tables, and comparing what is there.
_AROUND_S = 10.0


@dataclass(frozen=True)
class PlannedChange:
    """A change that is not made yet, and how many rows its table has."""

    change: Change
    num_rows: int


@dataclass(frozen=True)
class Plan:
    """All that an upgrade would do.

    Attributes
    ----------
    from_version, to_version
        Of the tables, now and afterwards; equal where only values are left to be corrected.
    is_unfinished
        Whether an earlier upgrade was interrupted, and is taken up.
    changes
        Of tables, in order.
    new_tables
        Tables that are declared, such as ``imaging.Tif.Acquisition``.
    wrong
        Rows with wrong values, by cause.
    purged
        What is deleted of them, so that it is imported again.
    """

    from_version: int
    to_version: int
    is_unfinished: bool
    changes: tuple[PlannedChange, ...]
    new_tables: tuple[str, ...]
    wrong: tuple[Wrong, ...]
    purged: tuple[Purged, ...]

    @property
    def changes_tables(self) -> bool:
        """Whether tables are changed, or the version alone."""
        return self.is_unfinished or self.from_version != self.to_version

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.changes_tables or self.wrong)

    @property
    def seconds(self) -> float:
        """How long workers have to stop, roughly, if all is done."""
        if not self.changes_tables:
            return 0.0
        written = sum(each.num_rows for each in self.changes if each.change.writes_rows)
        deleted = sum(each.num_rows for each in self.purged)
        return _AROUND_S + _CHANGE_S * len(self.changes) + _ROW_S * written + _DELETED_ROW_S * deleted


def make_plan(tables: Tables, steps: Sequence[Step]) -> Plan:
    """Return what an upgrade to the version of the last step would do.

    Raises
    ------
    SchemaError, OtherVersionError
        As for `find_standing`.
    """
    standing = find_standing(tables, steps)
    changes = tuple(
        PlannedChange(change, _num_rows(tables, change))
        for step in steps
        if step.version > standing.reached
        for change in step.changes
        if not change.is_done(tables)
    )
    wrong = all_wrong(tables, steps, standing)
    return Plan(
        standing.reached,
        standing.target,
        standing.is_unfinished,
        changes,
        tuple(database.missing_tables(tables.connection, tables.config)),
        wrong,
        counted(tables, wrong),
    )


def all_wrong(tables: Tables, steps: Sequence[Step], standing: Standing) -> tuple[Wrong, ...]:
    """Return wrong rows: all of a table where its step is to come, else those from before its upgrade."""
    found: list[Wrong] = []
    for step in steps:
        started = upgrade_rows.start_of_step(tables, step.version)
        # A database that was initialised with this version, or a later one, has no such rows.
        if step.version > standing.reached or started is not None:
            found += find_wrong(tables, step.corrections, started)
    return tuple(found)


def _num_rows(tables: Tables, change: Change) -> int:
    name = table_named(tables, change.table).full_table_name
    return int(fetch(tables.connection, f"SELECT count(*) FROM {name}")[0][0])
