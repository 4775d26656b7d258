"""How far all sessions are: a page of sessions × tables, and sums over all.

Each page takes the same few questions, however many sessions there are: the server puts the rows of all
tables together, session by session.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from imaging_pipeline.errors import Responsible
from imaging_pipeline.explaining.facts import SessionNamed
from imaging_pipeline.explaining.job import JobStatus
from imaging_pipeline.explaining.missing import REQUESTS
from imaging_pipeline.explaining.progress import states
from imaging_pipeline.explaining.reasons import State
from imaging_pipeline.schemas.checked_rows import existing, not_existing
from imaging_pipeline.schemas.plain_rows import like_literal
from imaging_pipeline.schemas.tables import Tables

from . import progress_sql
from .job_rows import left
from .job_tables import JobTable, job_tables
from .sql import Sql, every

_STATES = {rank: state for state, rank in progress_sql.RANKS.items()}


@dataclass(frozen=True)
class Wanted:
    """Which sessions; what is not given does not matter.

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
        What the name of the timeseries has in it, or the name of a session or MetaSession begins with.
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

    session: SessionNamed
    animal_name: str
    username: str
    states: tuple[State, ...]


@dataclass(frozen=True)
class ProgressPage:
    """Some of the sessions that are wanted, and sums over all of them.

    Attributes
    ----------
    tables
        Short names, in the order in which work flows.
    sessions
        The newest first.
    total
        How many are wanted.
    totals
        For each table how many sessions are how far.
    requests
        How many requests, of the animal and the person, are not carried out, by how far they are.
    """

    tables: tuple[str, ...]
    sessions: tuple[SessionProgress, ...]
    total: int
    totals: tuple[Mapping[State, int], ...]
    requests: Mapping[JobStatus, int]


def progress_page(
    tables: Tables, wanted: Wanted | None = None, *, limit: int, offset: int = 0
) -> ProgressPage:
    """Return a page of sessions, the newest first, and sums over all that are wanted.

    Parameters
    ----------
    tables
        The database.
    wanted
        Which sessions; all if not given.
    limit, offset
        How many are given, and how many are left out before.

    Raises
    ------
    InputError
        There is no such animal or user; tells those that look like it.
    """
    wanted = wanted or Wanted()
    _check(tables, wanted)
    everything = job_tables(tables)
    filled = [each for each in everything if each.name != REQUESTS]
    total, totals = _totals(tables, filled, wanted)
    return ProgressPage(
        tuple(each.short_name for each in filled),
        _sessions(tables, filled, progress_sql.page(tables, _condition(tables, wanted), limit, offset)),
        total,
        totals,
        _requests(tables, next(each for each in everything if each.name == REQUESTS), wanted),
    )


def session_page(
    tables: Tables, wanted: Wanted, *, limit: int, offset: int
) -> tuple[tuple[str, ...], tuple[SessionProgress, ...]]:
    """Return a page of sessions as `progress_page` does, without the sums over all.

    Returns
    -------
    tuple
        Short names of the tables, and the sessions, the newest first.

    Raises
    ------
    InputError
        As of `progress_page`.
    """
    _check(tables, wanted)
    filled = [each for each in job_tables(tables) if each.name != REQUESTS]
    page = progress_sql.page(tables, _condition(tables, wanted), limit, offset)
    return tuple(each.short_name for each in filled), _sessions(tables, filled, page)


def _sessions(tables: Tables, filled: Sequence[JobTable], page: Sql) -> tuple[SessionProgress, ...]:
    rows = _asked(tables, page)
    if not rows:
        return ()
    of_page = progress_sql.ranks_of(tables, filled, {row[0]: row[1] for row in rows})
    needed = {each.name: each.needs for each in filled}
    found = {name: _states(needed, ranks) for name, *ranks in _asked(tables, of_page)}
    return tuple(
        SessionProgress(SessionNamed(name, metasession, timeseries, start), animal, username, found[name])
        for name, metasession, timeseries, start, animal, username in rows
        # Else it was purged a moment ago.
        if name in found
    )


def _totals(
    tables: Tables, filled: Sequence[JobTable], wanted: Wanted
) -> tuple[int, tuple[Mapping[State, int], ...]]:
    total, totals = 0, [Counter[State]() for _ in filled]
    needed = {each.name: each.needs for each in filled}
    for *ranks, number in _asked(
        tables, progress_sql.rank_counts(tables, filled, _condition(tables, wanted))
    ):
        total += int(number)
        for counted, state in zip(totals, _states(needed, ranks), strict=True):
            counted[state] += int(number)
    return total, tuple(totals)


def _states(needed: Mapping[str, Sequence[str]], ranks: Sequence[Any]) -> tuple[State, ...]:
    *of_tables, has_output = ranks
    found = {name: _STATES.get(int(rank)) for name, rank in zip(needed, of_tables, strict=True)}
    return tuple(states(found, needed, has_output=bool(has_output)).values())


def _requests(tables: Tables, jobs: JobTable, wanted: Wanted) -> dict[JobStatus, int]:
    requests = tables.imaging.BaseFolder * tables.mlims.Animal.proj("animal_name")
    columns = ["basefolder_id", "username", "animal_id", "animal_name"]
    found = left(jobs, tables.connection.adapter.backend, Sql())
    condition = _of_whom(wanted)
    query = Sql(
        f"SELECT state, COUNT(*) FROM ({found.text}) AS found"
        f" JOIN ({requests.make_sql(columns)}) AS request USING (basefolder_id)"
        f" {condition.clause} GROUP BY state",
        (*found.args, *condition.args),
    )
    return {JobStatus(state): int(number) for state, number in _asked(tables, query)}


def _check(tables: Tables, wanted: Wanted) -> None:
    if wanted.username is not None:
        existing(tables.imaging.User, "username", wanted.username, responsible=Responsible.EXPERIMENTER)
    if wanted.animal is not None:
        columns = ("animal_name", "animal_id")
        animals = tables.mlims.Animal
        if not animals & [{column: wanted.animal} for column in columns]:
            names = {str(name) for column in columns for name in animals().to_arrays(column)}
            raise not_existing("animal", wanted.animal, names, responsible=Responsible.EXPERIMENTER)


def _condition(tables: Tables, wanted: Wanted) -> Sql:
    """Return the condition on columns of ``Session``."""
    conditions = [progress_sql.of_metasessions(tables, every([_of_whom(wanted), _of_type(wanted)]))]
    if wanted.since is not None:
        conditions.append(Sql("session_timestamp >= %s", (wanted.since,)))
    if wanted.until is not None:
        conditions.append(Sql("session_timestamp < %s", (wanted.until + timedelta(days=1),)))
    return every([*conditions, _of_name(wanted)])


def _of_type(wanted: Wanted) -> Sql:
    if wanted.experiment_type is None:
        return Sql()
    return Sql("experiment_type = %s", (wanted.experiment_type,))


def _of_name(wanted: Wanted) -> Sql:
    if wanted.name is None:
        return Sql()
    literal = like_literal(wanted.name)
    return Sql(
        "LOWER(timeseries_name) LIKE %s ESCAPE '!' OR session_name LIKE %s ESCAPE '!'"
        " OR metasession_name LIKE %s ESCAPE '!'",
        (f"%{literal}%", f"{literal}%", f"{literal}%"),
    )


def _of_whom(wanted: Wanted) -> Sql:
    conditions = []
    if wanted.animal is not None:
        conditions.append(Sql("animal_id = %s OR animal_name = %s", (wanted.animal, wanted.animal)))
    if wanted.username is not None:
        conditions.append(Sql("username = %s", (wanted.username,)))
    return every(conditions)


def _asked(tables: Tables, query: Sql) -> list[tuple[Any, ...]]:
    return list(tables.connection.query(query.text, args=query.args).fetchall())
