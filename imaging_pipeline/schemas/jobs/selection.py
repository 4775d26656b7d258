"""Which jobs a person means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from imaging_pipeline.choices import near
from imaging_pipeline.errors import InputError
from imaging_pipeline.schemas.jobs.job_tables import JobTable, job_table_named, job_tables
from imaging_pipeline.schemas.jobs.sql import Sql, every, one_of
from imaging_pipeline.schemas.register.named_sessions import Named
from imaging_pipeline.schemas.tables import Tables

# What says of which session a job is: with each, as indexes begin with the MetaSession.
_COLUMNS = ("metasession_name", "session_name", "basefolder_id")


@dataclass(frozen=True)
class Selection:
    """Jobs that are meant; what is not given does not matter.

    Attributes
    ----------
    table
        Name of the table.
    named
        Sessions and the requests for their folder. A run of Suite2p is of all sessions of its MetaSession.
    key
        Column → value, as typed.
    error
        Words of the message, in any case and order.
    """

    table: str | None = None
    named: Named | None = None
    key: Mapping[str, str] = field(default_factory=dict)
    error: str = ""

    @property
    def is_all(self) -> bool:
        """Whether nothing is said of what is meant."""
        return self == Selection()


@dataclass(frozen=True)
class Selected:
    """The jobs of one table that are meant.

    Attributes
    ----------
    jobs
        The table.
    of_key
        Condition on columns of the key.
    of_row
        Condition on other columns of a job's row; empty where they do not matter.
    """

    jobs: JobTable
    of_key: Sql
    of_row: Sql


def select(tables: Tables, wanted: Selection) -> tuple[Selected, ...]:
    """Return the tables that have jobs of this kind at all, in the order in which work flows.

    Raises
    ------
    InputError
        There is no such table, or a column is none of its key.
    """
    known = job_tables(tables) if wanted.table is None else (job_table_named(tables, wanted.table),)
    if wanted.key:
        known = _with_columns(known, wanted.key)
    words = wanted.error.split()
    of_row = every(Sql("LOWER(error_message) LIKE %s", (_containing(word),)) for word in words)
    return tuple(
        Selected(jobs, every([*_of_sessions(jobs, wanted.named), *_of_key(jobs, wanted.key)]), of_row)
        for jobs in known
    )


def _with_columns(known: Iterable[JobTable], key: Mapping[str, str]) -> tuple[JobTable, ...]:
    known = tuple(known)
    columns = tuple(dict.fromkeys(column for jobs in known for column in jobs.key))
    for name in key:
        if name not in columns:
            alike = near(name, columns, count=1)
            raise InputError(
                f"No job has the column '{name}' in its key",
                found=name,
                allowed=", ".join(columns),
                remedy=f"did you mean {alike[0]}?" if alike else "give one of these.",
            )
    return tuple(jobs for jobs in known if set(key) <= set(jobs.key))


def _of_key(jobs: JobTable, key: Mapping[str, str]) -> list[Sql]:
    return [Sql(f"{name} = %s", (_value(name, value, jobs),)) for name, value in key.items()]


def _value(name: str, value: str, jobs: JobTable) -> object:
    if name not in jobs.numbers:
        return value
    try:
        return int(value)
    except ValueError as error:
        raise InputError(
            f"{name} is a number", found=value, remedy="give a whole number, such as 0."
        ) from error


def _of_sessions(jobs: JobTable, named: Named | None) -> list[Sql]:
    if named is None:
        return []
    rows = named.requests if "basefolder_id" in jobs.key else named.sessions
    return [
        one_of(column, dict.fromkeys(row[column] for row in rows))
        for column in _COLUMNS
        if column in jobs.key
    ]


def _containing(word: str) -> str:
    escaped = word.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
