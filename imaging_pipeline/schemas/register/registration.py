"""Registering a folder: from a request to the plan, and from the plan to rows.

The folder is read, and the first decision made, outside any transaction. Where something is to be written,
it is decided again and written under a lock on the animal, so that two requests for the same sessions give
the same result in any order.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from imaging_pipeline import progress
from imaging_pipeline.ingest.comparison import compare
from imaging_pipeline.ingest.listing import Listing, scan
from imaging_pipeline.ingest.plan import make_plan
from imaging_pipeline.ingest.records import MetaSessionRecord, Plan, Request
from imaging_pipeline.ingest.sessionless import new_names, taken_up
from imaging_pipeline.schemas import plain_rows
from imaging_pipeline.schemas.locks import consistent_read, lock_rows
from imaging_pipeline.schemas.register import retired_notes, stored, stored_rows
from imaging_pipeline.schemas.register.affected_jobs import drop_jobs, stale_jobs
from imaging_pipeline.schemas.register.consent import check_consent
from imaging_pipeline.schemas.register.decision import Decision, animal_findings
from imaging_pipeline.schemas.register.folder_request import FolderRequest
from imaging_pipeline.schemas.register.hardware import hardware_notes
from imaging_pipeline.schemas.register.registration_text import outcome
from imaging_pipeline.schemas.register.report import Report, make_report
from imaging_pipeline.schemas.register.writing import Writer
from imaging_pipeline.schemas.tables import Tables


@dataclass(frozen=True)
class Registered:
    """What the database stores of a folder.

    Attributes
    ----------
    metasessions
        The MetaSessions of the folder.
    earlier_requests
        Identifiers of earlier requests for the same folder.
    is_overtaken
        Whether a later request was carried out already.
    """

    metasessions: tuple[MetaSessionRecord, ...]
    earlier_requests: tuple[int, ...]
    is_overtaken: bool


@dataclass(frozen=True)
class Planned:
    """A plan, and what it was made from.

    Attributes
    ----------
    requested
        The request, with its folder as the disk spells it.
    registered
        What the database stored of the folder.
    listing
        What the folder held; it was listed after the database was read.
    plan
        What the folder means.
    """

    requested: FolderRequest
    registered: Registered
    listing: Listing
    plan: Plan


def plan(tables: Tables, requested: FolderRequest) -> Planned:
    """Return the plan of a request's folder; reads folder and database, writes nothing.

    Raises
    ------
    NotMountedError, NothingFoundError, NamingError, FormatError, StillCopyingError
        The folder is not here, holds no recording, or its files cannot be registered, yet or at all.
    """
    request = requested.request
    request = replace(request, folder=tables.as_on_disk(*request.location).path)
    requested = replace(requested, request=request)
    # The database before the folder: the listing must not be older than what it is compared with.
    registered = _registered(tables, requested)
    listing = _listing(tables, requested)
    if registered.is_overtaken:
        # The option set of the later request is kept.
        request = replace(request, ops_name=None)
    folder_plan = make_plan(
        request,
        listing,
        stored.files(registered.metasessions, request),
        stored.OptionSettings(tables),
        assigned_options=stored.assigned_options(registered.metasessions),
        zone=tables.zone,
    )
    return Planned(requested, registered, listing, folder_plan)


def decide(tables: Tables, planned: Planned) -> Decision:
    """Return all that is to be done for a plan; reads the database, writes nothing.

    Raises
    ------
    InputError
        The setup has no calibration for the day.
    """
    registered = planned.registered
    compared = compare(planned.plan, stored.of_plan(tables, planned.plan, registered.metasessions))
    changes = taken_up(compared, stored_rows.sessionless_datasets(tables, new_names(compared)))
    return Decision(
        planned.plan,
        changes,
        hardware_notes(tables, planned.requested, changes),
        (
            *animal_findings(tables, planned.plan.request, changes),
            *retired_notes.findings(tables, planned.plan.request, changes),
        ),
        stale_jobs(tables, changes.metasession_names, registered.earlier_requests),
    )


def apply(tables: Tables, planned: Planned, decision: Decision) -> Report:
    """Do what was decided, within the open transaction, and return the report.

    Raises
    ------
    InputError
        The setup has no calibration for the day, or more would be deleted than was agreed to.
    DatabaseError
        What is out of date may not be deleted by this account.
    """
    # Without changes nothing is locked: most folders are registered again as they are.
    if decision.writes:
        decision, report = _write(tables, planned)
    else:
        report = make_report(decision, (), {})
    progress.conclude(outcome(decision, report))
    return report


def _write(tables: Tables, planned: Planned) -> tuple[Decision, Report]:
    """Decide again under the lock, and write what was decided."""
    requested = planned.requested
    _lock(tables, planned.plan.request)
    if not _is_up_to_date(tables, planned):
        planned = plan(tables, requested)
    decision = decide(tables, planned)
    purged = Writer(tables, requested, decision.changes, decision.hardware).write()
    # Last, since only now it is known how many rows were deleted; an error rolls everything back.
    check_consent(requested.consent, purged)
    return decision, make_report(decision, purged, drop_jobs(tables, decision.stale_jobs))


def _lock(tables: Tables, request: Request) -> None:
    """Lock repository and animal, always in this order, so that two registrations never deadlock."""
    # One file is no second session of another animal, whose request may be carried out at this moment.
    lock_rows(tables.imaging.Repository & {"repository_name": request.repository_name})
    lock_rows(tables.mlims.Animal & {"animal_id": request.animal_id, "datasource_id": request.datasource_id})


def _is_up_to_date(tables: Tables, planned: Planned) -> bool:
    """Return True if a new plan would be the same.

    Meanwhile another request may have been carried out for a newer state of the folder, or a session that
    the plan counts as registered may have been retired.
    """
    registered = _registered(tables, planned.requested)
    return registered == planned.registered and _listing(tables, planned.requested) == planned.listing


def _listing(tables: Tables, requested: FolderRequest) -> Listing:
    return scan(tables.local_path(*requested.request.location), requested.typed)


def _registered(tables: Tables, requested: FolderRequest) -> Registered:
    own_number = requested.number
    with consistent_read(tables.connection):
        metasessions = stored_rows.of_folder(tables, requested.request)
        requests = _requests_of_folder(tables, requested.request)
    return Registered(
        metasessions,
        tuple(number for number, _ in requests if number < own_number),
        any(is_applied for number, is_applied in requests if number > own_number),
    )


def _requests_of_folder(tables: Tables, request: Request) -> list[tuple[int, bool]]:
    """Return the requests of the same folder, animal and label, and whether each was carried out."""
    columns = ("repository_name", "folder", "animal_id", "datasource_id", "combined")
    requests = tables.full_name(tables.imaging.BaseFolder)
    applied = tables.full_name(tables.imaging.MakeDatasetSessions)
    # In order, because `_is_up_to_date` compares them with those of a later moment.
    statement = (
        f"SELECT requested.basefolder_id, applied.basefolder_id IS NOT NULL FROM {requests} AS requested"
        f" LEFT JOIN {applied} AS applied ON applied.basefolder_id = requested.basefolder_id"
        f" WHERE {' AND '.join(f'{name} = %s' for name in columns)} ORDER BY 1"
    )
    values = (*request.location, *request.animal, "yes" if request.combined else "no")
    rows = plain_rows.fetch(tables.connection, statement, values)
    return [(int(number), bool(is_applied)) for number, is_applied in rows]
