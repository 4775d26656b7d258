"""How far all sessions are: a page of sessions × tables, and sums over all.

Each page takes the same few queries, however many sessions there are: the server joins the rows of all
tables, session by session.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from imaging_pipeline.errors import Responsible
from imaging_pipeline.explaining.facts import SessionNames
from imaging_pipeline.explaining.missing import REQUESTS, table_states
from imaging_pipeline.explaining.states import JobState
from imaging_pipeline.schemas.checked_rows import existing, not_existing
from imaging_pipeline.schemas.jobs import progress_sql
from imaging_pipeline.schemas.jobs.job_rows import open_jobs
from imaging_pipeline.schemas.jobs.job_tables import JobTable, job_table_named, job_tables
from imaging_pipeline.schemas.jobs.sql import Sql, all_of, any_of, begins_with, contains
from imaging_pipeline.schemas.tables import Tables

_STATES = {rank: state for state, rank in progress_sql.RANKS.items()}


@dataclass(frozen=True)
class SessionFilter:
    """The sessions that all of these conditions are true for; None is true for every session.

    Attributes
    ----------
    animal
        Its name or identifier.
    username
        Who registered the session.
    since, until
        Days of the recording, both included.
    experiment_type
        Which files mean what.
    name
        A part of the timeseries' name, or the beginning of the name of a session or MetaSession.
    """

    animal: str | None = None
    username: str | None = None
    since: date | None = None
    until: date | None = None
    experiment_type: str | None = None
    name: str | None = None


@dataclass(frozen=True)
class SessionProgress:
    """A session, and how far each table of the page is with it."""

    session: SessionNames
    animal_name: str
    username: str
    states: tuple[JobState, ...]


@dataclass(frozen=True)
class ProgressPage:
    """Some of the matching sessions, and sums over all of them.

    Attributes
    ----------
    tables
        Short names, in the order in which work flows.
    sessions
        The newest first.
    total
        How many match.
    totals
        For each table how many sessions are how far.
    requests
        How many requests of the animal and the person are not carried out, by how far they are.
    """

    tables: tuple[str, ...]
    sessions: tuple[SessionProgress, ...]
    total: int
    totals: tuple[Mapping[JobState, int], ...]
    requests: Mapping[JobState, int]


def progress_page(
    tables: Tables, session_filter: SessionFilter | None = None, *, limit: int, offset: int = 0
) -> ProgressPage:
    """Return a page of sessions, the newest first, and sums over all that match.

    Parameters
    ----------
    tables
        The database.
    session_filter
        Which sessions; all if not given.
    limit, offset
        How many are returned, and how many are skipped before.

    Raises
    ------
    InputError
        There is no such animal or user; names those that look like it.
    """
    session_filter = session_filter or SessionFilter()
    _check(tables, session_filter)
    filled, requests = _filled(tables), job_table_named(tables, REQUESTS)
    total, totals = _totals(tables, filled, session_filter)
    return ProgressPage(
        tuple(table.short_name for table in filled),
        _sessions(
            tables, filled, progress_sql.page(tables, _condition(tables, session_filter), limit, offset)
        ),
        total,
        totals,
        _requests(tables, requests, session_filter),
    )


def session_page(
    tables: Tables, session_filter: SessionFilter, *, limit: int, offset: int
) -> tuple[tuple[str, ...], tuple[SessionProgress, ...]]:
    """Return a page of sessions as `progress_page` does, without the sums over all.

    Returns
    -------
    tuple
        Short names of the tables, and the sessions, the newest first.

    Raises
    ------
    InputError
        There is no such animal or user.
    """
    _check(tables, session_filter)
    filled = _filled(tables)
    page = progress_sql.page(tables, _condition(tables, session_filter), limit, offset)
    return tuple(table.short_name for table in filled), _sessions(tables, filled, page)


def _filled(tables: Tables) -> list[JobTable]:
    """Return the tables that have something of each session; requests are of folders."""
    return [table for table in job_tables(tables) if table.name != REQUESTS]


def _sessions(tables: Tables, filled: Sequence[JobTable], page: Sql) -> tuple[SessionProgress, ...]:
    rows = _rows(tables, page)
    if not rows:
        return ()
    of_page = progress_sql.ranks_of(tables, filled, {row[0]: row[1] for row in rows})
    needed = {table.name: table.needs for table in filled}
    states = {name: _states(needed, ranks) for name, *ranks in _rows(tables, of_page)}
    return tuple(
        SessionProgress(SessionNames(name, metasession, timeseries, start), animal, username, states[name])
        for name, metasession, timeseries, start, animal, username in rows
        # A session may have been purged since its name was read.
        if name in states
    )


def _totals(
    tables: Tables, filled: Sequence[JobTable], session_filter: SessionFilter
) -> tuple[int, tuple[Mapping[JobState, int], ...]]:
    total, totals = 0, [Counter[JobState]() for _ in filled]
    needed = {table.name: table.needs for table in filled}
    for *ranks, number in _rows(
        tables, progress_sql.rank_counts(tables, filled, _condition(tables, session_filter))
    ):
        total += int(number)
        for counted, state in zip(totals, _states(needed, ranks), strict=True):
            counted[state] += int(number)
    return total, tuple(totals)


def _states(needed: Mapping[str, Sequence[str]], ranks: Sequence[Any]) -> tuple[JobState, ...]:
    *of_tables, has_output = ranks
    states = {name: _STATES.get(int(rank)) for name, rank in zip(needed, of_tables, strict=True)}
    return tuple(table_states(states, needed, has_output=bool(has_output)).values())


def _requests(tables: Tables, table: JobTable, session_filter: SessionFilter) -> dict[JobState, int]:
    requests = tables.imaging.BaseFolder * tables.mlims.Animal.proj("animal_name")
    columns = ["basefolder_id", "username", "animal_id", "animal_name"]
    jobs = open_jobs(table, tables.connection.adapter.backend, Sql())
    condition = _of_person_and_animal(session_filter)
    query = Sql(
        f"SELECT state, COUNT(*) FROM ({jobs.text}) AS jobs"
        f" JOIN ({requests.make_sql(columns)}) AS request USING (basefolder_id)"
        f" {condition.clause} GROUP BY state",
        (*jobs.args, *condition.args),
    )
    return {JobState(state): int(number) for state, number in _rows(tables, query)}


def _check(tables: Tables, session_filter: SessionFilter) -> None:
    if session_filter.username is not None:
        existing(
            tables.imaging.User, "username", session_filter.username, responsible=Responsible.EXPERIMENTER
        )
    if session_filter.animal is not None:
        columns = ("animal_name", "animal_id")
        animals = tables.mlims.Animal
        if not animals & [{column: session_filter.animal} for column in columns]:
            names = {str(name) for column in columns for name in animals().to_arrays(column)}
            raise not_existing("animal", session_filter.animal, names, responsible=Responsible.EXPERIMENTER)


def _condition(tables: Tables, session_filter: SessionFilter) -> Sql:
    """Return the condition on columns of ``Session``."""
    conditions = [
        progress_sql.of_metasessions(
            tables, all_of([_of_person_and_animal(session_filter), _of_type(session_filter)])
        )
    ]
    if session_filter.since is not None:
        conditions.append(Sql("session_timestamp >= %s", (session_filter.since,)))
    if session_filter.until is not None:
        # The last day is included, up to midnight.
        conditions.append(Sql("session_timestamp < %s", (session_filter.until + timedelta(days=1),)))
    return all_of([*conditions, _of_name(session_filter)])


def _of_type(session_filter: SessionFilter) -> Sql:
    if session_filter.experiment_type is None:
        return Sql()
    return Sql("experiment_type = %s", (session_filter.experiment_type,))


def _of_name(session_filter: SessionFilter) -> Sql:
    if session_filter.name is None:
        return Sql()
    return any_of(
        [
            contains("timeseries_name", session_filter.name),
            begins_with("session_name", session_filter.name),
            begins_with("metasession_name", session_filter.name),
        ]
    )


def _of_person_and_animal(session_filter: SessionFilter) -> Sql:
    conditions = []
    if session_filter.animal is not None:
        conditions.append(
            Sql("animal_id = %s OR animal_name = %s", (session_filter.animal, session_filter.animal))
        )
    if session_filter.username is not None:
        conditions.append(Sql("username = %s", (session_filter.username,)))
    return all_of(conditions)


def _rows(tables: Tables, query: Sql) -> list[tuple[Any, ...]]:
    return list(tables.connection.query(query.text, args=query.args).fetchall())
