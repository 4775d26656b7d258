"""Why a session is not done: what the database has of it, read with few queries, and explained."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from imaging_pipeline.errors import parse_message
from imaging_pipeline.experiments.registry import experiment_type
from imaging_pipeline.explaining.explain import explain as explained
from imaging_pipeline.explaining.explanation import Explanations
from imaging_pipeline.explaining.facts import (
    Facts,
    OutputFacts,
    RequestFacts,
    SessionNames,
    TableFacts,
)
from imaging_pipeline.explaining.missing import REQUESTS
from imaging_pipeline.lanes import LANES
from imaging_pipeline.schemas.jobs.job_tables import job_table_named
from imaging_pipeline.schemas.jobs.living_workers import living
from imaging_pipeline.schemas.jobs.needs import candidates
from imaging_pipeline.schemas.jobs.table_facts import read_tables
from imaging_pipeline.schemas.make.analysed_tifs import analysed_tifs
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.schemas.register import pending_animals
from imaging_pipeline.schemas.register.named_sessions import Named, named
from imaging_pipeline.schemas.tables import Tables

# A folder is registered once for all of these; of the folder, requests and MetaSessions have different names.
_REGISTRATION = ("repository_name", "folder", "animal_id", "datasource_id", "combined")


def explain(
    tables: Tables, typed: str, *, table: str | None = None, animal: str | None = None
) -> Explanations:
    """Return why sessions are not done, in the order of their start.

    Parameters
    ----------
    tables
        The database.
    typed
        A session or folder, as for `named_sessions.named`. Where no session is registered of a folder, its
        request is explained.
    table
        Only this table and those that it needs.
    animal
        Name or identifier of the animal, where another one has a timeseries of the same name.

    Raises
    ------
    InputError
        Nothing has this name, or more than one session; or there is no such table.
    """
    table_name = None if table is None else job_table_named(tables, table).name
    reader = _Reader(tables, named(tables, typed, animal=animal))
    return Explanations(explained(facts, table_name) for facts in reader.facts())


class _Reader:
    """Reads what concerns all sessions at once, so that many cost as many queries as one."""

    def __init__(self, tables: Tables, of: Named) -> None:
        self._tables = tables
        self._named = of
        self._contents = read_tables(tables, of)
        names = {row["metasession_name"] for row in of.sessions}
        metasession = tables.imaging.MetaSession
        self._options = _by_metasession(metasession.Suite2pyOps, names)
        self._setups = _by_metasession(metasession.Setup, names)
        self._workers = living(tables)
        with_tifs = analysed_tifs(tables.imaging) & [{"metasession_name": name} for name in names]
        self._with_tifs = set(with_tifs.to_arrays("session_name"))

    def facts(self) -> Iterator[Facts]:
        """Yield the facts of each session, and of each registration that there is no session of."""
        requests: dict[tuple[Any, ...], list[Row]] = {}
        for row in self._named.requests:
            requests.setdefault(_registration(row), []).append(row)
        without_session = dict(requests)
        for session in self._named.sessions:
            folder = {**session, "folder": session["metasession_folder"]}
            without_session.pop(_registration(folder), None)
            yield self._facts(folder, requests.get(_registration(folder), []), session)
        for rows in without_session.values():
            yield self._facts(rows[0], rows, None)

    def _facts(self, folder: Row, requests: Sequence[Row], session: Row | None) -> Facts:
        request_ids = [row["basefolder_id"] for row in requests]
        of_tables = tuple(
            self._with_candidates(content.of(session, request_ids), folder) for content in self._contents
        )
        metasession = None if session is None else session["metasession_name"]
        setup = self._setups.get(metasession)
        # Requests are sorted from the newest: where nothing is registered, it says what is wanted.
        options = self._options.get(metasession) or (requests[0] if session is None else {})
        return Facts(
            session=None if session is None else _session_names(session),
            folder=folder["folder"],
            repository_name=folder["repository_name"],
            animal_name=folder["animal_name"],
            experiment_type=folder["experiment_type"],
            combined=folder["combined"] == "yes",
            requests=tuple(_request_facts(self._tables, row) for row in requests),
            ops_name=options.get("ops_name"),
            setup_name=f"{setup['setup_name']} of {setup['setup_date']}" if setup else None,
            outputs=self._outputs(of_tables, metasession),
            tables=of_tables,
            tif_advice=self._tif_advice(session),
        )

    def _tif_advice(self, session: Row | None) -> str:
        """Return what a person does for a session without tifs; empty where it needs none or has them."""
        if session is None or session["session_name"] in self._with_tifs:
            return ""
        return experiment_type(session["experiment_type"]).tif_advice

    def _with_candidates(self, facts: TableFacts, folder: Row) -> TableFacts:
        if not facts.jobs:
            return facts
        lane = next(lane for lane in LANES if lane.name == facts.lane)
        workers = candidates(self._tables, lane, facts.jobs[0], folder["repository_name"], self._workers)
        return replace(facts, candidates=workers)

    def _outputs(self, of_tables: Iterable[TableFacts], metasession: str | None) -> tuple[OutputFacts, ...]:
        """Return what the newest request that was carried out saw; it may not know whose an output is."""
        finished = [row.number for facts in of_tables if facts.table == REQUESTS for row in facts.rows]
        if not finished or metasession is None:
            return ()
        outputs = self._tables.imaging.MakeDatasetSessions.Output & {"basefolder_id": max(finished)}
        of_session = outputs & [{"output_metasession": name} for name in (metasession, "")]
        return tuple(
            OutputFacts(row["output_path"], row["output_verdict"], row["output_reason"])
            for row in of_session.to_dicts(order_by="KEY")
        )


def _by_metasession(part: Any, metasession_names: Iterable[str]) -> dict[str | None, Row]:
    rows = (part & [{"metasession_name": name} for name in metasession_names]).to_dicts()
    return {row["metasession_name"]: row for row in rows}


def _registration(row: Row) -> tuple[Any, ...]:
    return tuple(row[column] for column in _REGISTRATION)


def _session_names(session: Row) -> SessionNames:
    return SessionNames(
        session["session_name"],
        session["metasession_name"],
        session["timeseries_name"],
        session["session_timestamp"],
    )


def _request_facts(tables: Tables, request: Row) -> RequestFacts:
    reason = pending_animals.why_waiting(tables, request)
    return RequestFacts(
        request["basefolder_id"],
        request["path"],
        request["username"],
        request["basefolder_entry_time"],
        bool(request["register_uncurated"]),
        None if reason is None else parse_message(str(reason)),
        *(request[column] for column in ("setup", "scope_name", "ops_name", "sessiontype", "damaged_tifs")),
    )
