"""What each table that workers fill has of some sessions, and what is still to be made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from imaging_pipeline.explaining.facts import StoredRow, TableFacts
from imaging_pipeline.explaining.job import Ignored, Job
from imaging_pipeline.explaining.missing import REQUESTS
from imaging_pipeline.explaining.states import JobState
from imaging_pipeline.schemas.jobs.actions import Action, job_hash
from imaging_pipeline.schemas.jobs.descriptions import descriptions
from imaging_pipeline.schemas.jobs.job_rows import open_jobs, rows_with_key
from imaging_pipeline.schemas.jobs.job_tables import JobTable
from imaging_pipeline.schemas.jobs.listing import as_jobs
from imaging_pipeline.schemas.jobs.selection import Selection, TableSelection, select
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.schemas.register.named_sessions import Named
from imaging_pipeline.schemas.tables import Tables


@dataclass(frozen=True)
class _KeyedRow:
    """A stored row with its key, which says what session or request it belongs to."""

    key: Mapping[str, Any]
    row: StoredRow


@dataclass(frozen=True)
class TableContent:
    """What a table has of all sessions and requests that were read."""

    table: JobTable
    rows: tuple[_KeyedRow, ...]
    jobs: tuple[Job, ...]

    def of(self, session: Row | None, request_ids: Sequence[int]) -> TableFacts:
        """Return what it has of one session, or of none, and of the requests for its folder."""
        rows = [keyed.row for keyed in self.rows if _belongs_to(keyed.key, session, request_ids)]
        jobs = [job for job in self.jobs if _belongs_to(job.key, session, request_ids)]
        if self.table.name == REQUESTS:
            # The failure of a request does not matter after a later one for the same folder.
            newest = max((row.number for row in rows), default=-1)
            rows = [row for row in rows if row.number == newest]
            jobs = [job for job in jobs if _number(job.key) > newest]
        return TableFacts(self.table.name, self.table.lane, self.table.needs, tuple(rows), tuple(jobs))


def read_tables(tables: Tables, named: Named) -> tuple[TableContent, ...]:
    """Read what all tables have of sessions and of the requests for their folders."""
    selected = select(tables, Selection(named=named))
    jobs = _unfinished(tables, selected)
    rows = _stored(tables, selected)
    return tuple(
        TableContent(
            of_table.table,
            tuple(rows[of_table.table.name]),
            tuple(job for job in jobs if job.table == of_table.table.name),
        )
        for of_table in selected
    )


def _unfinished(tables: Tables, selected: Iterable[TableSelection]) -> list[Job]:
    rows: list[tuple[JobTable, Row]] = []
    for of_table in selected:
        table = of_table.table
        jobs = open_jobs(table, tables.connection.adapter.backend, of_table.key_condition)
        query = (
            f"SELECT * FROM ({jobs.text}) AS jobs"
            f" WHERE NOT EXISTS ({rows_with_key(table, table.full_name, 'jobs')})"
        )
        cursor = tables.connection.query(query, args=jobs.args, as_dict=True)
        rows += [(table, row) for row in cursor.fetchall()]
    return _with_who_ignored(tables, as_jobs(tables, rows))


def _with_who_ignored(tables: Tables, jobs: Sequence[Job]) -> list[Job]:
    hashes = {job_hash(job.table, job.key) for job in jobs if job.state is JobState.IGNORED}
    if not hashes:
        return list(jobs)
    action = tables.imaging.JobAction
    of_jobs = [{"acted_hash": of_job} for of_job in hashes]
    acted = action * action.Job & {"jobaction": str(Action.IGNORE)} & of_jobs
    # Later rows replace earlier ones: the newest action counts.
    newest = {row["acted_hash"]: row for row in acted.to_dicts(order_by="jobaction_id")}
    ignored = {
        of_job: Ignored(row["jobaction_who"], row["jobaction_time"], row["jobaction_reason"])
        for of_job, row in newest.items()
    }
    return [
        replace(job, ignored=ignored.get(job_hash(job.table, job.key)))
        if job.state is JobState.IGNORED
        else job
        for job in jobs
    ]


def _stored(tables: Tables, selected: Sequence[TableSelection]) -> dict[str, list[_KeyedRow]]:
    rows: list[tuple[JobTable, Row]] = []
    for of_table in selected:
        table, condition = of_table.table, of_table.key_condition
        query = (
            f"SELECT {', '.join(table.key)}, {table.entry_time} AS made_at, duration FROM {table.full_name}"
            f" LEFT JOIN {table.jobs_name} USING ({', '.join(table.key)}) {condition.clause}"
            f" ORDER BY made_at DESC"
        )
        cursor = tables.connection.query(query, args=condition.args, as_dict=True)
        rows += [(table, row) for row in cursor.fetchall()]
    keys = [{column: row[column] for column in table.key} for table, row in rows]
    by_table: dict[str, list[_KeyedRow]] = {of_table.table.name: [] for of_table in selected}
    for (table, row), key, description in zip(rows, keys, descriptions(tables, keys), strict=True):
        stored = StoredRow(description, row["made_at"], row["duration"], _number(key))
        by_table[table.name].append(_KeyedRow(key, stored))
    return by_table


def _belongs_to(key: Mapping[str, Any], session: Row | None, request_ids: Sequence[int]) -> bool:
    if "basefolder_id" in key:
        return key["basefolder_id"] in request_ids
    # The key of a run of Suite2p has no session: it is of all of its MetaSession.
    return session is not None and all(
        key[column] == session[column] for column in ("metasession_name", "session_name") if column in key
    )


def _number(key: Mapping[str, Any]) -> int:
    return int(key.get("basefolder_id", 0))
