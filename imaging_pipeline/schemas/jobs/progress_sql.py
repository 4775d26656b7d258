"""How far the tables are with sessions, as SQL: a row a session, with a column for each table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from imaging_pipeline.explaining.missing import ANALYSIS
from imaging_pipeline.explaining.states import JobState
from imaging_pipeline.schemas.jobs.job_tables import JobTable
from imaging_pipeline.schemas.jobs.sql import Sql, one_of
from imaging_pipeline.schemas.tables import Tables

# A state as a number, so that the least of several is the one that a person should see first.
RANKS = {state: number for number, state in enumerate(JobState)}
NONE = -1
# One that is pending, or finished without its row, is as one that no worker has met.
_RANKS_OF_JOBS = " ".join(
    f"WHEN '{state}' THEN {RANKS[state]}" for state in (JobState.ERROR, JobState.RUNNING, JobState.IGNORED)
)

_COLUMNS = "session_name, metasession_name, timeseries_name, session_timestamp, animal_name, username"
_ORDER = "ORDER BY session_timestamp DESC, session_name"


def page(tables: Tables, wanted: Sql, limit: int, offset: int) -> Sql:
    """Return a query for sessions, the newest first: names, start, animal and user.

    Parameters
    ----------
    tables
        The database.
    wanted
        Condition on columns of ``Session``.
    limit, offset
        How many are given, and how many are left out before.
    """
    imaging = tables.imaging
    # What is shown beside is looked up only of what stands on the page.
    rows = f"SELECT * FROM {imaging.Session.full_table_name} {wanted.clause} {_ORDER} LIMIT {limit:d}"
    return Sql(
        f"SELECT {_COLUMNS} FROM ({rows} OFFSET {offset:d}) AS s"
        f" JOIN ({_metasessions(tables)}) USING (metasession_name) {_ORDER}",
        wanted.args,
    )


def of_metasessions(tables: Tables, wanted: Sql) -> Sql:
    """Return the condition on ``Session`` for one on columns of ``MetaSession`` or of its animal, if any."""
    if not wanted.text:
        return wanted
    names = f"SELECT metasession_name FROM {_metasessions(tables)} {wanted.clause}"
    return Sql(f"metasession_name IN ({names})", wanted.args)


def _metasessions(tables: Tables) -> str:
    metasession, animal = tables.imaging.MetaSession.full_table_name, tables.mlims.Animal.full_table_name
    return f"{metasession} JOIN {animal} USING (animal_id, datasource_id)"


def ranks_of(tables: Tables, known: Sequence[JobTable], sessions: Mapping[str, str]) -> Sql:
    """Return a query for how far tables are with sessions.

    Parameters
    ----------
    tables, known
        The database, and which tables.
    sessions
        Name of each session → name of its MetaSession.

    Columns
    -------
    The session's name, also of others of the same MetaSessions; for each table the rank of its state, or
    `NONE`; 1 where it has an output, else 0.
    """
    # By the MetaSession, as indexes begin with it.
    of_metasessions = one_of("metasession_name", dict.fromkeys(sessions.values()))
    joined = _joined(known, of_metasessions)
    return Sql(
        f"SELECT s.session_name, {_columns(known)}"
        f" FROM (SELECT * FROM {tables.imaging.Session.full_table_name} {of_metasessions.clause}) AS s"
        f" {joined.text}",
        (*of_metasessions.args, *joined.args),
    )


def rank_counts(tables: Tables, known: Sequence[JobTable], wanted: Sql) -> Sql:
    """Return a query for all sessions that are wanted: columns as of `ranks_of`, and how many have these."""
    joined = _joined(known, Sql())
    sessions = f"SELECT * FROM {tables.imaging.Session.full_table_name} {wanted.clause}"
    places = ", ".join(str(number) for number in range(1, len(known) + 2))
    return Sql(
        f"SELECT {_columns(known)}, COUNT(*) FROM ({sessions}) AS s {joined.text} GROUP BY {places}",
        (*wanted.args, *joined.args),
    )


def _columns(known: Sequence[JobTable]) -> str:
    ranks = (f"COALESCE(t{number}.state_rank, {NONE})" for number in range(len(known)))
    return f"{', '.join(ranks)}, CASE WHEN o.session_name IS NULL THEN 0 ELSE 1 END"


def _joined(known: Sequence[JobTable], of_metasessions: Sql) -> Sql:
    """Return the ranks beside sessions ``s``; a run of Suite2p is of all sessions of its MetaSession."""
    joins = []
    for number, each in enumerate(known):
        joins.append(_left_joined(_ranks(each, of_metasessions), f"t{number}", "session_name" in each.key))
    outputs = next(each.outer_keys_sql for each in known if each.name == ANALYSIS)
    names = "metasession_name, session_name"
    with_output = f"SELECT DISTINCT {names} FROM ({outputs}) AS k {of_metasessions.clause}"
    joins.append(_left_joined(Sql(with_output, of_metasessions.args), "o", True))
    return Sql(" ".join(each.text for each in joins), tuple(arg for each in joins for arg in each.args))


def _left_joined(query: Sql, alias: str, is_of_session: bool) -> Sql:
    same_session = f" AND {alias}.session_name = s.session_name" if is_of_session else ""
    on = f"{alias}.metasession_name = s.metasession_name{same_session}"
    return Sql(f"LEFT JOIN ({query.text}) AS {alias} ON {on}", query.args)


def _ranks(jobs: JobTable, of_keys: Sql) -> Sql:
    """Return for each session, or MetaSession, the least rank of a table's rows that there are or may be."""
    names = [name for name in ("metasession_name", "session_name") if name in jobs.key]
    of_job = (
        f"SELECT CASE job.status {_RANKS_OF_JOBS} END FROM {jobs.jobs_name} AS job WHERE {_same(jobs, 'job')}"
    )
    # What is made is asked no further: in the end that is nearly all.
    rank = (
        f"CASE WHEN made.{jobs.key[0]} IS NOT NULL THEN {RANKS[JobState.DONE]}"
        f" ELSE COALESCE(({of_job}), {RANKS[JobState.PENDING]}) END"
    )
    listed = ", ".join(f"k.{name}" for name in names)
    return Sql(
        f"SELECT {listed}, MIN({rank}) AS state_rank"
        f" FROM (SELECT * FROM ({jobs.keys_sql}) AS source {of_keys.clause}) AS k"
        f" LEFT JOIN {jobs.full_name} AS made ON {_same(jobs, 'made')} GROUP BY {listed}",
        of_keys.args,
    )


def _same(jobs: JobTable, alias: str) -> str:
    return " AND ".join(f"{alias}.{name} = k.{name}" for name in jobs.key)
