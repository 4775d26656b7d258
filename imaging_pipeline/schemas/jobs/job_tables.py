"""The tables that workers fill, in order, with their job tables."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from imaging_pipeline.choices import near
from imaging_pipeline.errors import InputError
from imaging_pipeline.explaining.missing import REQUESTS
from imaging_pipeline.lanes import LANES, short_name
from imaging_pipeline.schemas.key_source import KeySource, declared_key_source
from imaging_pipeline.schemas.table_names import job_table
from imaging_pipeline.schemas.tables import Tables

# By backend and prefix, on which alone they depend: DataJoint sends the server some fifty queries for them.
_cache: dict[tuple[str, str], tuple[JobTable, ...]] = {}


@dataclass(frozen=True)
class Populated:
    """A table that is populated, and the table of its jobs, by their names on the server.

    Attributes
    ----------
    full_name, jobs_name
        The names of both.
    key
        Columns of its primary key.
    keys_sql
        Query for the keys that there are jobs for, done or not.
    """

    full_name: str
    jobs_name: str
    key: tuple[str, ...]
    keys_sql: str

    @classmethod
    def of(cls, table: Any, key_source: Any) -> Populated:
        """Return a table that has jobs for the keys of a query."""
        return Populated(
            table.full_table_name,
            job_table(table.full_table_name),
            tuple(table.primary_key),
            key_source.proj().make_sql(),
        )


@dataclass(frozen=True)
class JobTable(Populated):
    """A table that workers fill, with its names for people and its place in the order of work.

    Attributes
    ----------
    name
        ``imaging.Tif``.
    lane
        Which kind of worker fills it.
    numbers
        Those columns of the key that hold numbers.
    entry_time
        The column that says when a row was made.
    outer_keys_sql
        Query for keys of which ``keys_sql`` returns some, where a row may outlive its key among these;
        empty where it cannot.
    needs
        Names of the tables of workers that it is made from.
    """

    name: str
    lane: str
    numbers: tuple[str, ...]
    entry_time: str = ""
    outer_keys_sql: str = ""
    needs: tuple[str, ...] = ()

    @property
    def short_name(self) -> str:
        """Its name without that of the schema: ``Tif``."""
        return self.name.rpartition(".")[2]


def job_tables(tables: Tables) -> tuple[JobTable, ...]:
    """Return all tables that workers fill, in order: each after those that it needs."""
    database = (tables.connection.adapter.backend, tables.config.prefix)
    if database not in _cache:
        _cache[database] = read_job_tables(tables)
    return _cache[database]


def read_job_tables(tables: Tables) -> tuple[JobTable, ...]:
    """Return the same as `job_tables`, read from the server."""
    paths = {short_name(path): (path, lane.name) for lane in LANES for path in lane.tables}
    full_names = {_class(tables, name).full_table_name: name for name in paths}
    unordered = [_job_table(tables, path, lane, full_names) for path, lane in paths.values()]
    ordered: list[JobTable] = []
    while unordered:
        names = {table.name for table in unordered}
        ready = next(table for table in unordered if names.isdisjoint(table.needs))
        unordered.remove(ready)
        ordered.append(ready)
    return tuple(ordered)


def job_table_named(tables: Tables, typed: str) -> JobTable:
    """Return a table by its name, with or without that of its schema, in any case.

    Raises
    ------
    InputError
        There is none of this name; names those that look like it.
    """
    for table in job_tables(tables):
        if typed.lower() in (table.name.lower(), table.short_name.lower()):
            return table
    names = [table.short_name for table in job_tables(tables)]
    alike = near(typed.rpartition(".")[2], names, count=1)
    raise InputError(
        "No worker fills a table of this name",
        found=typed,
        allowed=", ".join(names),
        remedy=f"did you mean {alike[0]}?" if alike else "give one of these.",
    )


def _class(tables: Tables, name: str) -> Any:
    schema, _, class_name = name.partition(".")
    return getattr(getattr(tables, schema), class_name)


def _job_table(tables: Tables, path: str, lane: str, full_names: Mapping[str, str]) -> JobTable:
    name = short_name(path)
    table = _class(tables, name)
    # Classes of another connection are made from the database, which knows foreign keys alone: the rest is
    # taken from the class in code.
    declared = declared_key_source(pkgutil.resolve_name(path)) or KeySource(lambda _: table().key_source)
    return JobTable(
        **vars(Populated.of(table, declared.query(tables))),
        name=name,
        lane=lane,
        numbers=tuple(column for column in table.primary_key if table.heading[column].numeric),
        entry_time=next(column for column in table.heading.names if "entry_time" in column),
        outer_keys_sql="" if declared.outer is None else declared.outer(tables).proj().make_sql(),
        needs=(*_referred_to(table().parents(), full_names), *declared.also_needs) or _requests_for(name),
    )


def _referred_to(parents: Iterable[str], full_names: Mapping[str, str]) -> Iterable[str]:
    """Return the tables of workers that a table with these parents refers to, or to parts of these."""
    # Parts are called <table>__<part>, so the name is compared without its closing quote.
    names = (
        name
        for parent in parents
        for full_name, name in full_names.items()
        if parent == full_name or parent.startswith(f"{full_name[:-1]}__")
    )
    return dict.fromkeys(names)


def _requests_for(name: str) -> tuple[str, ...]:
    """Return the table that all others rest on: a request is carried out before anything else is made."""
    return () if name == REQUESTS else (REQUESTS,)
