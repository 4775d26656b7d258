"""Why a session is not done: what the database knows of it, read with few questions, and explained."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from imaging_pipeline.errors import parse_message
from imaging_pipeline.explaining.explain import explain as explained
from imaging_pipeline.explaining.explanation import Explanations
from imaging_pipeline.explaining.facts import (
    Facts,
    Requested,
    SeenOutput,
    SessionNamed,
    TableFacts,
)
from imaging_pipeline.explaining.missing import REQUESTS
from imaging_pipeline.lanes import LANES
from imaging_pipeline.schemas.jobs.job_tables import job_table_named
from imaging_pipeline.schemas.jobs.living_workers import living
from imaging_pipeline.schemas.jobs.needs import candidates
from imaging_pipeline.schemas.jobs.table_facts import read_tables
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.schemas.register import pending_animals
from imaging_pipeline.schemas.register.named_sessions import Named, named
from imaging_pipeline.schemas.tables import Tables

# What a folder's registration is known by; a MetaSession calls the folder otherwise.
_PLACE = ("repository_name", "folder", "animal_id", "datasource_id", "combined")


def explain(
    tables: Tables, wanted: str, *, table: str | None = None, animal: str | None = None
) -> Explanations:
    """Return why sessions are not done, in the order of their start.

    Parameters
    ----------
    tables
        The database.
    wanted
        As `schemas.imaging.named_sessions.named` takes it. Where no session is registered of a folder, its
        request is explained.
    table
        Only this table and those that it needs.
    animal
        Name or identifier of the animal, where another one has a timeseries of the same name.

    Raises
    ------
    InputError
        Nothing is known by this name, or more than one session; or there is no such table.
    """
    asked = None if table is None else job_table_named(tables, table).name
    found = named(tables, wanted, animal=animal)
    reader = _Reader(tables, found)
    return Explanations(explained(facts, asked) for facts in reader.all())


class _Reader:
    """Reads what concerns all sessions at once, and gives what concerns each."""

    def __init__(self, tables: Tables, found: Named) -> None:
        self._tables = tables
        self._found = found
        self._read = read_tables(tables, found)
        names = {row["metasession_name"] for row in found.sessions}
        metasession = tables.imaging.MetaSession
        self._options = {row["metasession_name"]: row for row in _of(metasession.Suite2pyOps, names)}
        self._setups = {row["metasession_name"]: row for row in _of(metasession.Setup, names)}
        self._workers = living(tables)

    def all(self) -> Iterator[Facts]:
        """Return the facts of each session, and of each registration that there is no session of."""
        requests: dict[tuple[Any, ...], list[Row]] = {}
        for row in self._found.requests:
            requests.setdefault(_place(row), []).append(row)
        without = dict(requests)
        for session in self._found.sessions:
            place = {**session, "folder": session["metasession_folder"]}
            without.pop(_place(place), None)
            yield self._facts(place, requests.get(_place(place), []), session)
        for rows in without.values():
            yield self._facts(rows[0], rows, None)

    def _facts(self, place: Row, requests: Sequence[Row], session: Row | None) -> Facts:
        numbers = [row["basefolder_id"] for row in requests]
        of_tables = tuple(self._with_candidates(each.of(session, numbers), place) for each in self._read)
        metasession = None if session is None else session["metasession_name"]
        options, setup = self._options.get(metasession), self._setups.get(metasession)
        wanted = options or (requests[0] if session is None else {})
        return Facts(
            session=None if session is None else _named(session),
            folder=place["folder"],
            repository_name=place["repository_name"],
            animal_name=place["animal_name"],
            experiment_type=place["experiment_type"],
            combined=place["combined"] == "yes",
            requests=tuple(_requested(self._tables, row) for row in requests),
            ops_name=wanted.get("ops_name"),
            setup_name=f"{setup['setup_name']} of {setup['setup_date']}" if setup else None,
            outputs=self._outputs(of_tables, metasession),
            tables=of_tables,
        )

    def _with_candidates(self, facts: TableFacts, place: Row) -> TableFacts:
        if not facts.jobs:
            return facts
        lane = next(lane for lane in LANES if lane.name == facts.lane)
        found = candidates(self._tables, lane, facts.jobs[0], place["repository_name"], self._workers)
        return replace(facts, candidates=found)

    def _outputs(self, of_tables: Iterable[TableFacts], metasession: str | None) -> tuple[SeenOutput, ...]:
        """Return what the newest request that was carried out saw; it may not know whose an output is."""
        done = [made.number for each in of_tables if each.table == REQUESTS for made in each.made]
        if not done or metasession is None:
            return ()
        seen = self._tables.imaging.MakeDatasetSessions.Output & {"basefolder_id": max(done)}
        rows = (seen & [{"output_metasession": name} for name in (metasession, "")]).to_dicts(order_by="KEY")
        return tuple(
            SeenOutput(row["output_path"], row["output_verdict"], row["output_reason"]) for row in rows
        )


def _of(part: Any, metasession_names: Iterable[str]) -> list[Row]:
    rows: list[Row] = (part & [{"metasession_name": name} for name in metasession_names]).to_dicts()
    return rows


def _place(row: Row) -> tuple[Any, ...]:
    return tuple(row[column] for column in _PLACE)


def _named(session: Row) -> SessionNamed:
    return SessionNamed(
        session["session_name"],
        session["metasession_name"],
        session["timeseries_name"],
        session["session_timestamp"],
    )


def _requested(tables: Tables, request: Row) -> Requested:
    reason = pending_animals.why_waiting(tables, request)
    return Requested(
        request["basefolder_id"],
        request["path"],
        request["username"],
        request["basefolder_entry_time"],
        bool(request["register_uncurated"]),
        None if reason is None else parse_message(str(reason)),
        *(request[column] for column in ("setup", "scope_name", "ops_name", "sessiontype")),
    )
