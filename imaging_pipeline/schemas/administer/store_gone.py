"""Arrays that rows name and that are not in the store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from imaging_pipeline.errors import NotMountedError
from imaging_pipeline.ingest.folder_changes import Purge, PurgeSeed
from imaging_pipeline.schemas.administer.store_objects import Naming, gone_objects, named_objects
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
class GoneArrays:
    """Arrays that rows name and that are not where they belong in the store.

    Attributes
    ----------
    num_by_table
        How many each table names, such as ``lab_imaging.Cell``.
    aside
        Those that were moved aside, and can be put back; paths below the store.
    keys
        Rows of ``Session.Data`` to import again for the others, sorted.
    without_files
        Files that are not here, of which the arrays can therefore not be made again.
    """

    num_by_table: Mapping[str, int]
    aside: tuple[str, ...]
    keys: tuple[Key, ...]
    without_files: tuple[Path, ...]

    def purge(self, key: Key) -> Purge:
        """Return what is deleted to import one of the keys again."""
        metasession, session, dataset = key
        return Purge(PurgeSeed.LINKS, metasession, _REASON, (session,), dataset)


def find_gone(tables: Tables) -> GoneArrays:
    """Return the arrays that rows name and that are not in the store.

    What is imported again is only what can be: files that are not on this machine are told.

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
    missing = _missing_files(tables, sorted({naming.key["dataset_name"] for naming in lost}))
    keys = {_session_data(naming) for naming in lost if naming.key["dataset_name"] not in missing}
    return GoneArrays(
        Counter(readable_name(named[name].table) for name in gone),
        tuple(name for name in gone if name in moved),
        tuple(sorted(keys)),
        tuple(sorted(path for paths in missing.values() for path in paths)),
    )


def _session_data(naming: Naming) -> Key:
    metasession, session, dataset = (str(naming.key[column]) for column in _KEY)
    return metasession, session, dataset


def _missing_files(tables: Tables, dataset_names: Sequence[str]) -> dict[str, list[Path]]:
    """Return the files of datasets that are not on this machine, by the name of the dataset."""
    files = tables.imaging.PhysicalFile & [{"dataset_name": name} for name in dataset_names]
    missing: dict[str, list[Path]] = {}
    for row in files.proj("repository_name", "file_path").to_dicts() if dataset_names else ():
        for path in _not_here(tables, row):
            missing.setdefault(row["dataset_name"], []).append(path)
    return missing


def _not_here(tables: Tables, row: Row) -> Iterable[Path]:
    try:
        path = tables.local_path(row["repository_name"], row["file_path"])
    except NotMountedError:
        return [Path(row["repository_name"], row["file_path"])]
    return [] if path.exists() else [path]
