"""All tables as one handle, so that a function works on any connection.

Table classes in code are bound to one connection, but a web server has one for each thread. What a person
does with the database is therefore a function of its inputs and of `Tables`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from imaging_pipeline.config.config import Config
from imaging_pipeline.disk_spelling import as_on_disk
from imaging_pipeline.errors import SchemaError
from imaging_pipeline.paths import RepositoryPath, Root, local_path

SCHEMAS = ("mlims", "imaging", "suite2p_jobs")
"""In order of reference: a schema refers only to those before it."""


def schema_name(config: Config, schema: str) -> str:
    """Return what one of `SCHEMAS` is called in the database."""
    return f"{config.prefix}{schema}"


@dataclass(frozen=True)
class Tables:
    """Namespaces of table classes that share one connection.

    Attributes
    ----------
    connection
        The DataJoint connection of all classes.
    config
        The configuration that the connection was made with.
    mlims, imaging, suite2p_jobs
        Modules, or virtual modules, whose attributes are the table classes.
    """

    connection: Any
    config: Config
    mlims: Any
    imaging: Any
    suite2p_jobs: Any
    # Not by `functools.cache`, which would keep every handle of the web server alive.
    _full_names: dict[Any, str] = field(default_factory=dict, init=False, repr=False, compare=False)

    def full_name(self, table: Any) -> str:
        """Return a table's name with its schema, quoted; DataJoint builds it anew every time."""
        if table not in self._full_names:
            self._full_names[table] = table.full_table_name
        return self._full_names[table]

    @cached_property
    def zone(self) -> ZoneInfo:
        """The lab's time zone, in which all wall times are; it never changes."""
        return ZoneInfo(self.imaging.Lab().fetch1("timezone"))

    def roots(self) -> tuple[Root, ...]:
        """Return every spelling of every repository."""
        rows = self.imaging.Repository.Root().to_dicts()
        return tuple(Root(row["repository_name"], row["root"]) for row in rows)

    def local_path(self, repository_name: str, path: str) -> Path:
        """Return the path of a registered file or folder on this machine."""
        return local_path(RepositoryPath(repository_name, path), self.config.repositories)

    def as_on_disk(self, repository_name: str, folder: str) -> RepositoryPath:
        """Return a folder as the disk spells it."""
        return as_on_disk(RepositoryPath(repository_name, folder), self.config.repositories)


_default: list[Tables] = []


def bind(tables: Tables) -> None:
    """Set the tables that `default_tables` returns: those that the table classes in code are bound to."""
    _default[:] = [tables]


def default_tables() -> Tables:
    """Return the handle of the table classes in code.

    Raises
    ------
    SchemaError
        `imaging_pipeline.connect` was not called yet.
    """
    if not _default:
        raise SchemaError(
            "The tables are not connected to a database", remedy="Call imaging_pipeline.connect() first."
        )
    return _default[0]
