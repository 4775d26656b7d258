"""How far the tables are with sessions, as SQL: a row a session, with a column for each table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from imaging_pipeline.explaining.missing import ANALYSIS
from imaging_pipeline.explaining.states import JobState
from imaging_pipeline.schemas.jobs.job_tables import JobTable
from imaging_pipeline.schemas.jobs.sql import Sql, is_in
from imaging_pipeline.schemas.tables import Tables

# A state as a number, so that the least of several is the one that a person should see first.
RANKS = {state: number for number, state in enumerate(JobState)}
NONE = -1
# A job that is pending, or finished without its row, counts as a key without a job.
_RANKS_OF_JOBS = " ".join(
    f"WHEN '{state}' THEN {RANKS[state]}" for state in (JobState.ERROR, JobState.RUNNING, JobState.IGNORED)
)

_COLUMNS = "session_name, metasession_name, timeseries_name, session_timestamp, animal_name, username"
_ORDER = "ORDER BY session_timestamp DESC, session_name"


def page(tables: Tables, condition: Sql, limit: int, offset: int) -> Sql:
    """Return a query for sessions, the newest first: names, start, animal and user.

    Parameters
    ----------
    tables
        The database.
    condition
        Condition on columns of ``Session``.
    limit, offset
        How many are returned, and how many are skipped before.
    """
    imaging = tables.imaging
    # The other columns are looked up only for the sessions of the page.
    rows = f"SELECT * FROM {imaging.Session.full_table_name} {condition.clause} {_ORDER} LIMIT {limit:d}"
    # A join need not keep the order of its rows, so it is sorted once more.
    return Sql(
        f"SELECT {_COLUMNS} FROM ({rows} OFFSET {offset:d}) AS s"
        f" JOIN ({_metasessions(tables)}) USING (metasession_name) {_ORDER}",
        condition.args,
    )


def of_metasessions(tables: Tables, condition: Sql) -> Sql:
    """Return a condition on ``MetaSession`` and its animal as one on ``Session``; an empty one as it is."""
    if not condition.text:
        return condition
    names = f"SELECT metasession_name FROM {_metasessions(tables)} {condition.clause}"
    return Sql(f"metasession_name IN ({names})", condition.args)


def _metasessions(tables: Tables) -> str:
    metasession, animal = tables.imaging.MetaSession.full_table_name, tables.mlims.Animal.full_table_name
    return f"{metasession} JOIN {animal} USING (animal_id, datasource_id)"


def ranks_of(tables: Tables, filled: Sequence[JobTable], sessions: Mapping[str, str]) -> Sql:
    """Return a query for how far tables are with sessions.

    Parameters
    ----------
    tables, filled
        The database, and which tables.
    sessions
        Name of each session → name of its MetaSession.

    Columns
    -------
    The session's name, also of others of the same MetaSessions; for each table the rank of its state, or
    `NONE`; 1 where it has an output, else 0.
    """
    # By the MetaSession, as indexes begin with it.
    of_metasessions = is_in("metasession_name", dict.fromkeys(sessions.values()))
    joined = _joined(filled, of_metasessions)
    return Sql(
        f"SELECT s.session_name, {_columns(filled)}"
        f" FROM (SELECT * FROM {tables.imaging.Session.full_table_name} {of_metasessions.clause}) AS s"
        f" {joined.text}",
        (*of_metasessions.args, *joined.args),
    )


def rank_counts(tables: Tables, filled: Sequence[JobTable], condition: Sql) -> Sql:
    """Return a query that counts the sessions with equal ranks: columns as for `ranks_of`, and the number."""
    joined = _joined(filled, Sql())
    sessions = f"SELECT * FROM {tables.imaging.Session.full_table_name} {condition.clause}"
    ranks = ", ".join(str(number) for number in range(1, len(filled) + 2))
    return Sql(
        f"SELECT {_columns(filled)}, COUNT(*) FROM ({sessions}) AS s {joined.text} GROUP BY {ranks}",
        (*condition.args, *joined.args),
    )


def _columns(filled: Sequence[JobTable]) -> str:
    ranks = (f"COALESCE(t{number}.state_rank, {NONE})" for number in range(len(filled)))
    return f"{', '.join(ranks)}, CASE WHEN o.session_name IS NULL THEN 0 ELSE 1 END"


def _joined(filled: Sequence[JobTable], of_metasessions: Sql) -> Sql:
    """Return the joins of ranks to sessions ``s``; a run of Suite2p is joined to all of its MetaSession."""
    joins = [
        _left_joined(_ranks(table, of_metasessions), f"t{number}", "session_name" in table.key)
        for number, table in enumerate(filled)
    ]
    outputs = next(table.outer_keys_sql for table in filled if table.name == ANALYSIS)
    names = "metasession_name, session_name"
    with_output = f"SELECT DISTINCT {names} FROM ({outputs}) AS k {of_metasessions.clause}"
    joins.append(_left_joined(Sql(with_output, of_metasessions.args), "o", True))
    return Sql(" ".join(join.text for join in joins), tuple(value for join in joins for value in join.args))


def _left_joined(query: Sql, alias: str, is_of_session: bool) -> Sql:
    same_session = f" AND {alias}.session_name = s.session_name" if is_of_session else ""
    on = f"{alias}.metasession_name = s.metasession_name{same_session}"
    return Sql(f"LEFT JOIN ({query.text}) AS {alias} ON {on}", query.args)


def _ranks(table: JobTable, condition: Sql) -> Sql:
    """Return for each session, or MetaSession, the least rank of a table's keys there."""
    names = [name for name in ("metasession_name", "session_name") if name in table.key]
    of_job = (
        f"SELECT CASE job.status {_RANKS_OF_JOBS} END"
        f" FROM {table.jobs_name} AS job WHERE {_same_key(table, 'job')}"
    )
    # Jobs are looked up only of keys without a row: in the end nearly all have one.
    rank = (
        f"CASE WHEN stored.{table.key[0]} IS NOT NULL THEN {RANKS[JobState.DONE]}"
        f" ELSE COALESCE(({of_job}), {RANKS[JobState.PENDING]}) END"
    )
    listed = ", ".join(f"k.{name}" for name in names)
    return Sql(
        f"SELECT {listed}, MIN({rank}) AS state_rank"
        f" FROM (SELECT * FROM ({table.keys_sql}) AS source {condition.clause}) AS k"
        f" LEFT JOIN {table.full_name} AS stored ON {_same_key(table, 'stored')} GROUP BY {listed}",
        condition.args,
    )


def _same_key(table: JobTable, alias: str) -> str:
    return " AND ".join(f"{alias}.{name} = k.{name}" for name in table.key)
