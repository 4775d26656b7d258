"""A lab's database with the least that a request needs."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import datajoint as dj

from imaging_pipeline import database
from imaging_pipeline.config.config import Config
from imaging_pipeline.errors import SchemaError
from imaging_pipeline.schemas import imaging, mlims, suite2p_jobs, tables

ROOT = "N:\\moser"


@dataclass(frozen=True)
class Lab:
    """A connected database, and the share that its one repository is.

    Attributes
    ----------
    config
        The configuration in force.
    connection
        The DataJoint connection that the table classes are bound to.
    share
        Where this machine finds the repository ``moser``.
    """

    config: Config
    connection: Any
    share: Path

    def windows_path(self, folder: Path) -> str:
        """Return a folder of the share as an experimenter's Windows machine spells it."""
        return "\\".join([ROOT, *folder.relative_to(self.share).parts])

    def request(self, folder: Path, *, combined: bool) -> dict[str, Any]:
        """Return the inputs of a request for a folder of the share."""
        return {
            "username": "anna",
            "path": self.windows_path(folder),
            "animal": "90218",
            "experiment_type": "2Pminiscope_A",
            "combined": combined,
        }


def emptied_lab(server: Config, folder: Path, share: Path | None = None) -> Lab:
    """Connect to a server, empty the tables, and give a lab whose share is new in ``folder``, or is given."""
    if share is None:
        share = folder / "share"
        share.mkdir()
    config = dataclasses.replace(server, repositories={"moser": share}, suite2p_scratch=folder / "scratch")
    connection = _connected(config)
    _empty(connection)
    imaging.User.insert1({"username": "anna", "first_name": "Anna"})
    imaging.Repository.insert1({"repository_name": "moser"})
    imaging.Repository.Root.insert1({"repository_name": "moser", "root": ROOT})
    mlims.Animal.insert1({"animal_id": "a0f1", "datasource_id": 0, "animal_name": "90218"})
    return Lab(config, connection, share)


def register(lab: Lab, folder: Path, *, combined: bool, **inputs: Any) -> int:
    """Request a folder, look at it, and give the request's identifier."""
    request = imaging.BaseFolder.add(**{**lab.request(folder, combined=combined), **inputs})
    imaging.MakeDatasetSessions.populate({"basefolder_id": request})
    return request


def row_counts(lab: Lab) -> dict[str, int]:
    """Count the rows of every table but that which only counts changes."""
    return {
        name: lab.connection.query(f"SELECT count(*) FROM {name}").fetchone()[0]
        for name in table_names(lab.connection)
        if name != imaging.TableChange.full_table_name
    }


def table_names(connection: Any) -> list[str]:
    """Return the full names of all tables of the pipeline, job tables too, but not of those that stay."""
    names = []
    for module in (mlims, imaging, suite2p_jobs):
        for cls in database.table_classes(module):
            if cls.__dict__.get("contents") or cls.__name__ in ("Lab", "Store"):
                continue
            names += [cls.full_table_name, *(part.full_table_name for part in database.parts(cls))]
            if issubclass(cls, dj.AutoPopulate):
                names.append(_jobs_name(cls))
    return names


def _jobs_name(cls: Any) -> str:
    """Return the full name of a table's job table without asking the server, as ``cls.jobs`` does."""
    schema_name, dot, _ = cls.full_table_name.rpartition(".")
    quote = schema_name[0]
    return f"{schema_name}{dot}{quote}~~{cls.table_name.lstrip('_')}{quote}"


def _connected(config: Config) -> Any:
    """Connect, and declare the tables, the first time only: both take longer than most tests."""
    bound = _bound(config)
    if bound is not None:
        tables.bind(bound)
        return bound.connection
    try:
        return database.connect(config)
    except SchemaError:
        return database.init_db(config)


def _bound(config: Config) -> tables.Tables | None:
    """Return the tables as they are bound, if it is to this server and the connection is in order."""
    try:
        bound = tables.default_tables()
    except SchemaError:
        return None
    mine = dataclasses.replace(
        bound.config, repositories=config.repositories, suite2p_scratch=config.suite2p_scratch
    )
    connection = bound.connection
    is_bound = all(cls._connection is connection for cls in (mlims.Animal, imaging.Session))
    if mine != config or not is_bound or connection.in_transaction or dj.conn() is not connection:
        return None
    try:
        connection.query("SELECT 1", reconnect=False)
    except Exception:  # each driver has its own classes
        return None
    return dataclasses.replace(bound, config=config)


def _empty(connection: Any) -> None:
    filled = _filled(connection)
    is_postgresql = connection.adapter.backend == "postgresql"
    switch = "session_replication_role = {}" if is_postgresql else "FOREIGN_KEY_CHECKS = {}"
    connection.query(f"SET {switch.format('replica' if is_postgresql else 0)}")
    for name in filled:
        connection.query(f"DELETE FROM {name}")
    _refill_lookups(connection)
    connection.query(f"SET {switch.format('DEFAULT' if is_postgresql else 1)}")


def _refill_lookups(connection: Any) -> None:
    """Return lookup tables the rows that they were declared with, where a test has added others."""
    lookups = [
        cls
        for module in (mlims, imaging, suite2p_jobs)
        for cls in database.table_classes(module)
        if cls.__dict__.get("contents")
    ]
    counts = ", ".join(f"(SELECT count(*) FROM {cls.full_table_name})" for cls in lookups)
    (rows,) = connection.query(f"SELECT {counts}").fetchall()
    for cls, count in zip(lookups, rows, strict=True):
        if count != len(cls.contents):
            connection.query(f"DELETE FROM {cls.full_table_name}")
            cls().insert(cls.contents)


def _filled(connection: Any) -> list[str]:
    """Return the names of the tables that have rows, with one question to the server."""
    names = table_names(connection)
    one_row = "(SELECT 1 AS one) AS one_row"
    asked = (
        f"SELECT {number} FROM {one_row} WHERE EXISTS (SELECT 1 FROM {name})"
        for number, name in enumerate(names)
    )
    return [names[number] for (number,) in connection.query(" UNION ALL ".join(asked)).fetchall()]
