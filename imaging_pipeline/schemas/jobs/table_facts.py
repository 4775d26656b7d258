"""What each table that workers fill has of some sessions, and what is still to be made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from imaging_pipeline.explaining.facts import Made, TableFacts
from imaging_pipeline.explaining.job import Ignored, Job
from imaging_pipeline.explaining.missing import REQUESTS
from imaging_pipeline.explaining.states import JobState
from imaging_pipeline.schemas.jobs.actions import Action, job_hash
from imaging_pipeline.schemas.jobs.descriptions import about
from imaging_pipeline.schemas.jobs.job_rows import left, same
from imaging_pipeline.schemas.jobs.job_tables import JobTable
from imaging_pipeline.schemas.jobs.listing import as_jobs
from imaging_pipeline.schemas.jobs.selection import Selected, Selection, select
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.schemas.register.named_sessions import Named
from imaging_pipeline.schemas.tables import Tables


@dataclass(frozen=True)
class _MadeRow:
    """A row that is there, with its key."""

    key: Mapping[str, Any]
    made: Made


@dataclass(frozen=True)
class TableRead:
    """What a table has of all sessions and requests that were asked for."""

    jobs: JobTable
    made: tuple[_MadeRow, ...]
    left: tuple[Job, ...]

    def of(self, session: Row | None, request_ids: Sequence[int]) -> TableFacts:
        """Return what it has of one session, or of none, and of the requests for its folder."""
        made = [row.made for row in self.made if _is_of(row.key, session, request_ids)]
        left = [job for job in self.left if _is_of(job.key, session, request_ids)]
        if self.jobs.name == REQUESTS:
            # What an earlier request failed of does not matter after a later one.
            newest = max((each.number for each in made), default=-1)
            made = [each for each in made if each.number == newest]
            left = [job for job in left if _number(job.key) > newest]
        return TableFacts(self.jobs.name, self.jobs.lane, self.jobs.needs, tuple(made), tuple(left))


def read_tables(tables: Tables, named: Named) -> tuple[TableRead, ...]:
    """Read what all tables have of sessions and of the requests for their folders."""
    selected = select(tables, Selection(named=named))
    left = _left(tables, selected)
    made = _made(tables, selected)
    return tuple(
        TableRead(
            each.jobs,
            tuple(made[each.jobs.name]),
            tuple(job for job in left if job.table == each.jobs.name),
        )
        for each in selected
    )


def _left(tables: Tables, selected: Iterable[Selected]) -> list[Job]:
    rows: list[tuple[JobTable, Row]] = []
    for each in selected:
        found = left(each.jobs, tables.connection.adapter.backend, each.of_key)
        query = (
            f"SELECT * FROM ({found.text}) AS found"
            f" WHERE NOT EXISTS ({same(each.jobs, each.jobs.full_name, 'found')})"
        )
        cursor = tables.connection.query(query, args=found.args, as_dict=True)
        rows += [(each.jobs, row) for row in cursor.fetchall()]
    return _with_who_ignored(tables, as_jobs(tables, rows))


def _with_who_ignored(tables: Tables, jobs: Sequence[Job]) -> list[Job]:
    hashes = {job_hash(job.table, job.key) for job in jobs if job.state is JobState.IGNORED}
    if not hashes:
        return list(jobs)
    action = tables.imaging.JobAction
    acted = (
        action * action.Job & {"jobaction": str(Action.IGNORE)} & [{"acted_hash": each} for each in hashes]
    )
    newest = {row["acted_hash"]: row for row in acted.to_dicts(order_by="jobaction_id")}
    ignored = {
        name: Ignored(row["jobaction_who"], row["jobaction_time"], row["jobaction_reason"])
        for name, row in newest.items()
    }
    return [
        replace(job, ignored=ignored.get(job_hash(job.table, job.key)))
        if job.state is JobState.IGNORED
        else job
        for job in jobs
    ]


def _made(tables: Tables, selected: Sequence[Selected]) -> dict[str, list[_MadeRow]]:
    rows: list[tuple[JobTable, Row]] = []
    for each in selected:
        jobs = each.jobs
        query = (
            f"SELECT {', '.join(jobs.key)}, {jobs.entry_time} AS made_at, duration FROM {jobs.full_name}"
            f" LEFT JOIN {jobs.jobs_name} USING ({', '.join(jobs.key)}) {each.of_key.clause}"
            f" ORDER BY made_at DESC"
        )
        cursor = tables.connection.query(query, args=each.of_key.args, as_dict=True)
        rows += [(jobs, row) for row in cursor.fetchall()]
    keys = [{column: row[column] for column in jobs.key} for jobs, row in rows]
    found: dict[str, list[_MadeRow]] = {each.jobs.name: [] for each in selected}
    for (jobs, row), key, words in zip(rows, keys, about(tables, keys), strict=True):
        made = Made(words, row["made_at"], row["duration"], _number(key))
        found[jobs.name].append(_MadeRow(key, made))
    return found


def _is_of(key: Mapping[str, Any], session: Row | None, request_ids: Sequence[int]) -> bool:
    if "basefolder_id" in key:
        return key["basefolder_id"] in request_ids
    return session is not None and all(
        key[column] == session[column] for column in ("metasession_name", "session_name") if column in key
    )


def _number(key: Mapping[str, Any]) -> int:
    return int(key.get("basefolder_id", 0))
