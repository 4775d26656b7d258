"""Which jobs a person means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from imaging_pipeline.choices import near
from imaging_pipeline.errors import InputError
from imaging_pipeline.schemas.jobs.job_tables import JobTable, job_table_named, job_tables
from imaging_pipeline.schemas.jobs.sql import Sql, all_of, contains, is_in
from imaging_pipeline.schemas.register.named_sessions import Named
from imaging_pipeline.schemas.tables import Tables

# All of these that a key has: indexes begin with the MetaSession.
_SESSION_COLUMNS = ("metasession_name", "session_name", "basefolder_id")


@dataclass(frozen=True)
class Selection:
    """The jobs that all of these conditions are true for; an empty one is true for every job.

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
        """Whether there is no condition."""
        return self == Selection()


@dataclass(frozen=True)
class TableSelection:
    """The selected jobs of one table.

    Attributes
    ----------
    table
        The table.
    key_condition
        Condition on columns of the key.
    row_condition
        Condition on other columns of a job's row; empty where they do not matter.
    """

    table: JobTable
    key_condition: Sql
    row_condition: Sql


def select(tables: Tables, selection: Selection) -> tuple[TableSelection, ...]:
    """Return the tables that have jobs of this kind at all, in the order in which work flows.

    Raises
    ------
    InputError
        There is no such table, or a column is none of its key.
    """
    candidates = job_tables(tables)
    if selection.table is not None:
        candidates = (job_table_named(tables, selection.table),)
    if selection.key:
        candidates = _with_columns(candidates, selection.key)
    row_condition = all_of(contains("error_message", word) for word in selection.error.split())
    return tuple(
        TableSelection(table, all_of(_key_conditions(table, selection)), row_condition)
        for table in candidates
    )


def _with_columns(tables: Iterable[JobTable], key: Mapping[str, str]) -> tuple[JobTable, ...]:
    """Return the tables whose keys have all these columns."""
    tables = tuple(tables)
    columns = tuple(dict.fromkeys(column for table in tables for column in table.key))
    for name in key:
        if name not in columns:
            alike = near(name, columns, count=1)
            raise InputError(
                f"No job has the column '{name}' in its key",
                found=name,
                allowed=", ".join(columns),
                remedy=f"did you mean {alike[0]}?" if alike else "give one of these.",
            )
    return tuple(table for table in tables if set(key) <= set(table.key))


def _key_conditions(table: JobTable, selection: Selection) -> list[Sql]:
    typed = [Sql(f"{name} = %s", (_value(name, text, table),)) for name, text in selection.key.items()]
    if selection.named is None:
        return typed
    rows = selection.named.requests if "basefolder_id" in table.key else selection.named.sessions
    of_sessions = [
        is_in(column, dict.fromkeys(row[column] for row in rows))
        for column in _SESSION_COLUMNS
        if column in table.key
    ]
    return [*of_sessions, *typed]


def _value(name: str, text: str, table: JobTable) -> object:
    if name not in table.numbers:
        return text
    try:
        return int(text)
    except ValueError as error:
        raise InputError(
            f"{name} is a number", found=text, remedy="give a whole number, such as 0."
        ) from error
