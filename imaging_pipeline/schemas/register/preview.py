"""What carrying out a request would do, told before anything is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.schemas.register import (
    preview_text,
    purge,
    registration,
    requests,
    running_jobs,
)
from imaging_pipeline.schemas.register import (
    report as registration_report,
)
from imaging_pipeline.schemas.register.decision import Decision
from imaging_pipeline.schemas.register.history import not_carried_out
from imaging_pipeline.schemas.register.purge import Purged
from imaging_pipeline.schemas.register.report import Report
from imaging_pipeline.schemas.register.requests import Completion
from imaging_pipeline.schemas.register.running_jobs import RunningJob
from imaging_pipeline.schemas.table_names import owners
from imaging_pipeline.schemas.tables import Tables


@dataclass(frozen=True, repr=False)
class Preview:
    """What carrying out a request would do; printed, all of it in plain text.

    Attributes
    ----------
    request
        The request as it would be kept, with ``animal_name`` beside.
    decision
        What the folder holds, and what would be written.
    purged
        Rows that would be deleted, by table.
    owners
        Owner of each schema among these that is none of the pipeline's; None where that is not known.
    num_jobs_reset
        Full name of a job table → error and ignored rows that would be dropped.
    running
        Jobs at work on what would be deleted.
    waiting
        Identifiers of requests for the same folder that are carried out before, so that they may change it.
    """

    request: Row
    decision: Decision
    purged: tuple[Purged, ...]
    owners: Mapping[str, str | None]
    num_jobs_reset: Mapping[str, int]
    running: tuple[RunningJob, ...]
    waiting: tuple[int, ...]

    @property
    def report(self) -> Report:
        """The rows that the request's report would have."""
        return registration_report.report(self.decision, self.purged, self.num_jobs_reset)

    @property
    def registers_nothing(self) -> bool:
        """Whether no session would be registered, and no earlier request may change that."""
        return not (self.decision.changes.sessions or self.waiting)

    def text(self, *, with_files: bool = True, width: int = 80) -> str:
        """Return it as plain text, with every file or without those that are used and ignored.

        Parameters
        ----------
        with_files
            Whether all files are listed, or the unknown ones only.
        width
            Characters of a line.
        """
        return preview_text.text(self, with_files=with_files, width=width)

    def __str__(self) -> str:
        return self.text()

    __repr__ = __str__


def preview(tables: Tables, inputs: Mapping[str, Any]) -> Preview:
    """Return what a request would do if it were carried out now; writes nothing and keeps no lock.

    Parameters
    ----------
    tables
        The database.
    inputs
        Columns as ``BaseFolder.add`` takes them.

    Raises
    ------
    InputError, PathError
        As when the request is added.
    NotYetHereError
        The animal is not here yet.
    NotMountedError, NothingFoundError, NamingError, FormatError, StillCopyingError
        As when it is carried out.
    """
    completion = Completion(tables)
    base_folder = {"basefolder_id": requests.next_number(tables), **completion.complete(inputs)}
    if (reason := completion.why_waiting(base_folder)) is not None:
        raise reason
    planned = registration.plan(tables, base_folder)
    decision = registration.decide(tables, planned)
    doomed = purge.find(tables, decision.changes.purges)
    purged = doomed.counted
    animal = tables.mlims.Animal & {name: base_folder[name] for name in ("animal_id", "datasource_id")}
    return Preview(
        request={**base_folder, "animal_name": animal.fetch1("animal_name")},
        decision=decision,
        purged=purged,
        owners=owners(tables, (each.table for each in purged)),
        num_jobs_reset={each.job_table: each.num_rows for each in decision.stale_jobs},
        running=running_jobs.overtaken(tables, doomed),
        waiting=not_carried_out(
            tables, base_folder["repository_name"], {base_folder["folder"], planned.base_folder["folder"]}
        ),
    )
