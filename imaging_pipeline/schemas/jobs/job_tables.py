"""The tables that workers fill, in order, with their job tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from imaging_pipeline.errors import InputError, near
from imaging_pipeline.lanes import LANES, short_name
from imaging_pipeline.schemas.imaging import key_sources
from imaging_pipeline.schemas.imaging.table_names import job_table
from imaging_pipeline.schemas.tables import Tables

# The classes of another connection have no key source of their own.
_KEY_SOURCES: dict[str, Callable[[Tables], Any]] = {
    "imaging.Tif": lambda tables: key_sources.tif(tables.imaging),
    "imaging.Mesc": lambda tables: key_sources.mesc(tables.imaging),
    "imaging.ImagingAnalysis": lambda tables: key_sources.imaging_analysis(
        tables.imaging, tables.imaging.Tif
    ),
}


@dataclass(frozen=True)
class JobTable:
    """A table that is populated, and the table of its jobs.

    Attributes
    ----------
    name
        As people know it: ``imaging.Tif``.
    lane
        Which kind of worker fills it.
    full_name, jobs_name
        The names of both in the server's words.
    key
        Columns of its primary key.
    numbers
        Those of them that hold numbers.
    entry_time
        The column that says when a row was made.
    parents
        The tables that it refers to, in the server's words.
    key_source
        The keys that there are jobs for, done or not, as a DataJoint query.
    """

    name: str
    lane: str
    full_name: str
    jobs_name: str
    key: tuple[str, ...]
    numbers: tuple[str, ...]
    entry_time: str
    parents: tuple[str, ...]
    key_source: Any

    @property
    def short_name(self) -> str:
        """Its name without that of the schema: ``Tif``."""
        return self.name.rpartition(".")[2]

    def has(self, full_name: str) -> bool:
        """Say whether a table is this one or a part of it."""
        return full_name == self.full_name or full_name.startswith(f"{self.full_name[:-1]}__")


def job_tables(tables: Tables) -> tuple[JobTable, ...]:
    """Give all tables that workers fill, in the order in which work flows."""
    return tuple(_job_table(tables, short_name(path), lane.name) for lane in LANES for path in lane.tables)


def job_table_named(tables: Tables, wanted: str) -> JobTable:
    """Give a table by its name, with or without that of its schema, in any case.

    Raises
    ------
    InputError
        There is none of this name; tells those that look like it.
    """
    known = job_tables(tables)
    for each in known:
        if wanted.lower() in (each.name.lower(), each.short_name.lower()):
            return each
    names = [each.short_name for each in known]
    alike = near(wanted.rpartition(".")[2], names, count=1)
    raise InputError(
        "No worker fills a table of this name",
        found=wanted,
        allowed=", ".join(names),
        remedy=f"did you mean {alike[0]}?" if alike else "give one of these.",
    )


def _job_table(tables: Tables, name: str, lane: str) -> JobTable:
    schema, _, class_name = name.partition(".")
    table = getattr(getattr(tables, schema), class_name)
    own = _KEY_SOURCES.get(name)
    return JobTable(
        name=name,
        lane=lane,
        full_name=table.full_table_name,
        jobs_name=job_table(table.full_table_name),
        key=tuple(table.primary_key),
        numbers=tuple(column for column in table.primary_key if table.heading[column].numeric),
        entry_time=next(column for column in table.heading.names if "entry_time" in column),
        parents=tuple(map(str, table().parents())),
        key_source=table().key_source if own is None else own(tables),
    )
