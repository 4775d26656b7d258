"""Arrays that rows name and that are not in the store, and the jobs that wrote them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import datajoint as dj

from imaging_pipeline.errors import NotMountedError
from imaging_pipeline.ingest.folder_changes import Purge, PurgeSeed
from imaging_pipeline.schemas.administer.store_objects import gone_objects, named_objects
from imaging_pipeline.schemas.administer.store_owner import own_store
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.schemas.table_names import readable_name
from imaging_pipeline.schemas.tables import Tables, schema_name
from imaging_pipeline.store import aside

_REASON = "their arrays are gone from the store"
_KEY = ("metasession_name", "session_name", "dataset_name")

Key = tuple[str, str, str]
"""MetaSession, session and dataset: a row of ``Session.Data``."""


@dataclass(frozen=True)
class GoneJob:
    """A job of which arrays are gone: its table, as the class that makes rows, and its key."""

    table: Any
    key: Row

    @property
    def session_data(self) -> Key:
        """The row of ``Session.Data`` that the job is about."""
        metasession, session, dataset = (str(self.key[column]) for column in _KEY)
        return metasession, session, dataset


@dataclass(frozen=True)
class GoneArrays:
    """Arrays that rows name and that are not where they belong in the store.

    Attributes
    ----------
    num_by_table
        How many each table names, such as ``lab_imaging.Cell``.
    aside
        Those that were moved aside, and can be put back; paths below the store.
    jobs
        The jobs that wrote the others; one that reads what another wrote comes after that.
    without_files
        Files that are not here, of which arrays can therefore not be made again.
    foreign
        Tables of which arrays are gone and that this program does not fill.
    """

    num_by_table: Mapping[str, int]
    aside: tuple[str, ...]
    jobs: tuple[GoneJob, ...]
    without_files: tuple[Path, ...]
    foreign: tuple[str, ...]


@dataclass(frozen=True)
class ImportedAnew:
    """Rows of ``Session.Data`` of which what was imported is deleted, so that workers import it again."""

    keys: tuple[Key, ...]

    def purge(self, key: Key) -> Purge:
        """Return what is deleted of one of the rows."""
        metasession, session, dataset = key
        return Purge(PurgeSeed.LINKS, metasession, _REASON, (session,), dataset)


def find_gone(tables: Tables) -> GoneArrays:
    """Return the arrays that rows name and that are not in the store.

    Raises
    ------
    StoreError
        The store is no folder, is not there, or is not this database's: there all arrays would seem gone.
    """
    root = own_store(tables)
    named = named_objects(tables)
    gone = gone_objects(root, named)
    moved = aside.moved_aside(root, schema_name(tables.config, "imaging"))
    lost = [named[name] for name in gone if name not in moved]
    classes = _classes(tables)
    jobs: dict[tuple[object, ...], GoneJob] = {}
    for naming in lost:
        if naming.table not in classes:
            continue  # told as foreign
        table = classes[naming.table]
        key = {column: naming.key[column] for column in table.primary_key}
        jobs[table.full_table_name, *key.values()] = GoneJob(table, key)
    order = {name: number for number, name in enumerate(_in_order(tables))}
    in_order = sorted(jobs.values(), key=lambda job: order[job.table.full_table_name])
    missing = [_missing_files(tables, job) for job in in_order]
    return GoneArrays(
        Counter(readable_name(named[name].table) for name in gone),
        tuple(name for name in gone if name in moved),
        tuple(job for job, paths in zip(in_order, missing, strict=True) if not paths),
        tuple(sorted({path for paths in missing for path in paths})),
        tuple(sorted({readable_name(each.table) for each in lost if each.table not in classes})),
    )


def _classes(tables: Tables) -> dict[str, Any]:
    """Return the class that makes the rows of each table and part, by the full name of the table."""
    found: dict[str, Any] = {}
    of_class: list[Any]
    for module in (tables.imaging, tables.suite2p_jobs):
        for cls in vars(module).values():
            if isinstance(cls, type) and issubclass(cls, dj.AutoPopulate) and issubclass(cls, dj.Table):
                of_class = [cls, *(each for each in vars(cls).values() if _is_part(each))]
                found.update((each.full_table_name, cls) for each in of_class)
    return found


def _is_part(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, dj.Part)


def _in_order(tables: Tables) -> Iterator[str]:
    """Yield the full names of tables; one that refers to others comes after them."""
    adapter = tables.connection.adapter
    for module in (tables.imaging, tables.suite2p_jobs):
        for name in module.schema.list_tables():
            yield adapter.make_full_table_name(module.schema.database, name)


def _missing_files(tables: Tables, job: GoneJob) -> list[Path]:
    """Return the files that a job reads and that are not on this machine."""
    # What is computed reads the store alone.
    if not issubclass(job.table, dj.Imported):
        return []
    files = tables.imaging.PhysicalFile & {"dataset_name": job.key["dataset_name"]}
    rows = files.proj("repository_name", "file_path").to_dicts()
    return [path for row in rows for path in _not_here(tables, row)]


def _not_here(tables: Tables, row: Row) -> Iterable[Path]:
    try:
        path = tables.local_path(row["repository_name"], row["file_path"])
    except NotMountedError:
        return [Path(row["repository_name"], row["file_path"])]
    return [] if path.exists() else [path]
