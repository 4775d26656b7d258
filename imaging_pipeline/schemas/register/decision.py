"""All that carrying out a request does, decided before any of it is done; a preview shows the same."""

from __future__ import annotations

from dataclasses import dataclass

from imaging_pipeline.ingest.file_accounting import file_accounting
from imaging_pipeline.ingest.folder_changes import FolderChanges
from imaging_pipeline.ingest.records import FileReport, Plan
from imaging_pipeline.schemas.register.affected_jobs import StaleJobs
from imaging_pipeline.schemas.register.hardware import HardwareNotes


@dataclass(frozen=True)
class Decision:
    """All that carrying out a request does.

    Attributes
    ----------
    plan
        What the folder holds.
    changes
        What changes in the database.
    hardware
        The setup and scope that are noted.
    animal_findings
        What a person should know about the animal.
    stale_jobs
        Job rows that are dropped, so that their keys are tried again; one for each table that has any.
    """

    plan: Plan
    changes: FolderChanges
    hardware: HardwareNotes
    animal_findings: tuple[str, ...]
    stale_jobs: tuple[StaleJobs, ...]

    @property
    def files(self) -> tuple[FileReport, ...]:
        """Every file of the folder, with what becomes of it."""
        return file_accounting(self.plan, self.changes)

    @property
    def writes(self) -> bool:
        """Whether anything is written or deleted, apart from the report."""
        return bool(not self.changes.is_empty or self.hardware.rows or self.stale_jobs)
