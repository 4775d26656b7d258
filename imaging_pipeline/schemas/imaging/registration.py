"""Registering a folder: from a request to the plan, and from the plan to rows.

Reading the folder happens outside any transaction. Comparing with the database and writing happen in
one, under a lock on the animal, so that requests that meet at the same sessions give one result.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from imaging_pipeline import progress
from imaging_pipeline.ingest.changes import compare
from imaging_pipeline.ingest.listing import scan
from imaging_pipeline.ingest.plan import make_plan
from imaging_pipeline.ingest.planned import Plan, Request
from imaging_pipeline.schemas.locks import lock_rows
from imaging_pipeline.schemas.tables import Tables

from . import known, stale_jobs
from .consent import refuse_more
from .decision import Decision
from .fetching import Row
from .hardware_notes import hardware_notes
from .registration_report import Report, report
from .report_text import outcome
from .session_rows import Writer


@dataclass(frozen=True)
class Planned:
    """A plan, with what of the request is not in it.

    Attributes
    ----------
    base_folder
        The row of the request, with its folder as the disk spells it.
    plan
        What the folder holds.
    earlier_requests
        Identifiers of the requests of the same folder that were made before.
    num_applied
        Requests of the animal or in the repository that had been carried out when the plan was made, and
        retirements.
    """

    base_folder: Row
    plan: Plan
    earlier_requests: tuple[int, ...]
    num_applied: int


def plan(tables: Tables, base_folder: Row) -> Planned:
    """Scan the folder of a request and say what it holds; reads the database, writes nothing.

    Raises
    ------
    NotMountedError, NothingFoundError, NamingError, FormatError, StillCopyingError
    """
    place = tables.as_on_disk(base_folder["repository_name"], base_folder["folder"])
    base_folder = {**base_folder, "folder": place.path}
    num_applied = _num_applied(tables, base_folder)
    request, own_id = _request(base_folder), base_folder["basefolder_id"]
    request_ids = _requests_of_folder(tables, base_folder)
    if _any_applied(tables, [number for number in request_ids if number > own_id]):
        # A later request of the folder was carried out already: its option set counts.
        request = replace(request, ops_name=None)
    listing = scan(tables.local_path(request.repository_name, request.folder))
    return Planned(
        base_folder,
        make_plan(
            request,
            listing,
            known.contents(tables, request),
            known.option_settings(tables),
            assigned_options=known.assigned_options(tables, request),
            zone=ZoneInfo(tables.imaging.Lab().fetch1("timezone")),
        ),
        tuple(number for number in request_ids if number < own_id),
        num_applied,
    )


def decide(tables: Tables, planned: Planned) -> Decision:
    """Hold a plan against the database and say all that is to be done; reads the database, writes nothing.

    Raises
    ------
    InputError
        The setup has no calibration for the day.
    """
    if _num_applied(tables, planned.base_folder) != planned.num_applied:
        # Another request was carried out meanwhile, perhaps for a newer state of the folder, or a session
        # was retired that the plan took for registered.
        planned = plan(tables, planned.base_folder)
    base_folder = planned.base_folder
    changes = compare(planned.plan, known.of_plan(tables, planned.plan))
    return Decision(
        planned.plan,
        changes,
        hardware_notes(tables, base_folder, changes),
        stale_jobs.stale_jobs(tables, changes.metasession_names, planned.earlier_requests),
    )


def apply(tables: Tables, planned: Planned) -> Report:
    """Hold a plan against the database and write what is new, within the open transaction.

    Raises
    ------
    InputError
        The setup has no calibration for the day, or more would be deleted than was agreed to.
    DatabaseError
        What is out of date may not be deleted by this account.
    """
    request, base_folder = planned.plan.request, planned.base_folder
    # Always in this order, so that two registrations never wait for each other.
    lock_rows(tables.imaging.Repository & {"repository_name": request.repository_name})
    lock_rows(tables.mlims.Animal & {"animal_id": request.animal_id, "datasource_id": request.datasource_id})
    decision = decide(tables, planned)
    purged = Writer(tables, base_folder, decision.changes, decision.hardware).write()
    # Raised here, everything is rolled back.
    refuse_more(base_folder["consent"], purged)
    done = report(decision, purged, stale_jobs.drop(tables, decision.stale_jobs))
    progress.conclude(outcome(decision, done))
    return done


def _num_applied(tables: Tables, base_folder: Row) -> int:
    """Count the requests carried out that may have met the same sessions, and all retirements."""
    same_place = {"repository_name": base_folder["repository_name"]}
    same_animal = {name: base_folder[name] for name in ("animal_id", "datasource_id")}
    applied = tables.imaging.MakeDatasetSessions & (tables.imaging.BaseFolder & [same_place, same_animal])
    counted = (applied.proj(), tables.imaging.Retirement.proj())
    # One question instead of two: each registration asks it twice.
    counts = " + ".join(f"(SELECT count(*) FROM ({each.make_sql()}) AS counted)" for each in counted)
    return int(tables.connection.query(f"SELECT {counts}").fetchone()[0])


def _requests_of_folder(tables: Tables, base_folder: Row) -> list[int]:
    same = ("repository_name", "folder", "animal_id", "datasource_id", "combined")
    requests = tables.imaging.BaseFolder & {name: base_folder[name] for name in same}
    return [int(number) for number in requests.to_arrays("basefolder_id")]


def _any_applied(tables: Tables, request_ids: list[int]) -> bool:
    applied = tables.imaging.MakeDatasetSessions & [{"basefolder_id": number} for number in request_ids]
    return bool(request_ids) and bool(applied)


def _request(base_folder: Row) -> Request:
    return Request(
        repository_name=base_folder["repository_name"],
        folder=base_folder["folder"],
        experiment_type=base_folder["experiment_type"],
        combined=base_folder["combined"] == "yes",
        animal_id=base_folder["animal_id"],
        datasource_id=base_folder["datasource_id"],
        ops_name=base_folder["ops_name"],
        username=base_folder["username"],
    )
