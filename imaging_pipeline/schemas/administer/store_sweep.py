"""Taking objects out of the store that no row names any more.

DataJoint's own collector reads the tables first and the store afterwards, and removes what no row names. So
it also removes what a job wrote meanwhile, everything of a table that it could not read, and what rows of
another database name. Here only objects older than a day count, an error ends the sweep, the store has to
belong to this database, and what goes is moved aside for a month first.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from imaging_pipeline.errors import StoreError
from imaging_pipeline.schemas.administer import store_owner
from imaging_pipeline.schemas.administer.newest_row import seconds_since_newest_row
from imaging_pipeline.schemas.administer.store_objects import (
    StoredFile,
    gone_objects,
    named_objects,
    stored_files,
)
from imaging_pipeline.schemas.locks import named_lock
from imaging_pipeline.schemas.tables import Tables, schema_name
from imaging_pipeline.store import aside
from imaging_pipeline.store.errors import store_errors
from imaging_pipeline.store.traces import FOLDER

# A younger one may belong to a job that has not inserted its rows yet.
SWEPT_AFTER_S = 24 * 3600
# Of all objects, the most that are swept at once.
_LARGEST_SHARE = 0.9
# The server of the database and that of the store may differ by so much in their clocks.
_CLOCKS_DIFFER_S = 900.0


@dataclass(frozen=True)
class Sweep:
    """What a sweep of the store does.

    Attributes
    ----------
    unused
        Objects that no row names, which are moved aside: path below the store, and size in bytes.
    num_objects
        All that this database has in the store, the unused ones among them.
    put_back
        Objects that were moved aside, and that rows name.
    expired
        Folders with what was moved aside more than a month ago, which are deleted.
    num_gone
        Objects that rows name and that are nowhere.
    """

    unused: Mapping[str, int]
    num_objects: int
    put_back: tuple[str, ...]
    expired: tuple[Path, ...]
    num_gone: int

    @property
    def traces(self) -> tuple[str, ...]:
        """Of the unused, arrays of all cells of an analysis."""
        return tuple(name for name in self.unused if name.startswith(f"{FOLDER}/"))

    @property
    def arrays(self) -> tuple[str, ...]:
        """Of the unused, arrays of one row's column."""
        return tuple(name for name in self.unused if not name.startswith(f"{FOLDER}/"))

    @property
    def num_bytes(self) -> int:
        """The size of all unused objects."""
        return sum(self.unused.values())

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to be done."""
        return not (self.unused or self.put_back or self.expired)


def plan_sweep(tables: Tables) -> Sweep:
    """Return what a sweep would do; nothing is changed.

    Raises
    ------
    StoreError
        The store is no folder, is not this database's, or too much of it is named by no row.
    """
    root = store_owner.own_store(tables)
    return find_unused(tables, root)


def sweep(tables: Tables, agreed: Sweep | None = None) -> Sweep:
    """Move unused objects aside, and delete those that were moved aside a month ago; return what was done.

    Parameters
    ----------
    tables
        The database.
    agreed
        What a person was shown and agreed to: nothing else is done. None agrees to all.

    Raises
    ------
    StoreError
        As for `plan_sweep`, or the store is read-only.
    """
    schema = schema_name(tables.config, "imaging")
    with named_lock(tables.connection, f"{tables.config.prefix}store_sweep"), store_errors(0):
        root = store_owner.own_store(tables)
        found = find_unused(tables, root)
        done = found if agreed is None else _both(found, agreed)
        if done.is_empty:
            return done
        store_owner.renew(tables, root)
        moved = aside.moved_aside(root, schema)
        for name in done.put_back:
            aside.put_back(root, moved[name], name)
        aside.move_aside(root, schema, done.unused, datetime.now(UTC))
        aside.discard(done.expired)
    return done


def put_back(tables: Tables) -> tuple[str, ...]:
    """Put objects back that were moved aside although rows name them; return which.

    Raises
    ------
    StoreError
        The store is no folder, is not this database's, or is read-only.
    """
    schema = schema_name(tables.config, "imaging")
    with named_lock(tables.connection, f"{tables.config.prefix}store_sweep"), store_errors(0):
        root = store_owner.own_store(tables)
        moved = aside.moved_aside(root, schema)
        names = tuple(name for name in gone_objects(root, named_objects(tables)) if name in moved)
        for name in names:
            aside.put_back(root, moved[name], name)
    return names


def find_unused(tables: Tables, root: Path) -> Sweep:
    """Return what a sweep of a store would do, whoever it belongs to; raises as `plan_sweep` does."""
    # The rows first: what is written meanwhile is younger than what is swept.
    named = named_objects(tables)
    files = stored_files(tables, root)
    before = time.time() - SWEPT_AFTER_S
    unused = {name: file for name, file in files.items() if name not in named and file.written < before}
    if unused:
        _require_newer_rows(tables, root, unused)
        _require_much_in_use(root, unused, files)
    schema, gone = schema_name(tables.config, "imaging"), gone_objects(root, named)
    moved = aside.moved_aside(root, schema)
    put_back = tuple(name for name in gone if name in moved)
    return Sweep(
        {name: file.size_bytes for name, file in unused.items()},
        len(files),
        put_back,
        aside.expired(root, schema, datetime.now(UTC)),
        len(gone) - len(put_back),
    )


def _require_newer_rows(tables: Tables, root: Path, unused: Mapping[str, StoredFile]) -> None:
    """Raise StoreError where objects are newer than all rows: then rows are missing that name them."""
    age_s = seconds_since_newest_row(tables)
    newest_row = 0.0 if age_s is None else time.time() - age_s
    newer = [file.written for file in unused.values() if file.written > newest_row + _CLOCKS_DIFFER_S]
    if newer:
        entered = "there is none" if age_s is None else f"the newest is of {_told(newest_row)}"
        raise StoreError(
            "The database is older than its store: arrays were written after all that it knows of",
            path=root,
            found=f"{len(newer)} arrays that no row names and that are newer than any row, written until"
            f" {_told(max(newer))}; of rows {entered}",
            remedy="Where the database is a copy, give it a store of its own in all its configurations. Where"
            " it was restored from a backup, restore a newer one, or register again what is missing. Where"
            " rows were deleted by hand, sweep after the next registration.",
        )


def _require_much_in_use(
    root: Path, unused: Mapping[str, StoredFile], files: Mapping[str, StoredFile]
) -> None:
    """Raise StoreError where nearly everything would go."""
    if len(unused) > _LARGEST_SHARE * len(files):
        raise StoreError(
            "Nearly all arrays in the store are named by no row, and so many are never swept",
            path=root,
            found=f"{len(unused)} of {len(files)} arrays",
            allowed=f"at most {_LARGEST_SHARE:.0%}",
            remedy="See whether this is the right database, and whether its tables are complete. If the"
            " arrays are of no use, move them out of the store yourself.",
        )


def _told(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M} UTC"


def _both(found: Sweep, agreed: Sweep) -> Sweep:
    """Return what is still to be done of what a person agreed to."""
    return replace(
        found,
        unused={name: size for name, size in found.unused.items() if name in agreed.unused},
        expired=tuple(folder for folder in found.expired if folder in agreed.expired),
    )
