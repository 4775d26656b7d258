"""Registering a folder: from a request to the plan, and from the plan to rows.

Reading the folder happens outside any transaction. Comparing with the database and writing happen in
one, under a lock on the animal, so that requests that meet at the same sessions give one result.
"""

from __future__ import annotations

from dataclasses import dataclass

from imaging_pipeline.ingest.changed import Changes
from imaging_pipeline.ingest.changes import compare
from imaging_pipeline.ingest.listing import scan
from imaging_pipeline.ingest.plan import make_plan
from imaging_pipeline.ingest.planned import FileVerdict, Plan, Request
from imaging_pipeline.schemas.locks import lock_rows
from imaging_pipeline.schemas.tables import Tables

from . import known, purge
from .fetching import Row
from .session_rows import Writer


@dataclass(frozen=True)
class Planned:
    """A plan, with what of the request is not in it.

    Attributes
    ----------
    base_folder
        The row of the request.
    plan
        What the folder holds.
    """

    base_folder: Row
    plan: Plan


@dataclass(frozen=True)
class Report:
    """What registering did: the row of ``MakeDatasetSessions``, and those of its parts by their names."""

    row: Row
    parts: dict[str, list[Row]]


def plan(tables: Tables, base_folder: Row) -> Planned:
    """Scan the folder of a request and say what it holds; reads the database, writes nothing.

    Raises
    ------
    NotMountedError, NothingFoundError, NamingError, FormatError, StillCopyingError
    """
    request = _request(base_folder)
    listing = scan(tables.local_path(request.repository_name, request.folder))
    return Planned(
        base_folder,
        make_plan(
            request,
            listing,
            known.contents(tables, request),
            known.option_settings(tables),
            assigned_options=known.assigned_options(tables, request),
        ),
    )


def apply(tables: Tables, planned: Planned) -> Report:
    """Hold a plan against the database and write what is new, within the open transaction.

    Raises
    ------
    InputError
        The setup has no calibration for the day.
    DatabaseError
        What is out of date may not be deleted by this account.
    """
    request = planned.plan.request
    animal = {"animal_id": request.animal_id, "datasource_id": request.datasource_id}
    lock_rows(tables.mlims.Animal & animal)
    changes = compare(planned.plan, known.of_plan(tables, planned.plan))
    writer = Writer(tables, planned.base_folder, changes)
    writer.write()
    reset = purge.reset_jobs(tables, writer.touched())
    reset |= purge.reset_requests(tables, _earlier_requests(tables, planned.base_folder))
    return _report(planned.plan, changes, writer, reset)


def _earlier_requests(tables: Tables, base_folder: Row) -> list[int]:
    same = ("repository_name", "folder", "animal_id", "datasource_id", "combined")
    requests = tables.imaging.BaseFolder & {name: base_folder[name] for name in same}
    earlier = requests - {"basefolder_id": base_folder["basefolder_id"]}
    return [int(number) for number in earlier.to_arrays("basefolder_id")]


def _report(plan: Plan, changes: Changes, writer: Writer, reset: dict[str, int]) -> Report:
    verdicts = [file.verdict for file in plan.files]
    num_known = sum(each.verdict == "known" for each in changes.sessions)
    return Report(
        row={
            "num_sessions_new": len(changes.sessions) - num_known,
            "num_sessions_known": num_known,
            "num_files_used": verdicts.count(FileVerdict.USED),
            "num_files_ignored": verdicts.count(FileVerdict.IGNORED),
            "num_files_unknown": verdicts.count(FileVerdict.UNKNOWN),
        },
        parts={
            "Session": [
                {
                    "reported_session": each.session.session_name,
                    "reported_metasession": each.metasession_name,
                    "reported_timeseries": each.session.timeseries_name,
                    "session_verdict": str(each.verdict),
                }
                for each in changes.sessions
            ],
            "Dataset": [
                {
                    "reported_dataset": each.dataset.dataset_name,
                    "reported_bundle": each.dataset.bundle,
                    "reported_datasettype": each.dataset.datasettype,
                    "dataset_verdict": str(each.verdict),
                    "dataset_reason": each.reason,
                }
                for each in changes.datasets
            ],
            "File": [
                {
                    "reported_file": number,
                    "reported_path": file.path,
                    "file_verdict": str(file.verdict),
                    "file_reason": file.reason
                    if file.datasettype is None
                    else f"{file.datasettype}: {file.reason}",
                }
                for number, file in enumerate(plan.files)
            ],
            "Purge": [
                {"purged_table": table, "num_rows_purged": rows, "purge_reason": reason}
                for table, (rows, reason) in writer.purged.items()
            ],
            "Finding": [
                {"finding_number": number, "finding": f"{each.kind}: {each.message}"}
                for number, each in enumerate(changes.findings)
            ],
            "JobReset": [{"reset_table": table, "num_jobs_reset": rows} for table, rows in reset.items()],
        },
    )


def _request(base_folder: Row) -> Request:
    return Request(
        repository_name=base_folder["repository_name"],
        folder=base_folder["folder"],
        experiment_type=base_folder["experiment_type"],
        combined=base_folder["combined"] == "yes",
        animal_id=base_folder["animal_id"],
        datasource_id=base_folder["datasource_id"],
        ops_name=base_folder["ops_name"],
    )
